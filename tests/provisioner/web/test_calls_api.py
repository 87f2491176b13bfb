"""`/api/v1/calls`, and what happens to calls in `/api/v1/events`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from sqlalchemy import select, update

from db.schema import AuditRow, CustomerFeatureRow, CustomerRow, FeatureRow, LineRow, ProductRow
from provisioner.app import Running
from provisioner.operations.calls import LegEnd
from provisioner.operations.events import CallKind
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.pbx.call_log import ANSWERED
from sip.call.ringing import Outcome, Why
from sip.call.story import EndedBy
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.called import between_standard_lines, hunted, missed, record, rings
from tests.provisioner.pbx.story import ANNA, MEETING, RECEPTION, SALES, Story
from tests.provisioner.web.pages import pages
from tests.provisioner.web.streams import following, get, token_for
from tests.provisioner.web.test_api import PAGE
from tests.provisioner.web.test_event_stream import LOGIN, OTHERS


@pytest.fixture
def switchboard() -> Switchboard:
    return Switchboard()


@pytest.fixture
async def running(sample: Installation, switchboard: Switchboard) -> AsyncIterator[Running]:
    """Pages and API."""
    async with pages(sample, switchboard) as server:
        yield server


async def said(server: Running, path: str, token: str, status: int = 200) -> dict[str, Any]:
    async with get(server, path, token) as response:
        body: dict[str, Any] = await response.json()
        assert response.status == status, body
        return body


async def hang_up(server: Running, call: UUID | str, token: str) -> tuple[int, str]:
    url = f"{server.portal_url}/api/v1/calls/live/{call}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.delete(url, headers=headers) as response:
        text = await response.text()
        return response.status, text


async def test_calls_are_listed_the_newest_first_with_whom_they_rang(sample: Installation, running: Running):
    token = await token_for(sample)
    first, second, third = await record(sample, hunted, missed, rings)
    listed = (await said(running, "/calls", token))["calls"]
    assert [call["id"] for call in listed] == [str(third), str(second), str(first)]
    assert [call["end"] for call in listed] == [None, "nobody", "callee"]
    call = await said(running, f"/calls/{first}", token)
    assert call == listed[2]
    assert (call["from_number"], call["from_name"], call["to_number"]) == ("101", "Recepcja", "600")
    assert [(leg["extension"], leg["groups"], leg["reason"]) for leg in call["legs"]] == [
        ("104", ["600"], "unreachable"),
        ("103", ["600"], "no-answer"),
        ("102", ["600", "601"], "answered"),
    ]
    live = (await said(running, "/calls/live", token))["calls"]
    assert [each["id"] for each in live] == [str(third)]


async def test_they_are_chosen_and_paged(sample: Installation, running: Running):
    token = await token_for(sample)
    first, second, third = map(str, await record(sample, hunted, missed, rings))

    async def found(query: str) -> list[str]:
        return [call["id"] for call in (await said(running, f"/calls?{query}", token))["calls"]]

    began = (await said(running, f"/calls/{second}", token))["started_at"]
    for query, expected in {
        "answered=true": [first],
        "answered=false": [third, second],
        "group=600": [first],
        "group=601": [first],
        "group=60": [],
        f"line={SALES}": [third, first],
        f"line={RECEPTION}&answered=false": [second],
        "text=sprzeda": [third, first],
        "text=%25": [],
        f"since={began}": [third, second],
        f"until={began}": [first],
        f"customer={LOGIN}&limit=1": [third],
    }.items():
        assert await found(query) == expected, query
    seen, query = [], "limit=2"
    while query:
        page = await said(running, f"/calls?{query}", token)
        seen += [call["id"] for call in page["calls"]]
        query = f"limit=2&cursor={page['next']}" if page["next"] else ""
    assert seen == [third, second, first]


async def test_what_can_not_be_understood_is_refused(sample: Installation, running: Running):
    token = await token_for(sample)
    for query in ("answered=maybe", "since=x", "until=2026-03-02", "limit=0", "cursor=x", "x=1", "line=%00"):
        assert (await said(running, f"/calls?{query}", token, 422))["code"] == "bad-value"
    assert (await said(running, "/calls/live?answered=true", token, 422))["code"] == "bad-value"
    for path in ("/calls/x", f"/calls/{uuid4()}", "/calls?customer=nobody"):
        assert (await said(running, path, token, 404))["code"] == "not-found"
    async with get(running, "/calls") as response:
        assert response.status == 401


async def test_a_customer_sees_its_own_calls_of_lines_with_call_logs(sample: Installation, running: Running):
    await apply_text(sample, OTHERS)
    mine, standard = await record(sample, hunted, between_standard_lines)
    theirs, others = await token_for(sample, LOGIN), await token_for(sample, "inny")
    assert [call["id"] for call in (await said(running, "/calls", theirs))["calls"]] == [str(mine)]
    assert (await said(running, f"/calls/{standard}", theirs, 404))["code"] == "not-found"
    assert (await said(running, f"/calls?customer={LOGIN}", theirs))["calls"]
    assert (await said(running, "/calls?customer=inny", theirs, 404))["code"] == "not-found"
    # Nobody else sees anything of them.
    assert (await said(running, "/calls", others))["calls"] == []
    for path in (f"/calls/{mine}", f"/calls?customer={LOGIN}"):
        assert (await said(running, path, others, 404))["code"] == "not-found"
    # All lines are sold as something without call logs.
    async with sample.database.append() as session:
        product = select(ProductRow.id).where(ProductRow.name == "telefonia-ip-standard").scalar_subquery()
        await session.execute(update(LineRow).values(product_id=product))
    for path in ("/calls", "/calls/live", "/events?kind=call"):
        refusal = await said(running, path, theirs, 403)
        assert (refusal["code"], "operator" in refusal["detail"]) == ("forbidden", True)
    assert len((await said(running, "/calls", await token_for(sample)))["calls"]) == 2


async def test_of_another_customer_s_phones_nobody_sees_more_than_what_was_dialled(
    sample: Installation, running: Running
):
    await apply_text(sample, OTHERS)
    theirs = "48223333333"

    def forwarded(story: Story) -> None:
        story.begins(SALES, f"+{theirs}").rings(theirs).stops(theirs)
        story.legs.clear()
        story.rings(theirs, "secret").after(2).answers(theirs).ends()

    def inside(story: Story) -> None:
        story.begins(SALES, "102").rings(theirs, "secret").stops(theirs).ends(EndedBy.NOBODY, 480)

    token, staff = await token_for(sample, LOGIN), await token_for(sample)
    async with following(running, token, "?kind=call") as stream:
        outside, within = await record(sample, forwarded, inside)
        told = [frame.data["details"] for frame in await stream.take(9)]
    assert {each.get("group") for each in told} == {None}
    assert {each["line"] for each in told if "line" in each} == {theirs, None}
    for call, line in ((outside, theirs), (within, None)):
        legs = (await said(running, f"/calls/{call}", token))["legs"]
        assert {(leg["line"], leg["extension"], leg["name"], *leg["groups"]) for leg in legs} == {
            (line, None, None)
        }
        seen = (await said(running, f"/calls/{call}", staff))["legs"]
        assert any("secret" in leg["groups"] for leg in seen)
    for query, found in {"group=secret": [], f"line={theirs}": [], f"text={theirs}": [str(outside)]}.items():
        assert [call["id"] for call in (await said(running, f"/calls?{query}", token))["calls"]] == found


async def test_a_customer_may_have_lost_what_the_product_has(sample: Installation, running: Running):
    token = await token_for(sample, LOGIN)
    await record(sample, hunted)
    async with sample.database.append() as session:
        feature = await session.scalar(select(FeatureRow.id).where(FeatureRow.name == "call_logs"))
        customer = await session.scalar(select(CustomerRow.id).where(CustomerRow.login == LOGIN))
        session.add(CustomerFeatureRow(customer_id=customer, feature_id=feature, value="0"))
    assert (await said(running, "/calls", token, 403))["code"] == "forbidden"


async def test_a_call_is_hung_up_once_by_who_may_see_it(
    sample: Installation, running: Running, switchboard: Switchboard
):
    await apply_text(sample, OTHERS)
    [call, over] = await record(sample, rings, missed)
    token, others = await token_for(sample), await token_for(sample, "inny")
    assert (await hang_up(running, call, token))[0] == 409, "no calls are served here"
    asked: list[UUID] = []
    switchboard.hang_up = lambda each: asked.append(each) is None and len(asked) == 1
    assert (await hang_up(running, call, others))[0] == 404
    assert (await hang_up(running, over, token))[0] == 409
    assert asked == []
    assert (await hang_up(running, call, token))[0] == 204
    assert (await hang_up(running, call, token))[0] == 409
    assert asked == [call, call]
    async with sample.database.read() as session:
        entries = await session.scalars(select(AuditRow).where(AuditRow.verb == "calls.hangup"))
        assert [(row.subject, row.summary) for row in entries] == [(str(call), "from 103 to 102")]


async def test_what_happens_to_calls_is_seen_as_it_happens(sample: Installation, running: Running):
    async with following(running, await token_for(sample, LOGIN), "?kind=call") as stream:
        await record(sample, between_standard_lines)
        [call] = await record(sample, hunted)
        seen = await stream.take(6)
    assert [frame.event for frame in seen] == [
        *("call.skipped", "call.ringing", "call.stopped", "call.ringing", "call.answered", "call.ended")
    ]
    assert seen[0].id == "0-0-0-6-0", "what lines without call logs do is not to be seen"
    assert seen[0].data["details"] == {
        **{"call": str(call), "from": "101", "from_line": RECEPTION, "to": "600", "line": MEETING},
        **{"extension": "104", "name": "Sala konferencyjna", "group": "600"},
        **{"reason": "unreachable", "status": None},
    }
    stopped, ended = seen[2].data, seen[5].data
    assert (stopped["mac"], stopped["source"], stopped["customer"]) == (None, "", LOGIN)
    assert {name: stopped["details"][name] for name in ("extension", "group", "reason", "rang_s")} == {
        **{"extension": "103", "group": "600", "reason": "no-answer", "rang_s": 15.0}
    }
    assert (ended["details"]["talked_s"], ended["details"]["line"]) == (61.0, ANNA)


def test_every_reason_has_its_word_and_is_on_the_page():
    assert {*Outcome, *Why, ANSWERED} == set(LegEnd)
    for word in (*EndedBy, *LegEnd, *CallKind):
        assert f"| `{word}` |" in PAGE


async def test_why_a_call_did_not_ring_is_said_in_words_and_for_programs(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    (call,) = await record(sample, hunted)
    found = await said(running, f"/calls/{call}/why?at=104&language=pl", token)
    assert (found["reason"], found["known"]) == ("not-registered", "record")
    assert found["text"].startswith("Żaden telefon numeru 104 Sala konferencyjna nie był wtedy")
    assert found["advice"]
    english = await said(running, f"/calls/{call}/why?at=103", token)
    assert (english["reason"], english["seconds"], english["of"]) == ("rang", 15, "600")
    assert english["text"].startswith("It did ring: at ")
    for query, status in (("", 422), ("?at=999", 404), ("?at=101&language=de", 422), ("?at=101&more=1", 422)):
        await said(running, f"/calls/{call}/why{query}", token, status)
    await said(running, f"/calls/{uuid4()}/why?at=101", token, 404)
    await apply_text(sample, OTHERS)
    await said(running, f"/calls/{call}/why?at=104", await token_for(sample, LOGIN))
    await said(running, f"/calls/{call}/why?at=104", await token_for(sample, "inny"), 404)
