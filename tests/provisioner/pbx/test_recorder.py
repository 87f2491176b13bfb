"""Every call is written down, once, whatever happens to the database meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from db.errors import DatabaseUnavailable
from db.queries import call_records as queries
from db.schema import (
    CallEventRow,
    CallLegRow,
    CallRecordRow,
    ExtensionRow,
    HuntGroupRow,
    HuntGroupUsageRow,
    LineRow,
)
from db.writing import Work, Writer
from provisioner.operations.calls import Call, Wanted, list_calls, show_call
from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from sip.call.ringing import Outcome
from sip.call.story import CallBegan, EndedBy
from tests.provisioner.pbx.registering import eventually
from tests.provisioner.pbx.story import ANNA, MEETING, RECEPTION, SALES, Story

T = TypeVar("T")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """Loop time and the wall clock; calls begin at noon, whenever that is."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wall = NOON

    def loop(self) -> float:
        return self.now

    def utc(self) -> datetime:
        return self.wall


def recorder(installation: Installation, most: int = 100) -> Recorder:
    clock = Clock()
    return Recorder(installation, clock.loop, clock.utc, most=most)


@asynccontextmanager
async def running(recorder: Recorder) -> AsyncIterator[Recorder]:
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_what_no_database_takes_stops_no_other_record(sample: Installation):
    kept = recorder(sample)
    for dialled in ("1\udcff2", "1\x002"):
        story = Story(kept.tell)
        story.id = uuid4()
        kept.tell(CallBegan(story.id, RECEPTION, dialled, "\udcff\x00@phone", 1000.0))
        story.ends(EndedBy.NOBODY, 404)
    Story(kept.tell).begins(RECEPTION, "102").ends(EndedBy.NOBODY, 480)
    await kept.close()
    async with sample.database.read() as session:
        found = await session.execute(select(CallRecordRow.to_number).order_by(CallRecordRow.id))
        assert found.scalars().all() == ["1?2", "1?2", "102"]


async def events(installation: Installation) -> list[tuple[str, int]]:
    async with installation.database.read() as session:
        found = await session.execute(
            select(CallEventRow.kind, CallEventRow.serial).order_by(CallEventRow.id)
        )
        return [(row.kind, row.serial) for row in found]


def hunt(recorder: Recorder) -> Story:
    """A call to a group: one is busy, one does not answer, one is elsewhere, one answers."""
    story = Story(recorder.tell).begins(RECEPTION, "600")
    story.tries(MEETING, "600", phones=0).stops(MEETING, Outcome.UNREACHABLE)
    story.rings(SALES, "600").after(15).stops(SALES)
    story.rings(ANNA, "600", "601").after(4).answers(ANNA).after(61).ends(EndedBy.CALLEE)
    return story


async def test_a_call_is_written_with_all_that_were_tried_and_why_each_did_not_answer(sample: Installation):
    mine = recorder(sample)
    story = hunt(mine)
    await mine.close()
    call = await show_call(sample, story.id)
    assert (call.from_number, call.from_name, call.line) == ("101", "Recepcja", RECEPTION)
    assert (call.to_number, call.direction, call.customer) == ("600", "internal", "nowyklienttestowy")
    assert (call.started_at, call.answered_at, call.ended_at) == (NOON, after(19), after(80))
    assert (call.end, call.status, call.sip_call_id) == ("callee", 200, f"{story.id}@phone")
    assert [(leg.extension, leg.groups, leg.phones, leg.reason) for leg in call.legs] == [
        ("104", ("600",), 0, "unreachable"),
        ("103", ("600",), 1, "no-answer"),
        ("102", ("600", "601"), 1, "answered"),
    ]
    assert [(leg.rang_at, leg.answered_at, leg.ended_at) for leg in call.legs] == [
        (None, None, NOON),
        (NOON, None, after(15)),
        (after(15), after(19), after(80)),
    ]
    assert await events(sample) == [
        *(("began", 1), ("skipped", 2), ("ringing", 3), ("stopped", 4)),
        *(("ringing", 5), ("answered", 6), ("ended", 7)),
    ]


async def test_a_record_is_there_from_the_beginning_and_grows(sample: Installation):
    mine = recorder(sample)
    async with running(mine):
        story = Story(mine.tell).begins(RECEPTION, "103")

        async def says(told: Callable[[Call], bool]) -> bool:
            calls = (await list_calls(sample, Wanted())).calls
            return bool(calls) and told(calls[0])

        await eventually(lambda: says(lambda call: call.is_live and not call.legs))
        story.rings(SALES)
        await eventually(lambda: says(lambda call: [leg.reason for leg in call.legs] == [None]))
        story.after(3).answers(SALES)
        await eventually(lambda: says(lambda call: call.answered_at == after(3) and call.is_live))
        story.after(5).ends()
        await eventually(lambda: says(lambda call: call.end == "caller"))
    assert len((await list_calls(sample, Wanted())).calls) == 1
    assert (mine.counted.live(), mine.counted.unwritten()) == (0, 0)
    assert (mine.counted.ended["caller"], mine.counted.legs["answered"]) == (1, 1)


