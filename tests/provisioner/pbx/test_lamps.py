"""Phones watch what lines and groups of their company are doing (RFC 4235)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from provisioner.centrex.customer import Extension, HuntGroup, Line
from provisioner.centrex.exchange import Exchange
from provisioner.pbx import subscriptions
from provisioner.pbx.lamps import Lamps
from provisioner.pbx.subscriptions import Subscriptions
from sip.call.ringing import Why
from sip.dialog import DialogId
from sip.location import Location
from sip.message.message import Request
from tests.provisioner.pbx.dialog_info import NAMESPACE, checked, shown
from tests.provisioner.pbx.story import ANNA, EXTENSIONS, MEETING, RECEPTION, SALES, Story
from tests.provisioner.pbx.test_subscriptions import LINE, Switchboards, Wire, notifying, subscribe

OURS = Exchange(
    1,
    "nowy",
    lines={number: Line(number, "telefonia-ip-plus") for number in EXTENSIONS},
    extensions={number: Extension(number, line) for line, number in EXTENSIONS.items()}
    | {"106": Extension("106")},
    groups={"600": HuntGroup("600", "Sprzedaż"), "601": HuntGroup("601")},
    extension_of=EXTENSIONS,
)
STRANGER = "48229999999"
THEIRS = Exchange(
    2,
    "inny",
    lines={STRANGER: Line(STRANGER, "telefonia-ip-plus")},
    extensions={"102": Extension("102", STRANGER)},
    groups={"600": HuntGroup("600")},
    extension_of={STRANGER: "102"},
)


@dataclass
class Office:
    """Phones that watch, and calls that they see."""

    flow: Wire
    subscriptions: Subscriptions
    known: Switchboards

    def call(self) -> Story:
        return Story(self.subscriptions.lamps.hear)

    async def watch(self, number: str, *, by: str = LINE, call_id: str = "w1") -> Request:
        """Subscribes, and gives the first NOTIFY."""
        subscribe(self.flow, "dialog", number, by=by, call_id=call_id)
        answer = await self.flow.answer()
        assert answer.status == 200
        return await self.flow.notify()

    async def refused(self, number: str, *, by: str = LINE) -> int:
        subscribe(self.flow, "dialog", number, by=by, call_id=f"r{number}")
        return (await self.flow.answer()).status

    async def next(self) -> list[tuple[str, str]]:
        return shown((await self.flow.notify()).body)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    known = Switchboards({**dict.fromkeys(OURS.lines, OURS), STRANGER: THEIRS})
    async with notifying(Location(), known) as (flow, subscriptions):
        yield Office(flow, subscriptions, known)


async def test_a_lamp_follows_a_line_through_a_call_that_it_gets(office: Office):
    first = await office.watch("102")
    assert shown(first.body) == []
    assert checked(first.body).get("entity") == "sip:102@pbx.example.com"
    call = office.call().begins(RECEPTION, "102").tries(ANNA)
    call.rings(ANNA)
    ringing = await office.flow.notify()
    assert shown(ringing.body) == [("early", "recipient")]
    remote = checked(ringing.body).find(f".//{{{NAMESPACE}}}remote/{{{NAMESPACE}}}identity")
    assert remote is not None
    assert (remote.text, remote.get("display")) == ("sip:101@pbx.example.com", "Recepcja")
    call.answers(ANNA)
    assert await office.next() == [("confirmed", "recipient")]
    call.ends()
    assert await office.next() == [("terminated", "recipient")]
    office.call().begins(ANNA, "101")
    assert await office.next() == [("proceeding", "initiator")], "what is over is told once"


async def test_what_happens_before_a_phone_has_answered_is_told_when_it_may_be(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "_IDLE_S", 3600.0)
    await office.watch("102")
    office.flow.status = 0
    call = office.call().begins(RECEPTION, "102").rings(ANNA)
    ringing = await office.flow.notify()
    call.answers(ANNA)
    for _ in range(5):
        await asyncio.sleep(0)
    office.flow.status = 200
    office.flow.server.received(ringing.response(200), office.flow)
    assert await office.next() == [("confirmed", "recipient")]


async def test_a_group_is_lit_while_it_rings_and_by_whoever_answered_for_it(office: Office):
    await office.watch("600")
    call = office.call().begins(RECEPTION, "600").rings(SALES, "600")
    assert await office.next() == [("early", "recipient")]
    # From one member to the next it goes on ringing, of which nobody need be told.
    call.stops(SALES).tries(ANNA, "600", "601")
    await asyncio.sleep(0)
    call.answers(ANNA)
    assert await office.next() == [("confirmed", "recipient")]
    call.ends()
    assert await office.next() == [("terminated", "recipient")]


async def test_who_loses_is_dark_and_who_answers_is_lit(office: Office):
    await office.watch("103", call_id="w3")
    call = office.call().begins(RECEPTION, "600").rings(SALES, "600").rings(ANNA, "600")
    assert await office.next() == [("early", "recipient")]
    call.answers(ANNA).stops(SALES, Why.ELSEWHERE)
    assert await office.next() == [("terminated", "recipient")]


def dialog_of(body: bytes) -> tuple[str | None, ...]:
    """What a phone names a dialog by that it wants to pick up."""
    (found,) = checked(body).iterfind(f"{{{NAMESPACE}}}dialog")
    return tuple(found.get(name) for name in ("call-id", "local-tag", "remote-tag"))


async def test_a_lamp_says_by_what_a_ringing_call_can_be_picked_up(office: Office):
    await office.watch("102")
    call = office.call().begins(RECEPTION, "102").rings(ANNA, dialog=DialogId("call", "ours", "phone"))
    assert dialog_of((await office.flow.notify()).body) == ("call", "phone", "ours")
    call.answers(ANNA)
    assert dialog_of((await office.flow.notify()).body) == (None, None, None)


async def test_a_groups_lamp_says_by_what_the_call_of_one_who_rings_can_be_picked_up(office: Office):
    await office.watch("600")
    call = office.call().begins(RECEPTION, "600").tries(MEETING, "600")
    assert dialog_of((await office.flow.notify()).body) == (None, None, None)
    call.rings(SALES, "600", dialog=DialogId("call", "ours", "phone"))
    assert dialog_of((await office.flow.notify()).body) == ("call", "phone", "ours")


async def test_nobody_sees_anything_of_another_company(office: Office):
    # The same numbers, other people.
    theirs = await office.watch("600", by=STRANGER)
    assert shown(theirs.body) == []
    await office.watch("102", call_id="w2")
    office.call().begins(RECEPTION, "600").rings(ANNA, "600")
    assert await office.next() == [("early", "recipient")]
    assert office.flow.came.empty()
    refusals = [await office.refused(number) for number in (STRANGER, "48221111111", "999", "%31%30x")]
    assert refusals == [404] * 4
    assert await office.refused(ANNA, by=STRANGER) == 404
    office.known.of.pop(LINE)
    assert await office.refused("102") == 404, "the line has gone since it has proved itself"


async def test_a_hidden_caller_is_hidden_on_lamps(office: Office):
    await office.watch("102")
    hear = office.subscriptions.lamps.hear

    def hidden(event: object) -> None:
        target = getattr(event, "target", None)
        if target is not None:
            caller = target.caller._replace(is_hidden=True)
            event = replace(event, target=replace(target, caller=caller))  # type: ignore[type-var]
        hear(event)  # type: ignore[arg-type]

    Story(hidden).begins(RECEPTION, "102").rings(ANNA)
    notify = await office.flow.notify()
    assert shown(notify.body) == [("early", "recipient")]
    assert b"<remote>" not in notify.body


async def test_a_lamp_moves_with_its_extension_and_ends_with_it(office: Office):
    await office.watch("102")
    moved = replace(OURS, extensions={**OURS.extensions, "102": Extension("102", MEETING)})
    office.known.of[LINE] = moved
    office.known.hear(["customer:1"])
    office.call().begins(RECEPTION, "104").rings(MEETING)
    while await office.next() != [("early", "recipient")]:
        pass
    office.known.of[LINE] = replace(OURS, extensions={})
    office.known.hear(["all"])
    while True:
        notify = await office.flow.notify()
        if notify.headers.get("Subscription-State") == "terminated;reason=noresource":
            break


async def test_a_number_is_one_lamp_whatever_port_it_is_asked_for_at(office: Office):
    for port, entity in ((":5060", "sip:102@pbx.example.com:5060"), (":7", "sip:102@pbx.example.com")):
        subscribe(office.flow, "dialog", "102", call_id=f"port{port}", port=port)
        assert (await office.flow.answer()).status == 200
        assert checked((await office.flow.notify()).body).get("entity") == entity


async def test_an_extension_without_a_line_is_there_and_dark(office: Office):
    assert shown((await office.watch("106")).body) == []


async def test_a_key_is_lit_within_a_tenth_of_a_second_with_fifty_that_watch(office: Office):
    for number in range(50):
        await office.watch("102", call_id=f"key{number}")
    loop = asyncio.get_running_loop()
    began = loop.time()
    office.call().begins(RECEPTION, "102").rings(ANNA)
    for _ in range(50):
        assert await office.next() == [("early", "recipient")]
    took_s = loop.time() - began
    # Far more than it takes, for machines that do something else as well.
    assert took_s < 5, took_s


def test_lamps_hold_nothing_of_calls_that_are_over_and_not_of_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("provisioner.pbx.lamps._MOST", 3)
    changed: list[object] = []
    lamps = Lamps(changed.append)
    calls = [Story(lamps.hear).begins(RECEPTION, "600").rings(ANNA, "600", "601") for _ in range(4)]
    assert len(lamps) == 3
    for call in calls:
        call.answers(ANNA).ends()
    assert len(lamps) == 0
    assert lamps._places == {}
    assert lamps._legs == {}
