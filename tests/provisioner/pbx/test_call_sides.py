"""A call between two customers is in the records of both, once, and each sees its own part of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from db.errors import DatabaseUnavailable
from db.queries import call_records as queries
from db.queries.calls import counts
from db.schema import CallEventRow, CustomerRow
from provisioner.operations.calls import Call, Wanted, list_calls
from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from sip.call.ringing import Caller, Outcome, Why
from sip.call.story import EndedBy
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.story import ANNA, RECEPTION, SALES, Story

THEIRS, SECOND = "48223333333", "48223333334"
OTHERS = f"""\
customers:
  - login: inny
    name: Inny
    lines:
      - {{number: "{THEIRS}", product: telefonia-ip-plus}}
      - {{number: "{SECOND}", product: telefonia-ip-plus}}
    extensions: [{{number: "201", line: "{THEIRS}", name: Prezes}}]
"""
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
async def recorder(sample: Installation) -> Recorder:
    await apply_text(sample, OTHERS)
    return Recorder(sample, lambda: 1000.0, lambda: NOON)


async def seen_by(installation: Installation, login: str | None) -> list[Call]:
    """What is listed of a customer; None: of everybody."""
    return list((await list_calls(installation, Wanted(customer=login))).calls)


async def told_to(installation: Installation, login: str) -> list[dict[str, object]]:
    async with installation.database.read() as session:
        found = await session.execute(
            select(CallEventRow.kind, CallEventRow.details)
            .join(CustomerRow, CustomerRow.id == CallEventRow.customer_id)
            .where(CustomerRow.login == login)
            .order_by(CallEventRow.id)
        )
        return [{"kind": row.kind, **json.loads(row.details)} for row in found]


async def test_both_have_a_record_and_everybody_together_one(sample: Installation, recorder: Recorder):
    story = Story(recorder.tell).begins(SALES, f"+{THEIRS}")
    story.rings(THEIRS, caller=Caller(SALES)).after(3).answers(THEIRS)
    await recorder.close()
    [theirs] = await seen_by(sample, "inny")
    assert theirs.is_live
    assert recorder.call_of(UUID(theirs.id)) == story.id
    story.after(60).ends(EndedBy.CALLEE)
    await recorder.close()
    [theirs] = await seen_by(sample, "inny")
    assert (theirs.direction, theirs.from_number, theirs.from_name) == ("incoming", SALES, None)
    assert (theirs.to_number, theirs.line, theirs.sip_call_id) == (f"+{THEIRS}", None, None)
    assert (theirs.end, theirs.status) == ("callee", 200)
    assert [(leg.line, leg.reason) for leg in theirs.legs] == [(THEIRS, "answered")]
    [mine] = await seen_by(sample, "nowyklienttestowy")
    assert (mine.id, mine.from_number, mine.direction) == (str(story.id), "103", "internal")
    assert (mine.answered_at, mine.ended_at) == (theirs.answered_at, theirs.ended_at)
    assert await seen_by(sample, None) == [mine]
    async with sample.database.read() as session:
        assert (await counts(session, NOON)).answered == 1
    told = await told_to(sample, "inny")
    assert [each["kind"] for each in told] == ["began", "ringing", "answered", "ended"]
    assert {(each["call"], each["from"], each["from_line"], each["line"]) for each in told} == {
        (theirs.id, SALES, None, THEIRS)
    }


async def test_who_hides_is_named_nowhere_and_how_he_came_there_is_his_own(
    sample: Installation, recorder: Recorder
):
    story = Story(recorder.tell).begins(SALES, "34")
    story.rings(THEIRS, caller=Caller("", is_hidden=True)).stops(THEIRS, Why.GIVEN_UP).ends()
    await recorder.close()
    [theirs] = await seen_by(sample, "inny")
    assert (theirs.from_number, theirs.to_number, theirs.end) == ("anonymous", THEIRS, "caller")
    said = json.dumps(await told_to(sample, "inny"))
    assert SALES not in said
    assert "34" not in {each["to"] for each in await told_to(sample, "inny")}


async def test_whose_lines_are_out_of_it_has_no_call_that_lives(sample: Installation, recorder: Recorder):
    story = Story(recorder.tell).begins(RECEPTION, THEIRS)
    story.rings(THEIRS, caller=Caller(RECEPTION)).after(5).stops(THEIRS, Outcome.BUSY, 486)
    story.rings(ANNA).answers(ANNA)
    await recorder.close()
    [theirs] = await seen_by(sample, "inny")
    [mine] = await seen_by(sample, "nowyklienttestowy")
    assert (theirs.is_live, theirs.end, theirs.status) == (False, "nobody", 486)
    assert (mine.is_live, len(mine.legs), len(theirs.legs)) == (True, 2, 1)
    told = await told_to(sample, "inny")
    assert [each["kind"] for each in told] == ["began", "ringing", "stopped", "ended"]
    # Another of its lines is tried after all.
    story.rings(SECOND, caller=Caller(RECEPTION))
    await recorder.close()
    [theirs] = await seen_by(sample, "inny")
    assert (theirs.is_live, [leg.line for leg in theirs.legs]) == (True, [THEIRS, SECOND])


async def test_nothing_is_there_twice_whatever_fails(
    sample: Installation, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    prune = queries.prune_events
    fails = True

    async def away(*given: object) -> None:
        await prune(*given)  # type: ignore[arg-type]
        if fails:
            raise DatabaseUnavailable("away")

    monkeypatch.setattr(queries, "prune_events", away)
    story = Story(recorder.tell).begins(SALES, THEIRS).rings(THEIRS, caller=Caller(SALES))
    await recorder.close()
    assert await seen_by(sample, "inny") == []
    fails = False
    story.answers(THEIRS).ends()
    await recorder.close()
    assert len(await seen_by(sample, "inny")) == len(await seen_by(sample, "nowyklienttestowy")) == 1
    told = await told_to(sample, "inny")
    assert [each["kind"] for each in told] == ["began", "ringing", "answered", "ended"]
