"""After a change, exactly the phones whose files are others now are told, until they have fetched them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.queries.resyncs import Mark
from db.schema import AuditRow, DeviceRow, ResyncRow
from db.tail import waking
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import device_files, devices, resyncs, rollouts
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.resyncs import Cause, Kind
from provisioner.pbx import resync
from provisioner.pbx.marks import Marks
from provisioner.pbx.resync import Resyncs
from provisioner.pbx.telling import Outcome, Pace
from sip.binding import Change, ChangeKind
from tests.provisioner.pbx.phones import DESK, FIRST, HALL, SECOND, THIRD, TWIN, Network, Told, change, office
from tests.provisioner.written import Written, loopback_settings, put_key

ON_SQLITE = pytest.mark.parametrize("firm_url", ["sqlite"], indirect=True)
"What is no matter of the database."
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUICK = Pace(per_s=1000.0, settle_s=0.01, again_s=0.01, fetch_s=0.05)
PATIENT = Pace(per_s=1000.0, settle_s=0.01, again_s=0.01)


async def write(installation: Installation) -> None:
    """Three phones that have fetched what there is; changes are followed from here."""
    await office(installation)
    await Network(installation).fetch(DESK, TWIN, HALL)
    await resyncs.follow(installation)


@pytest.fixture(scope="session")
def written_office(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What is copied."""
    return Written(tmp_path_factory.mktemp("office"), write)


@pytest.fixture(params=["sqlite", "postgresql"])
def firm_url(request: pytest.FixtureRequest, tmp_path: Path, written_office: Written) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    with written_office.copied(request, tmp_path) as url:
        yield url


@pytest.fixture
async def firm(firm_url: str, tmp_path: Path, written_office: Written) -> AsyncIterator[Installation]:
    """The office."""
    vault = put_key(written_office.key, tmp_path)
    database = await Database.open(firm_url)
    yield Installation(tmp_path, loopback_settings(), database, vault)
    await database.close()


@asynccontextmanager
async def telling(network: Network, pace: Pace = PATIENT, **more: object) -> AsyncIterator[Resyncs]:
    """A server that tells phones."""
    async with asyncio.TaskGroup() as tasks:
        made = Resyncs(network.installation, network, pace=pace, **more)  # type: ignore[arg-type]
        running = tasks.create_task(made.run())
        try:
            yield made
        finally:
            running.cancel()


async def rows(installation: Installation) -> list[tuple[MacAddress, ResyncRow]]:
    async with installation.database.read() as session:
        found = await session.execute(
            select(DeviceRow.mac, ResyncRow)
            .join(ResyncRow, ResyncRow.device_id == DeviceRow.id)
            .order_by(ResyncRow.id)
        )
        return [(MacAddress(mac), row) for mac, row in found]


async def outcomes(installation: Installation, *wanted: tuple[MacAddress, str | None]) -> None:
    """Returns when this has become of the jobs, in the order in which they were noted, and of no others."""
    found: list[tuple[MacAddress, str | None]] = []
    with suppress(TimeoutError):
        async with waking(installation.database) as waker, asyncio.timeout(60):
            while Counter(found) != Counter(wanted):
                await waker.wait(0.2)
                found = [(mac, row.outcome) for mac, row in await rows(installation)]
    assert Counter(found) == Counter(wanted)


def to(told: list[Told]) -> list[MacAddress]:
    return sorted(each.mac for each in told)


