"""The wall clock steps by a day: bindings last as long as they were granted, and rows follow the clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.queries import registrations as queries
from db.schema import RegistrationRow
from db.writing import Work, Writer
from provisioner.operations.installation import Installation
from provisioner.pbx import registrations
from provisioner.pbx.clock import Sources
from tests.provisioner.pbx.registering import Server, eventually, registering

ONE, TWO = "48223809887", "48223809986"
DAY_S = 86_400.0
NEARLY_S = 2.0
"What a binding may be prolonged or cut by."


@dataclass
class Machine:
    """This one, with a wall clock that can be set, and booted anew."""

    set_by_s: float = 0.0
    boot_id: str = "first"

    def sources(self) -> Sources:
        return Sources(
            asyncio.get_running_loop().time,
            wall=lambda: time.time() + self.set_by_s,
            boot_id=lambda: self.boot_id,
        )

    def wall(self) -> float:
        return time.time() + self.set_by_s


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(registrations, "_TICK_S", 0.02)
    return Machine()


def left_s(server: Server, number: str) -> float:
    now = server.sip.now()
    (binding,) = server.location.bindings(number, now)
    return binding.expires_at - now


async def rows(installation: Installation) -> list[RegistrationRow]:
    async with installation.database.read() as session:
        return list(await session.scalars(select(RegistrationRow).order_by(RegistrationRow.id)))


async def rows_follow(installation: Installation, machine: Machine) -> None:
    """Returns when all rows say that they were registered just now, by the wall clock."""

    async def do_they() -> bool:
        now = datetime.fromtimestamp(machine.wall(), UTC)
        moments = [
            each
            for row in await rows(installation)
            for each in (row.registered_at, row.refreshed_at, row.heard_at)
        ]
        return all(abs((each - now).total_seconds()) < 30 for each in moments if each is not None)

    await eventually(do_they)


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S])
async def test_a_step_changes_no_binding_and_rows_follow(
    sample: Installation, machine: Machine, step_s: float
):
    async with registering(sample, sources=machine.sources()) as server:
        await server.register(ONE, expires=3000)
        machine.set_by_s += step_s
        await rows_follow(sample, machine)
        await server.register(TWO, expires=2000)
        assert left_s(server, ONE) == pytest.approx(3000, abs=NEARLY_S + 20)
        for row, granted_s in zip(await rows(sample), (3000, 2000), strict=True):
            assert (row.expires_at - row.registered_at).total_seconds() == pytest.approx(granted_s, abs=0.01)
        before = [left_s(server, number) for number in (ONE, TWO)]
        stopped_at = time.monotonic()
    machine.set_by_s -= 3 * step_s
    async with registering(sample, sources=machine.sources()) as server:
        passed_s = time.monotonic() - stopped_at
        after = [left_s(server, number) for number in (ONE, TWO)]
        assert after == pytest.approx([each - passed_s for each in before], abs=NEARLY_S)
        await rows_follow(sample, machine)


async def test_a_binding_lapses_in_its_time_though_the_clock_was_set_back(
    sample: Installation, machine: Machine
):
    async with registering(sample, sources=machine.sources()) as server:
        await server.register(ONE, expires=1)
        machine.set_by_s -= DAY_S

        async def has_lapsed() -> bool:
            return await rows(sample) == []

        await eventually(has_lapsed)


async def test_a_step_during_another_boot_is_believed(sample: Installation, machine: Machine):
    async with registering(sample, sources=machine.sources()) as server:
        await server.register(ONE, expires=3000)
    machine.boot_id = "second"
    machine.set_by_s += 1000
    async with registering(sample, sources=machine.sources()) as server:
        assert left_s(server, ONE) == pytest.approx(2000, abs=NEARLY_S + 20)
        await server.register(TWO)
    async with registering(sample, sources=machine.sources()) as server:
        assert left_s(server, ONE) == pytest.approx(2000, abs=NEARLY_S + 20)


async def test_rows_are_shifted_once_where_the_answer_got_lost(
    sample: Installation, machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    appended, shift = Database.appended, queries.shift_moments
    tries: list[bool] = []

    async def noted(writer: Writer, *arguments: Any) -> bool:
        tries.append(await shift(writer, *arguments))
        return tries[-1]

    async def lossy(database: Database, work: Work[Any]) -> Any:
        before = len(tries)
        done = await appended(database, work)
        if not before and tries:
            # It is kept, and the answer gets lost.
            raise DatabaseUnavailable("away")
        return done

    monkeypatch.setattr(queries, "shift_moments", noted)
    monkeypatch.setattr(Database, "appended", lossy)
    async with registering(sample, sources=machine.sources()) as server:
        await server.register(ONE)
        machine.set_by_s += DAY_S

        async def is_done() -> bool:
            return len(tries) >= 2

        await eventually(is_done)
        await rows_follow(sample, machine)
        assert tries[:2] == [True, False]
        await server.register(TWO)
        await rows_follow(sample, machine)