async def test_a_commit_whose_answer_was_lost_is_written_again_and_is_there_once(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    mine = recorder(sample)
    appended = sample.database.appended
    failures = 2

    async def failing(work: Work[T]) -> T:
        nonlocal failures
        result = await appended(work)
        if failures:
            failures -= 1
            raise DatabaseUnavailable("the answer got lost")
        return result

    monkeypatch.setattr(sample.database, "appended", failing)
    story = hunt(mine)
    for _ in range(3):
        await mine.close()
    assert not failures
    assert (await show_call(sample, story.id)).end == "callee"
    assert [serial for _, serial in await events(sample)] == list(range(1, 8))
    async with sample.database.read() as session:
        for row, count in ((CallRecordRow, 1), (CallLegRow, 3)):
            assert await session.scalar(select(func.count()).select_from(row)) == count


async def test_what_could_not_be_written_waits_and_what_comes_meanwhile_is_not_mixed_up(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    mine = recorder(sample)
    story = Story(mine.tell).begins(RECEPTION, "600").rings(SALES, "600")
    put = queries.put_legs

    async def away(*_: object) -> None:
        # While it is being written, and is not.
        story.after(2).answers(SALES)
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(queries, "put_legs", away)
    await mine.close()
    assert (await list_calls(sample, Wanted())).calls == ()
    assert mine.counted.unwritten() == 1
    monkeypatch.setattr(queries, "put_legs", put)
    await mine.close()
    [call] = (await list_calls(sample, Wanted())).calls
    assert call.answered_at == after(2)
    assert [kind for kind, _ in await events(sample)] == ["began", "ringing", "answered"]


async def test_one_call_that_can_not_be_written_costs_no_other(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    mine = recorder(sample)
    good, bad, gone = (Story(mine.tell) for _ in range(3))
    good.begins().ends()
    bad.begins(dialled="13").ends()
    gone.begins("48229999999").ends()
    put = queries.put_records

    async def refused(writer: Writer, rows: list[queries.RecordRow]) -> None:
        # Whatever a database may have against a row.
        if any(row.to_number == "13" for row in rows):
            raise ValueError("a row that it does not take")
        await put(writer, rows)

    monkeypatch.setattr(queries, "put_records", refused)
    await mine.close()
    assert [call.id for call in (await list_calls(sample, Wanted())).calls] == [str(good.id)]
    assert (mine.counted.lost(), mine.counted.unwritten()) == (2, 0)


async def test_calls_that_were_cut_off_are_closed_with_the_reason_and_the_last_moment_that_is_known(
    sample: Installation,
):
    killed = recorder(sample)
    ended = hunt(killed)
    talking = Story(killed.tell).begins(ANNA, "103").rings(SALES).after(7).answers(SALES)
    ringing = Story(killed.tell).begins(ANNA, "104").after(1).rings(MEETING)
    await killed.close()
    await sample.database.appended(lambda writer: queries.note_seen(writer, after(100)))

    again = Clock()
    again.wall = after(3600)
    restarted = Recorder(sample, again.loop, again.utc)
    await restarted.start()
    for story, answered in ((talking, ["answered"]), (ringing, ["server-restarted"])):
        call = await show_call(sample, story.id)
        assert (call.end, call.ended_at) == ("server-restarted", after(100))
        assert [leg.reason for leg in call.legs] == answered
        assert call.legs[0].ended_at == after(100)
    assert (await show_call(sample, ended.id)).ended_at == after(80)
    before = await events(sample)
    assert before[-2:] == [("ended", 4), ("ended", 3)]
    await restarted.start()
    assert await events(sample) == before, "there is nothing left to close"


async def test_members_of_groups_are_remembered_by_their_last_answer_and_lines_by_their_last_use(
    sample: Installation,
):
    mine = recorder(sample)
    Story(mine.tell).begins(RECEPTION, "603").rings(ANNA, "603").after(5).answers(ANNA).ends()
    # Who was rung for a group without being its member, as one to whom a member's calls are forwarded.
    Story(mine.tell).begins(RECEPTION, "602").rings(ANNA, "602").answers(ANNA).ends()
    Story(mine.tell, now=1100).begins(RECEPTION, "603").rings(ANNA, "603").after(5).answers(ANNA).ends()
    await mine.close()
    async with sample.database.read() as session:
        query = (
            select(HuntGroupRow.number, ExtensionRow.number, HuntGroupUsageRow.last_answered_at)
            .join(HuntGroupRow, HuntGroupRow.id == HuntGroupUsageRow.group_id)
            .join(ExtensionRow, ExtensionRow.id == HuntGroupUsageRow.extension_id)
        )
        assert [tuple(row) for row in await session.execute(query)] == [("603", "102", after(105))]
        used = select(LineRow.number, LineRow.last_used_at).where(LineRow.last_used_at.is_not(None))
        assert dict(map(tuple, await session.execute(used))) == {RECEPTION: after(100), ANNA: after(105)}


async def test_the_oldest_events_of_a_customer_go_and_records_stay(sample: Installation):
    memory = sample.settings.memory.model_copy(update={"call_events_per_customer": 10})
    settings = sample.settings.model_copy(update={"memory": memory})
    mine = recorder(replace(sample, settings=settings))
    for _ in range(3):
        for _ in range(40):
            Story(mine.tell).begins().ends(EndedBy.NOBODY, 480)
        await mine.close()
    assert len(await events(sample)) == 10
    async with sample.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(CallRecordRow)) == 120


async def test_there_is_room_for_so_many_calls_and_so_many_legs(sample: Installation):
    mine = recorder(sample, most=2)
    first = Story(mine.tell).begins()
    Story(mine.tell).begins()
    Story(mine.tell).begins().rings(SALES).ends()
    for _ in range(600):
        first.tries(SALES, phones=0).stops(SALES, Outcome.UNREACHABLE)
    first.rings(ANNA).answers(ANNA).ends()
    await mine.close()
    assert (mine.counted.live(), mine.counted.lost()) == (1, 1)
    call = await show_call(sample, first.id)
    assert (len(call.legs), call.end) == (500, "caller")
    assert call.answered_at is not None