async def test_the_phone_whose_file_has_changed_is_told_and_no_other(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    await network.register(TWIN, FIRST, THIRD)
    async with telling(network):
        await office(firm, "1")
        (told,) = await network.until_told(1)
        await outcomes(firm, (DESK, Outcome.FETCHED))
    assert (told.mac, told.line, str(told.request.event)) == (DESK, FIRST, "check-sync;reboot=false")
    ((_, row),) = await rows(firm)
    assert (row.kind, row.cause, row.answered_status) == (Kind.RESYNC, Cause.CHANGE, 200)
    assert row.asked_at <= row.sent_at <= row.done_at  # type: ignore[operator]
    assert len(network.told) == 1


@ON_SQLITE
async def test_a_phone_with_several_lines_is_told_once(firm: Installation):
    network = Network(firm)
    await network.register(TWIN, FIRST, THIRD)
    async with telling(network):
        await change(firm, TWIN)
        await outcomes(firm, (TWIN, Outcome.FETCHED))
    assert len(network.told) == 1


@ON_SQLITE
async def test_on_a_shared_line_the_phone_that_changed_is_told_by_its_own_binding(firm: Installation):
    network = Network(firm)
    await network.register(TWIN, FIRST)
    (binding,) = await network.register(DESK, FIRST)
    network.stranger(FIRST, binding)
    async with telling(network):
        await change(firm, TWIN)
        await outcomes(firm, (TWIN, Outcome.FETCHED))
    assert to(network.told) == [TWIN]


@ON_SQLITE
async def test_what_changes_no_bytes_tells_nobody(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    async with telling(network) as made:
        await office(firm)
        async for _ in made.ask(DESK, Kind.RESYNC, COMMAND_LINE):
            pass
    assert [row.cause for _, row in await rows(firm)] == [Cause.ASKED]


async def test_what_is_staged_tells_nobody_before_it_is_released(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    await network.register(TWIN, FIRST, THIRD)
    async with telling(network) as made:
        await office(firm, "1", "1", staged=True)
        async for _ in made.ask(TWIN, Kind.RESYNC, COMMAND_LINE):
            pass
        assert to(network.told) == [TWIN], "it was asked for, and has told nobody of what is staged"
        await rollouts.release(firm, "firma", rollouts.Reach(mac=DESK), COMMAND_LINE)
        await outcomes(firm, (TWIN, Outcome.FETCHED), (DESK, Outcome.FETCHED))
        await rollouts.release(firm, "firma", rollouts.Reach(), COMMAND_LINE)
        await outcomes(firm, (TWIN, Outcome.FETCHED), (DESK, Outcome.FETCHED), (TWIN, Outcome.FETCHED))
    assert to(network.told) == [DESK, TWIN, TWIN]


@ON_SQLITE
async def test_a_roll_back_is_a_change(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    async with telling(network):
        await office(firm, "1")
        await outcomes(firm, (DESK, Outcome.FETCHED))
        await device_files.roll_back(firm, DESK, 1, COMMAND_LINE)
        await outcomes(firm, (DESK, Outcome.FETCHED), (DESK, Outcome.FETCHED))
    assert len(network.told) == 2


async def test_a_phone_that_is_away_is_told_when_it_registers(firm: Installation):
    network = Network(firm)
    async with telling(network):
        await change(firm, DESK)
        await outcomes(firm, (DESK, None))
        await network.register(DESK, FIRST)
        await outcomes(firm, (DESK, Outcome.FETCHED))
    assert len(network.told) == 1


@ON_SQLITE
async def test_a_phone_that_fetched_at_its_start_is_not_told_when_it_registers(firm: Installation):
    network = Network(firm)
    async with telling(network, Pace()):
        await change(firm, DESK)
        await outcomes(firm, (DESK, None))
        await network.fetch(DESK)
        await network.register(DESK, FIRST)
        await outcomes(firm, (DESK, Outcome.FETCHED))
    assert network.told == []


@ON_SQLITE
async def test_a_phone_whose_connection_is_gone_is_waited_for(firm: Installation):
    network = Network(firm)
    (binding,) = await network.register(DESK, FIRST)
    network.cut.add(binding.remote)
    async with telling(network):
        await change(firm, DESK)
        await outcomes(firm, (DESK, None))
        network.unregister(FIRST, binding)
        await network.register(DESK, FIRST)
        await outcomes(firm, (DESK, Outcome.FETCHED))


async def test_a_phone_that_needs_a_new_password_is_told_where_it_was(firm: Installation):
    """It is registered no more, and would not come by itself before its time."""
    network = Network(firm)
    bindings = await network.register(DESK, FIRST)
    network.parted_from.note(FIRST, bindings)
    for binding in bindings:
        network.location.apply([Change(ChangeKind.REVOKED, FIRST, binding, 0.0)])
    async with telling(network):
        await office(firm, "1")
        (told,) = await network.until_told(1)
        await outcomes(firm, (DESK, Outcome.FETCHED))
    assert (told.mac, told.line) == (DESK, FIRST)


async def test_a_newer_change_takes_the_place_of_a_waiting_one(firm: Installation):
    network = Network(firm)
    async with telling(network):
        await change(firm, DESK)
        await outcomes(firm, (DESK, None))
        await change(firm, DESK)
        await outcomes(firm, (DESK, Outcome.SUPERSEDED), (DESK, None))
        await network.register(DESK, FIRST)
        await outcomes(firm, (DESK, Outcome.SUPERSEDED), (DESK, Outcome.FETCHED))
    assert len(network.told) == 1


@ON_SQLITE
@pytest.mark.parametrize(
    ("status", "times", "outcome"), [(481, 1, "refused"), (405, 1, "refused"), (None, 4, "timeout")]
)
async def test_a_phone_that_does_not_hear_is_given_up(
    firm: Installation, status: int | None, times: int, outcome: str
):
    network = Network(firm)
    network.status[DESK] = status
    await network.register(DESK, FIRST)
    async with telling(network, QUICK):
        await change(firm, DESK)
        await outcomes(firm, (DESK, outcome))
    assert len(network.told) == times
    ((_, row),) = await rows(firm)
    assert row.answered_status == status


@ON_SQLITE
async def test_a_phone_that_says_yes_and_never_fetches_is_given_up(firm: Installation):
    network = Network(firm)
    network.fetches = False
    await network.register(DESK, FIRST)
    async with telling(network, QUICK):
        await change(firm, DESK)
        await outcomes(firm, (DESK, Outcome.TIMEOUT))
    assert len(network.told) == 4


@ON_SQLITE
async def test_one_phone_that_can_not_be_told_holds_up_no_other(firm: Installation):
    network = Network(firm)
    network.broken.add(DESK)
    await network.register(DESK, FIRST)
    await network.register(TWIN, THIRD)
    async with telling(network, QUICK):
        await change(firm, DESK, TWIN)
        await outcomes(firm, (DESK, Outcome.TIMEOUT), (TWIN, Outcome.FETCHED))


async def test_firmware_that_would_start_anew_waits_for_quiet_hours(
    firm: Installation, monkeypatch: pytest.MonkeyPatch
):
    # Whenever this runs.
    monkeypatch.setattr(resync, "utc_now", lambda: NOON)
    network = Network(firm)
    await network.register(HALL, SECOND)
    await network.register(DESK, FIRST)
    async with telling(network) as made:
        await change(firm, DESK, HALL)
        await outcomes(firm, (DESK, Outcome.FETCHED), (HALL, None))
        # A person may decide otherwise, and is told what it means.
        said = [each async for each in made.ask(HALL, Kind.RESYNC, COMMAND_LINE)]
    assert said[0].may_reboot
    assert to(network.told) == [DESK, HALL]


async def test_no_change_is_forgotten_by_a_server_that_is_not_there(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    await network.register(TWIN, FIRST)
    async with telling(network):
        pass
    await change(firm, DESK)
    await change(firm, TWIN)
    async with telling(network):
        await outcomes(firm, (DESK, Outcome.FETCHED), (TWIN, Outcome.FETCHED))
    assert to(network.told) == [DESK, TWIN]


async def test_who_waited_when_the_server_ended_is_told_by_the_next_one(firm: Installation):
    first, second = Network(firm), Network(firm)
    await first.register(TWIN, THIRD)
    async with telling(first):
        await change(firm, DESK, TWIN)
        await outcomes(firm, (DESK, None), (TWIN, Outcome.FETCHED))
    await second.register(DESK, FIRST)
    await second.register(TWIN, THIRD)
    async with telling(second):
        await outcomes(firm, (DESK, Outcome.FETCHED), (TWIN, Outcome.FETCHED))
    assert to(second.told) == [DESK], "the other has what it should have"


async def test_who_was_told_when_the_server_ended_is_followed_by_the_next_one(firm: Installation):
    first, second = Network(firm), Network(firm)
    first.fetches = False
    await first.register(DESK, FIRST)
    async with telling(first):
        await change(firm, DESK)
        await first.until_told(1)
        async with waking(firm.database) as waker:
            while (await rows(firm))[0][1].sent_at is None:
                await waker.wait(0.2)
    await second.register(DESK, FIRST)
    async with telling(second):
        await second.fetch(DESK)
        await outcomes(firm, (DESK, Outcome.FETCHED))
    assert second.told == []


async def test_who_follows_for_the_first_time_tells_nobody_of_what_was_before(installation: Installation):
    await office(installation)
    network = Network(installation)
    await network.fetch(DESK)
    await network.register(DESK, FIRST)
    assert await resyncs.follow(installation) == ([], False)
    await change(installation, DESK)
    jobs, _ = await resyncs.follow(installation)
    assert len(jobs) == 1


async def test_a_phone_that_has_never_come_is_not_waited_for(installation: Installation):
    await resyncs.follow(installation)
    await office(installation)
    assert await resyncs.follow(installation) == ([], False)


async def test_two_servers_that_follow_note_each_phone_once(firm: Installation):
    await change(firm, DESK, TWIN)
    found = await asyncio.gather(*(resyncs.follow(firm) for _ in range(4)))
    assert sum(len(jobs) for jobs, _ in found) == 2
    assert sorted(mac for mac, _ in await rows(firm)) == [DESK, TWIN]


async def test_many_changes_are_taken_up_page_by_page(firm: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resyncs, "PAGE", 1)
    network = Network(firm)
    await network.register(DESK, FIRST)
    await network.register(TWIN, FIRST)
    await change(firm, DESK, TWIN)
    async with telling(network):
        await network.until_told(2)
    assert to(network.told) == [DESK, TWIN]


async def test_a_person_is_told_how_it_goes_until_the_phone_has_fetched(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    async with telling(network) as made:
        said = [each.plain() async for each in made.ask(DESK, Kind.REBOOT, COMMAND_LINE)]
    contact = said[1].pop("contact")
    assert said == [
        {"step": "asked", "may_reboot": True},
        {"step": "told", "attempt": 1},
        {"step": "answered", "status": 200},
        {"step": "done", "outcome": "fetched", "revision": 1},
    ]
    assert contact.startswith(f"sip:{FIRST}@")
    (told,) = network.told
    assert str(told.request.event) == "check-sync;reboot=true"
    async with firm.database.read() as session:
        audits = (await session.scalars(select(AuditRow).where(AuditRow.verb == "devices.reboot"))).all()
    assert [(each.subject, each.actor) for each in audits] == [(str(DESK), COMMAND_LINE.name)]


@ON_SQLITE
async def test_a_person_hears_that_the_phone_is_not_there(firm: Installation):
    network = Network(firm)
    async with telling(network) as made:
        said = made.ask(DESK, Kind.RESYNC, COMMAND_LINE)
        assert (await anext(said)).plain() == {"step": "asked", "may_reboot": False}
        assert (await anext(said)).plain() == {"step": "waits", "why": "not-registered"}
        await network.register(DESK, FIRST)
        assert [each.step async for each in said] == ["told", "answered", "done"]


async def test_while_a_start_writes_files_those_are_told_whom_a_person_names_and_then_the_others(
    firm: Installation,
):
    network, written = Network(firm), asyncio.Event()
    await network.register(DESK, FIRST)
    await network.register(TWIN, FIRST, THIRD)
    await change(firm, DESK)
    async with telling(network, written=written) as made:
        async for _ in made.ask(TWIN, Kind.RESYNC, COMMAND_LINE):
            pass
        # What its fetching came to was looked up, and the change was there to be seen.
        assert to(network.told) == [TWIN]
        written.set()
        await outcomes(firm, (TWIN, Outcome.FETCHED), (DESK, Outcome.FETCHED))
    assert to(network.told) == sorted([TWIN, DESK])


@ON_SQLITE
async def test_a_phone_that_is_not_listed_can_not_be_told(firm: Installation):
    made = Resyncs(firm, Network(firm))
    with pytest.raises(NotFound, match="devices import"):
        await anext(made.ask(MacAddress("001565ffffff"), Kind.RESYNC, COMMAND_LINE))


async def test_what_a_phone_was_told_is_shown_with_it(firm: Installation):
    network = Network(firm)
    await network.register(DESK, FIRST)
    async with telling(network) as made:
        async for _ in made.ask(DESK, Kind.REBOOT, COMMAND_LINE):
            pass
        network.unregister(FIRST, network.location.bindings(FIRST, 0.0)[0])
        await change(firm, DESK)
        await outcomes(firm, (DESK, Outcome.FETCHED), (DESK, None))
    first, second = (await devices.show_device(firm, DESK)).resyncs
    assert (first.cause, first.revision, first.sent_at, first.outcome) == (Cause.CHANGE, 2, None, None)
    assert (second.kind, second.revision, second.outcome) == (Kind.REBOOT, 1, Outcome.FETCHED)
    assert second.answered_status == 200


@ON_SQLITE
async def test_what_became_of_a_job_is_kept_until_the_database_takes_it(firm: Installation, firm_url: str):
    job, _ = await resyncs.ask(firm, DESK, Kind.RESYNC, COMMAND_LINE)
    told, done = utc_now(), utc_now()
    busy = await Database.open(firm_url, busy_s=0.01)
    marks = Marks(busy)
    marks.note(Mark(job.id, sent_at=told))
    async with firm.database.change():
        with pytest.raises(DatabaseUnavailable):
            await marks.store()
    marks.note(Mark(job.id, done_at=done, outcome="fetched"))
    await marks.store()
    await busy.close()
    ((_, row),) = await rows(firm)
    assert (row.sent_at, row.done_at, row.outcome) == (told, done, "fetched")


async def test_of_each_phone_fifty_are_kept(firm: Installation):
    for _ in range(53):
        await resyncs.ask(firm, DESK, Kind.RESYNC, COMMAND_LINE)
    found = await rows(firm)
    assert len(found) == 50
    assert [row.outcome for _, row in found] == [Outcome.SUPERSEDED] * 49 + [None]
