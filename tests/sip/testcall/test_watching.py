"""A test phone's lamps show what a number does, as it is told."""

from __future__ import annotations

import pytest

from sip.testcall import wording
from sip.testcall.observed import Broke, Light, Lit, Watches
from tests.sip.testcall.peer import HOST, Peer, peer

DIALOGS = '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="full"\r\n' + (
    'entity="sip:{number}@firma">\r\n{dialogs}\r\n</dialog-info>'
)


def document(*states: str, number: str = "102", version: int = 1) -> str:
    dialogs = "".join(
        f'<dialog id="d{place}"><state>{state}</state></dialog>' for place, state in enumerate(states)
    )
    return DIALOGS.format(version=version, number=number, dialogs=dialogs)


async def watches(end: Peer) -> str:
    """The phone subscribes, and may; returns its SUBSCRIBE."""
    end.phone.sip.watch("102")
    subscribe = await end.hears("SUBSCRIBE")
    end.answers(subscribe, "200 OK", "Expires: 3600")
    await end.sees(Watches)
    return subscribe


async def notified(end: Peer, call_id: str, cseq: int, body: str) -> str:
    """Tells the phone; returns its answer."""
    more = ("Event: dialog", "Subscription-State: active", "Content-Type: application/dialog-info+xml")
    notify = end.request("NOTIFY", cseq, *more, call_id=call_id)
    end.says(notify.replace("Content-Length: 0", f"Content-Length: {len(body)}") + body)
    return await end.hears("SIP/2.0")


async def test_it_subscribes_to_a_number_of_its_server() -> None:
    async with peer() as end:
        subscribe = await watches(end)
        assert subscribe.startswith(f"SUBSCRIBE sip:102@{HOST} SIP/2.0")
        assert wording.values(subscribe, "Event") == ["dialog"]
        assert wording.values(subscribe, "Contact") == [f"<sip:101@{HOST}:{end.phone.sip.myPort}>"]
        (said,) = end.saw(Watches)
        assert isinstance(said, Watches)
        assert (said.number, said.status) == ("102", 200)


async def test_it_shows_what_counts_most_and_tells_it_when_it_is_new() -> None:
    async with peer() as end:
        (call_id,) = wording.values(await watches(end), "Call-ID")
        steps = [(), ("trying",), ("early",), ("early", "early"), ("early", "confirmed"), ("terminated",)]
        for cseq, states in enumerate(steps, start=1):
            assert (await notified(end, call_id, cseq, document(*states))).startswith("SIP/2.0 200")
        shown = [(each.number, each.light) for each in end.saw(Lit) if isinstance(each, Lit)]
        lights = [Light.DARK, Light.RINGS, Light.TALKS, Light.DARK]
        assert shown == [("102", light) for light in lights]


async def test_whose_lamp_it_is_is_what_the_document_says() -> None:
    async with peer() as end:
        (call_id,) = wording.values(await watches(end), "Call-ID")
        await notified(end, call_id, 1, document("early", number="103"))
        (lit,) = end.saw(Lit)
        assert isinstance(lit, Lit)
        assert lit.number == "103"


@pytest.mark.parametrize(("call_id", "body", "status"), [("own", "<no", 400), ("another", document(), 481)])
async def test_what_it_can_not_take_is_refused(call_id: str, body: str, status: int) -> None:
    async with peer() as end:
        (own,) = wording.values(await watches(end), "Call-ID")
        answer = await notified(end, own if call_id == "own" else call_id, 1, body)
        assert answer.startswith(f"SIP/2.0 {status}")
        assert (end.saw(Lit), end.saw(Broke)) == ([], [])


async def test_that_it_may_not_is_told() -> None:
    async with peer() as end:
        end.phone.sip.watch("102")
        end.answers(await end.hears("SUBSCRIBE"), "404 Not Found")
        said = await end.sees(Watches)
        assert isinstance(said, Watches)
        assert said.status == 404
