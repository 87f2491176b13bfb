"""Stored moments mean the same after the wall clock has stepped, and after a restart within one boot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.pbx.clock import STEP_S, Basis, Clock, Sources

DAY_S = 86_400.0


@dataclass
class Machine:
    """Its clocks; each start of the program has a loop time of its own."""

    wall: float = 1_800_000_000.0
    since_boot: float = 5_000.0
    boot_id: str = "first"
    loop_behind: float = field(default=1_000.0)

    def start(self, stored: Basis | None = None) -> Clock:
        return Clock(
            Sources(
                loop=lambda: self.since_boot - self.loop_behind,
                wall=lambda: self.wall,
                since_boot=lambda: self.since_boot,
                boot_id=lambda: self.boot_id,
            ),
            stored,
        )

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.since_boot += seconds

    @property
    def loop(self) -> float:
        return self.since_boot - self.loop_behind


def test_moments_are_utc_while_the_clock_is_right():
    machine = Machine()
    clock = machine.start()
    assert clock.utc(machine.loop) == datetime.fromtimestamp(machine.wall, UTC)
    machine.passes(600)
    assert clock.utc(machine.loop) == datetime.fromtimestamp(machine.wall, UTC)
    assert clock.step_s() is None


@given(at=st.floats(0, 10**8), step=st.floats(-10 * DAY_S, 10 * DAY_S))
def test_what_is_written_is_read_as_the_same_loop_time(at: float, step: float):
    machine = Machine()
    clock = machine.start()
    machine.wall += step
    assert clock.loop_of_unix(clock.utc(at).timestamp()) == pytest.approx(at, abs=1e-5)


@given(
    steps=st.lists(st.tuples(st.floats(0, 300), st.floats(-2 * DAY_S, 2 * DAY_S)), max_size=5),
    noticed=st.lists(st.booleans(), min_size=5, max_size=5),
    restarts=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_no_step_and_no_restart_changes_how_long_a_binding_lasts(
    steps: list[tuple[float, float]], noticed: list[bool], restarts: list[bool]
):
    machine = Machine()
    clock = machine.start()
    row = clock.utc(machine.loop + 3600)
    left_s, basis = 3600.0, clock.basis
    for (passes_s, step_s), notices, restart in zip(steps, noticed, restarts, strict=False):
        machine.passes(passes_s)
        left_s -= passes_s
        machine.wall += step_s
        shift = clock.step_s()
        if notices and shift is not None:
            # As the database does it: rows and basis in one transaction.
            row += timedelta(seconds=shift)
            basis = clock.stepped(shift)
            clock.adopt(basis)
        if restart:
            machine.loop_behind = machine.since_boot
            clock = machine.start(basis)
        assert clock.loop_of_unix(row.timestamp()) - machine.loop == pytest.approx(left_s, abs=0.01)


def test_a_step_is_noticed_and_after_the_shift_rows_are_utc_again():
    machine = Machine()
    clock = machine.start()
    row = clock.utc(machine.loop)
    machine.wall -= DAY_S
    shift = clock.step_s()
    assert shift == pytest.approx(-DAY_S)
    clock.adopt(clock.stepped(shift))
    assert clock.step_s() is None
    assert (row + timedelta(seconds=shift)).timestamp() == pytest.approx(machine.wall)


def test_a_clock_that_is_slewed_is_followed_before_a_binding_is_wrong_by_two_seconds():
    machine = Machine()
    clock = machine.start()
    machine.wall += STEP_S * 0.9
    assert clock.step_s() is None
    machine.wall += STEP_S * 0.2
    assert clock.step_s() == pytest.approx(STEP_S * 1.1)


def test_a_step_while_the_program_was_stopped_is_noticed_at_its_start():
    machine = Machine()
    first = machine.start()
    row = first.utc(machine.loop + 100)
    machine.passes(10)
    machine.wall += DAY_S
    clock = machine.start(first.basis)
    assert clock.loop_of_unix(row.timestamp()) - machine.loop == pytest.approx(90, abs=0.01)
    assert clock.step_s() == pytest.approx(DAY_S)


@pytest.mark.parametrize("boot_id", ["second", ""])
def test_after_another_boot_the_wall_clock_is_believed(boot_id: str):
    machine = Machine(boot_id=boot_id and "first")
    first = machine.start()
    row = first.utc(machine.loop + 100)
    machine.boot_id = boot_id
    machine.wall += 40
    machine.since_boot = 7.0
    machine.loop_behind = 0.0
    clock = machine.start(first.basis)
    assert clock.loop_of_unix(row.timestamp()) - machine.loop == pytest.approx(60, abs=0.01)
    assert clock.step_s() is None


def test_a_basis_is_stored_as_text_and_read_again():
    basis = Basis("first", 1_799_995_000.123456)
    assert Basis.parse(str(basis)) == basis
    assert Basis.parse(None) is None


def test_this_machine_has_the_clocks_that_are_needed():
    clock = Clock(Sources(loop=lambda: 0.0))
    assert clock.basis.boot_id
    assert abs(clock.basis.offset_s) > DAY_S
