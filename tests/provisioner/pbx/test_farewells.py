"""A server that comes after a crash ends the subscriptions of the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from db.errors import DatabaseUnavailable
from provisioner.operations.installation import Installation
from provisioner.pbx import farewells
from provisioner.pbx.farewells import Farewells
from sip.dialog import Dialog
from sip.message.message import Request, Response
from sip.message.values import Event
from sip.packages.message_summary import Mailbox, MessageSummaryPackage
from sip.subscription import Subscription
from sip.transport.flow import Address, Transport
from tests.provisioner.pbx.test_subscriptions import Wire
from tests.sip.message.messages import request, wire

HERE = Address("192.0.2.1", 5060)


class Network:
    """Keeps what would be sent, and where to."""

    def __init__(self) -> None:
        self.sent: list[tuple[Address, Request]] = []

    def flow_to(self, transport: Transport, remote: Address, local: Address | None) -> Any:
        assert (transport, local) == (Transport.UDP, HERE)
        return remote

    async def ask(self, notify: Request, flow: Any) -> Response | None:
        self.sent.append((flow, notify))
        return None


def subscribed(call_id: str, port: int, transport: Transport = Transport.UDP) -> Subscription:
    subscribe = request(wire(f"""
SUBSCRIBE sip:102@pbx.example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.20:{port};branch=z9hG4bK1
From: <sip:101@pbx.example.com>;tag=theirs
To: <sip:102@pbx.example.com>
Call-ID: {call_id}
CSeq: 7 SUBSCRIBE
Contact: <sip:101@192.0.2.20:{port}>
Event: message-summary
Content-Length: 0
"""))
    dialog = Dialog.as_server(subscribe, subscribe.response(200, to_tag=f"ours-{call_id}"))
    flow: Any = Wire(server=None, transport=transport, remote=Address("192.0.2.20", port))  # type: ignore[arg-type]
    package, event = MessageSummaryPackage(), Event("message-summary")
    return Subscription(dialog, flow, package, event, "101", Mailbox("sip:101@pbx"), "101", is_pending=False)


def made(installation: Installation) -> tuple[Farewells, Network]:
    network: Any = Network()
    return Farewells(installation.database, network, network), network


@asynccontextmanager
async def begun(installation: Installation) -> AsyncIterator[Network]:
    """The network of a server that begins."""
    last, network = made(installation)
    running = asyncio.create_task(last.run())
    yield network
    running.cancel()
    await asyncio.wait([running])


async def comes_to(network: Network, count: int) -> None:
    async with asyncio.timeout(30):
        while len(network.sent) < count:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


async def test_what_a_killed_server_has_left_is_ended_once(installation: Installation):
    first, _ = made(installation)
    stays, moves, goes = subscribed("stays", 5001), subscribed("moves", 5002), subscribed("goes", 5003)
    for each in (stays, moves, goes, subscribed("connected", 5004, Transport.TCP)):
        first.note(each)
    await first.write()
    moves.flow = subscribed("moved", 6002).flow
    goes.end("timeout")
    first.note(moves)
    first.note(goes)
    await first.write()
    async with begun(installation) as network:
        await comes_to(network, 2)
        network.sent.sort(key=lambda sent: sent[0].port)
        found = [(flow.port, notify.call_id) for flow, notify in network.sent]
        assert found == [(5001, "stays"), (6002, "moves")]
        _, notify = network.sent[0]
        assert str(notify.subscription_state) == "terminated;reason=deactivated"
        assert (notify.from_.tag, notify.to.tag) == ("ours-stays", "theirs")
        # Behind whatever it was told before.
        assert notify.cseq.number == 2**31 - 1
        assert str(notify.uri) == "sip:101@192.0.2.20:5001"
        assert not notify.body
        assert "Via" not in notify.headers
    first, _ = made(installation)
    first.note(subscribed("new", 5005))
    await first.write()
    async with begun(installation) as network:
        await comes_to(network, 1)
        # Those before it are not told once more.
        assert [notify.call_id for _, notify in network.sent] == ["new"]


async def test_what_can_not_be_written_now_is_written_later(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    async def away(*_: object) -> None:
        raise DatabaseUnavailable("away")

    first, _ = made(installation)
    first.note(subscribed("late", 5001))
    with monkeypatch.context() as patched:
        patched.setattr(farewells.queries, "keep", away)
        await first.write()
    await first.write()
    async with begun(installation) as network:
        await comes_to(network, 1)
