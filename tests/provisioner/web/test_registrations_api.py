"""`/api/v1/registrations`, and what happens to registrations in `/api/v1/events`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.events import LineKind
from provisioner.operations.installation import Installation
from provisioner.operations.registered import State
from tests.provisioner.bindings import AGENT, HOUR, SOURCE, bind, contact_of, happened, now
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import T23G, T46S
from tests.provisioner.web.pages import pages
from tests.provisioner.web.streams import following, get, token_for
from tests.provisioner.web.test_api import PAGE
from tests.provisioner.web.test_event_stream import LOGIN, OTHER, OTHERS, keep

LINE, SECOND = "48223809880", "48223809887"
DEVICE = MacAddress(T46S)


@pytest.fixture
async def running(sample: Installation) -> AsyncIterator[Running]:
    """Pages and API."""
    async with pages(sample) as server:
        yield server


async def listed(server: Running, token: str, query: str = "") -> dict[str, Any]:
    async with get(server, f"/registrations{query}", token) as response:
        assert response.status == 200, await response.text()
        said: dict[str, Any] = await response.json()
        return said


async def test_what_is_registered_is_listed_and_the_rest_where_it_is_asked_for(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    await bind(sample, LINE, DEVICE, reachable=True, heard_at=now(), rtt_ms=7)
    said = await listed(running, token)
    assert said["next"] is None
    [row] = said["registrations"]
    assert (row["line"], row["state"], row["rtt_ms"]) == (LINE, "reachable", 7)
    assert (row["customer"], row["contact"]) == (LOGIN, contact_of(LINE))
    assert row["device"]["mac"] == str(DEVICE)
    assert row["rungs"] == ["listed", "registered", "reachable"]
    assert row["since"].endswith("Z")
    everything = (await listed(running, token, "?state=all&limit=500"))["registrations"]
    assert {each["state"] for each in everything} == {"reachable", "never"}
    of_phone = (await listed(running, token, f"?mac={T46S}"))["registrations"]
    assert [each["line"] for each in of_phone] == [LINE]
    assert (await listed(running, token, "?state=expired,unregistered"))["registrations"] == []


async def test_pages_are_followed_by_their_cursors(sample: Installation, running: Running):
    token = await token_for(sample)
    lines, query = [], "?state=all&limit=2"
    while True:
        said = await listed(running, token, query)
        lines += [row["line"] for row in said["registrations"]]
        if said["next"] is None:
            break
        query = f"?state=all&limit=2&cursor={said['next']}"
    assert lines == sorted(lines)
    assert {LINE, SECOND} < set(lines)


async def test_a_customers_program_sees_its_own_and_what_is_anothers_is_not_there(
    sample: Installation, running: Running
):
    await apply_text(sample, OTHERS)
    await bind(sample, "48223333333", MacAddress(OTHER))
    await bind(sample, LINE, DEVICE)
    theirs = await token_for(sample, LOGIN)
    said = await listed(running, theirs, "?state=all&text=482")
    assert {row["customer"] for row in said["registrations"]} == {LOGIN}
    refusals = []
    for query in ("customer=inny", "customer=nobody", "line=48223333333", "line=1", f"mac={OTHER}"):
        async with get(running, f"/registrations?{query}", theirs) as response:
            refusals.append((response.status, (await response.json())["code"]))
    assert refusals == [(404, "not-found")] * 5
    assert len((await listed(running, await token_for(sample), "?line=48223333333"))["registrations"]) == 1


async def test_what_can_not_be_understood_or_comes_without_a_token_is_refused(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    wrong = ("state=x", "limit=0", "limit=501", "limit=x", "limit=", "cursor=x", "mac=x", "nothing=1")
    wrong += ("line=%00", "text=%00")
    for query in wrong:
        async with get(running, f"/registrations?{query}", token) as response:
            assert (response.status, response.content_type) == (422, "application/problem+json")
            assert (await response.json())["code"] == "bad-value"
    async with get(running, "/registrations") as response:
        assert response.status == 401


async def test_what_happens_to_bindings_is_seen_as_it_happens(sample: Installation, running: Running):
    async with following(running, await token_for(sample, LOGIN), "?kind=line") as stream:
        await happened(sample, "registered", LINE, DEVICE)
        await happened(sample, "flapping", LINE, times=7, within_s=600)
        first, second = await stream.take(2)
    assert (first.event, first.id) == ("line.registered", "0-0-1-0-0")
    assert (first.data["mac"], first.data["customer"], first.data["source"]) == (str(DEVICE), LOGIN, SOURCE)
    assert first.data["details"] == {
        "line": LINE,
        "contact": contact_of(LINE),
        "transport": "udp",
        "user_agent": AGENT,
    }
    assert (second.data["kind"], second.data["mac"], second.id) == ("line.flapping", None, "0-0-2-0-0")
    assert second.data["details"]["times"] == 7


async def test_one_phones_events_and_one_customers_are_chosen(sample: Installation, running: Running):
    await apply_text(sample, OTHERS)
    await happened(sample, "registered", "48223333333", MacAddress(OTHER))
    await happened(sample, "registered", LINE)
    await happened(sample, "moved", LINE, DEVICE)
    for token, query, kinds in (
        (await token_for(sample, "inny"), "?after=0-0-0-0", ["line.registered"]),
        (await token_for(sample), f"?after=0-0-0-0&mac={T46S}&kind=line", ["line.moved"]),
    ):
        async with following(running, token, query) as stream:
            assert [frame.event for frame in await stream.take(1)] == kinds


async def test_an_id_from_before_there_were_registrations_goes_on_with_all_of_them(
    sample: Installation, running: Running
):
    await happened(sample, "registered", LINE, DEVICE, at=now() - HOUR)
    await keep(sample, T23G, 2)
    async with following(running, await token_for(sample), "?kind=line,phone", last="1-0") as stream:
        seen = await stream.take(2)
    # The second report, and all that is remembered of lines.
    assert [(frame.event, frame.id) for frame in seen] == [
        ("phone.hold", "2-0-0-0-0"),
        ("line.registered", "2-0-1-0-0"),
    ]


def test_the_page_names_every_state_and_kind():
    for word in (*State, *LineKind):
        assert f"| `{word}` |" in PAGE
