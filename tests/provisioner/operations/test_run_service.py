"""Runs of test calls over many numbers: what is tested, what comes of it, and who makes them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.queries.proof_runs import red_numbers
from db.schema import ProofRunRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, Conflict, NotFound
from provisioner.operations.alarms import acknowledge, list_alarms
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.load import Load
from provisioner.operations.proof_history import Wanted, list_proofs
from provisioner.operations.proof_runs import (
    Cause,
    ProofRun,
    State,
    Untested,
    ask_for_run,
    list_runs,
    show_run,
    stop_run,
)
from provisioner.operations.proofs import Proof
from provisioner.operations.run_owner import run_owner
from provisioner.operations.run_service import LEASE, RunService
from provisioner.operations.test_calls import ProofBroke
from provisioner.settings import TestCallsSection as Section
from tests.provisioner.operations.small import just, other, put
from tests.provisioner.operations.test_proof_history import customer
from tests.provisioner.operations.trying import TWINS, Found, finding

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    return finding(monkeypatch)


def _text(proof: Proof) -> str:
    return f"{proof.number} is red"


@asynccontextmanager
async def at_work(
    installation: Installation, now: datetime = NOON, settles_s: float = 0
) -> AsyncIterator[None]:
    """A server's, up while the context lasts. What it does is told by the tests' own phones.

    It makes no run by itself because it is night while this runs.
    """
    owner = uuid.uuid4().hex
    settings = installation.settings.model_copy(update={"test_calls": Section(nightly=False)})
    by_day = replace(installation, settings=settings)
    made = RunService(by_day, TWINS, _text, owner, now=lambda: now, settles_s=settles_s)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        try:
            yield
        finally:
            running.cancel()


async def wanted(installation: Installation, cause: Cause = Cause.NIGHTLY) -> int:
    """A run of the whole installation that is due."""
    async with installation.database.change() as session:
        row = ProofRunRow(
            cause=cause, actor="system", speed=4, made_at=NOON, due_at=NOON, slot=f"{cause} all"
        )
        session.add(row)
        await session.flush()
        return row.id


async def over(installation: Installation, run_id: int) -> ProofRun:
    """The run, when it is."""
    async with asyncio.timeout(60):
        while not (run := await show_run(installation, run_id)).is_over:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)
    return run


async def green(installation: Installation, run_id: int, count: int) -> None:
    """Returns when so many numbers of a run are."""
    async with asyncio.timeout(60):
        while (await show_run(installation, run_id)).green < count:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)


async def made_by(installation: Installation, run_id: int, owner: str, until: datetime) -> None:
    """As if another server made it."""
    async with installation.database.change() as session:
        row = await session.get_one(ProofRunRow, run_id)
        row.owner, row.lease_until, row.began_at = owner, until, NOON


async def carried_out(installation: Installation, cause: Cause = Cause.NIGHTLY) -> ProofRun:
    """A run, from its order to its end."""
    run_id = await wanted(installation, cause)
    async with at_work(installation):
        return await over(installation, run_id)


async def test_all_groups_and_lines_are_tested_groups_first(firma: Installation, found: Found):
    await put(firma, other())
    run = await carried_out(firma)
    assert found.tried[0] == "600"
    # A line without an extension by its own number.
    assert sorted(found.tried) == ["101", "102", "48333000001", "600"]
    assert (run.state, run.numbers, run.green, run.red, run.untested) == (State.DONE, 4, 4, 0, 0)
    kept = (await list_proofs(firma, Wanted(run_id=run.id))).runs
    assert sorted(each.number for each in kept) == sorted(found.tried)
    assert {each.run_id for each in kept} == {run.id}

async def test_red_is_what_is_red_twice_and_raises_an_alarm_that_falls_when_it_is_green(
    firma: Installation, found: Found
):
    found.red, found.red_once = {"600"}, {"101"}
    first = await carried_out(firma, Cause.NIGHTLY)
    assert (first.green, first.red) == (2, 1)
    assert sorted(found.tried) == ["101", "101", "102", "600", "600"]
    # What is red is that by its own calls.
    assert sorted(found.alone) == ["101", "600"]
    found.alone.clear()
    (alarm,) = await list_alarms(firma)
    assert (alarm.kind, alarm.text, alarm.about, alarm.customer) == (
        "number-red", "600 is red", "600", "firma",
    )  # fmt: skip
    # Whoever has seen it is not told again while nothing is another.
    await acknowledge(firma, alarm.number, COMMAND_LINE, NOON)
    await carried_out(firma, Cause.WEEKLY)
    assert len(await list_alarms(firma, everything=True)) == 1
    # Once a week all are.
    assert sorted(found.alone) == ["101", "102", "600", "600"]
    found.alone.clear()
    found.red = set()
    await carried_out(firma, Cause.CHANGE)
    # And green again, too.
    assert found.alone == ["600"]
    (fallen,) = await list_alarms(firma, everything=True)
    assert fallen.over_at is not None
    found.red = {"600"}
    run_id = await ask_for_run(firma, None, 4, COMMAND_LINE)
    async with at_work(firma, utc_now()):
        assert (await over(firma, run_id)).red == 1
    # Whoever asked for it looks at it.
    assert await list_alarms(firma) == []


async def test_an_alarm_about_a_number_that_is_gone_falls(firma: Installation, found: Found):
    found.red = {"600"}
    await carried_out(firma)
    await just(firma, hunt_groups=[])
    assert len(await list_alarms(firma)) == 1
    await carried_out(firma, Cause.WEEKLY)
    assert await list_alarms(firma) == []
    async with firma.database.read() as session:
        assert await red_numbers(session) == 0


async def test_a_run_waits_while_calls_of_people_take_the_servers_time(
    firma: Installation, found: Found, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("provisioner.operations.load._LOOK_S", 0.02)
    is_high = True
    monkeypatch.setattr(Load, "is_high", property(lambda _: is_high))
    run_id = await wanted(firma)
    async with at_work(firma):
        async with asyncio.timeout(60):
            while (await show_run(firma, run_id)).numbers == 0:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)
        assert found.tried == []
        is_high = False
        assert (await over(firma, run_id)).green == 3


async def test_after_a_change_what_is_proved_as_it_is_is_left_out(firma: Installation, found: Found):
    await carried_out(firma)
    found.tried.clear()
    members = [{"extension": "102"}, {"extension": "101"}]
    await just(firma, hunt_groups=[{"number": "600", "name": "Sprzedaż", "members": members}])
    run = await carried_out(firma, Cause.CHANGE)
    assert (found.tried, run.numbers, run.green, run.unchanged) == (["600"], 3, 1, 2)


async def test_what_can_not_be_tested_is_said_and_what_is_in_the_way_for_a_moment_is_not(
    firma: Installation, found: Found, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("provisioner.operations.run_lanes._AGAIN_S", 0)
    found.refused = {
        "600": [BadValue("too many phones")],
        "101": [ProofBroke("the phones have ended")],
        "102": [Conflict("changed just now")] * 2,
    }
    run = await carried_out(firma)
    assert (run.state, run.green, run.untested) == (State.DONE, 2, 1)
    assert run.reasons == (Untested("firma", "600", "too many phones"),)


async def test_a_run_that_was_cut_off_is_taken_up_where_it_was(firma: Installation, found: Found):
    run_id = await ask_for_run(firma, None, 4, COMMAND_LINE)
    found.hold_at = "102"
    async with at_work(firma, utc_now()):
        await green(firma, run_id, 2)
        # It is one server's: another one does nothing.
        async with at_work(firma, utc_now()):
            await asyncio.sleep(0.1)
        assert (await show_run(firma, run_id)).state is State.UNDER_WAY
        assert sorted(found.tried) == ["101", "102", "600"]
    assert (await show_run(firma, run_id)).state is State.WAITING
    found.hold_at, found.tried = None, []
    async with at_work(firma, utc_now()):
        run = await over(firma, run_id)
    assert (found.tried, run.state, run.numbers, run.green) == (["102"], State.DONE, 3, 3)


async def test_of_a_server_that_was_killed_another_takes_over_when_its_lease_is_over(
    firma: Installation, found: Found
):
    run_id = await wanted(firma)
    await made_by(firma, run_id, "another", NOON + LEASE)
    async with at_work(firma, NOON + LEASE - timedelta(seconds=1)):
        await asyncio.sleep(0.2)
    assert found.tried == []
    async with at_work(firma, NOON + LEASE + timedelta(seconds=1)):
        assert (await over(firma, run_id)).state is State.DONE


async def test_a_server_that_starts_again_goes_on_at_once_with_what_it_was_killed_at(
    firma: Installation, found: Found
):
    killed = await run_owner(firma)
    mine = await ask_for_run(firma, "firma", 4, COMMAND_LINE)
    await made_by(firma, mine, killed, utc_now() + LEASE * 60)
    theirs = await ask_for_run(firma, None, 4, COMMAND_LINE)
    await made_by(firma, theirs, "another", utc_now() + LEASE * 60)
    assert await run_owner(firma) != killed
    assert (await show_run(firma, mine)).state is State.WAITING
    assert (await show_run(firma, theirs)).state is State.UNDER_WAY
    async with at_work(firma, utc_now()):
        assert (await over(firma, mine)).state is State.DONE
    assert len(found.tried) == 3


async def test_a_run_whose_server_has_said_nothing_for_long_waits(firma: Installation):
    run_id = await ask_for_run(firma, None, 4, COMMAND_LINE)
    await made_by(firma, run_id, "another", utc_now() - timedelta(seconds=1))
    assert (await show_run(firma, run_id)).state is State.WAITING


async def test_a_server_starts_where_it_can_not_note_who_makes_runs(firma: Installation):
    (firma.data_dir / "test-runs.owner").mkdir()
    assert len({await run_owner(firma), await run_owner(firma)}) == 2


async def test_what_is_not_through_when_its_time_is_over_says_so(
    firma: Installation, found: Found, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("provisioner.operations.run_service._RENEW_S", 0.05)
    found.hold_at = "102"
    run_id = await wanted(firma)
    async with at_work(firma):
        await green(firma, run_id, 2)
        async with firma.database.change() as session:
            (await session.get_one(ProofRunRow, run_id)).until = NOON
        run = await over(firma, run_id)
    assert (run.state, run.green, run.untested) == (State.UNFINISHED, 2, 1)
    assert found.at_once == 0


async def test_one_run_over_the_same_numbers_is_asked_for_at_a_time_and_can_be_ended(firma: Installation):
    run_id = await ask_for_run(firma, "firma", 4, COMMAND_LINE)
    with pytest.raises(Conflict, match=f"run {run_id} is under way"):
        await ask_for_run(firma, "firma", 4, COMMAND_LINE)
    with pytest.raises(NotFound):
        await ask_for_run(firma, "nobody", 4, COMMAND_LINE)
    await stop_run(firma, run_id)
    async with at_work(firma, utc_now()):
        assert (await over(firma, run_id)).state is State.UNFINISHED
    with pytest.raises(Conflict, match="over already"):
        await stop_run(firma, run_id)
    assert (await show_run(firma, await ask_for_run(firma, "firma", 4, COMMAND_LINE))).customer == "firma"


async def test_a_customer_sees_runs_over_its_own_numbers_alone(firma: Installation):
    await put(firma, other())
    owner, stranger = await customer(firma, "firma"), await customer(firma, "inna")
    mine = await ask_for_run(firma, None, 4, COMMAND_LINE, owner)
    everybody = await ask_for_run(firma, None, 4, COMMAND_LINE)
    assert [run.id for run in (await list_runs(firma)).runs] == [everybody, mine]
    assert [run.id for run in (await list_runs(firma, owner)).runs] == [mine]
    assert (await list_runs(firma, stranger)).runs == ()
    for look in (
        show_run(firma, mine, stranger),
        show_run(firma, everybody, owner),
        stop_run(firma, everybody, owner),
        list_runs(firma, stranger, "firma"),
        ask_for_run(firma, "firma", 4, COMMAND_LINE, stranger),
    ):
        with pytest.raises(NotFound):
            await look


async def test_nothing_begins_by_itself_before_a_server_has_settled(firma: Installation, found: Found):
    await wanted(firma)
    asked = await ask_for_run(firma, "firma", 4, COMMAND_LINE)
    async with at_work(firma, utc_now(), settles_s=3600):
        await over(firma, asked)
        (waits,) = [run for run in (await list_runs(firma)).runs if run.cause is Cause.NIGHTLY]
    assert waits.began_at is None
