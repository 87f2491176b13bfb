"""The driver over real sockets: who serves what, what is wrong with a request, and whom answers reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvloop

from sip.message.headers import Headers
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Transport
from sip.transport.sockets import bind
from sip.transport.transport import SipTransport, listening
from tests.sip.message.messages import response, wire
from tests.sip.transport.peers import LOOPBACK, PATIENCE_S, Peer, Remembers, peer

HEAD = """
{method} {uri} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK{number};rport
From: <sip:101@pbx.example.com>;tag=1
To: <sip:102@pbx.example.com>
Call-ID: {number}@phone
CSeq: {number} {method}
Max-Forwards: 70
{more}Content-Length: 0
"""


def a_request(
    method: str = "MESSAGE", number: int = 1, uri: str = "sip:pbx.example.com", more: str = ""
) -> bytes:
    return wire(HEAD.format(method=method, number=number, uri=uri, more=more))


@dataclass
class Up:
    """A server that is up, with a phone."""

    server: SipServer
    transport: SipTransport
    phone: Peer

    def on(self, method: str, status: int = 200) -> list[Incoming]:
        """Serves `method`; the list grows with each request that is handed out."""
        taken: list[Incoming] = []

        def take(incoming: Incoming) -> None:
            taken.append(incoming)
            incoming.serve()
            incoming.reply(status)

        self.server.on(method, take)
        return taken

    async def ask(self, data: bytes) -> Response:
        return response(await self.phone.ask(data))


@pytest.fixture
async def up() -> AsyncIterator[Up]:
    server = SipServer()
    listeners = bind(LOOPBACK)
    async with listening(listeners, server) as transport, peer(listeners[0].local) as phone:
        server.use(transport)
        yield Up(server, transport, phone)
        server.close()


async def test_a_request_reaches_who_serves_its_method_and_its_answer_the_phone(up: Up):
    taken = up.on("MESSAGE")
    answer = await up.ask(a_request())
    assert (answer.status, answer.call_id, answer.cseq.method) == (200, "1@phone", "MESSAGE")
    assert answer.to.tag
    assert [each.request.method for each in taken] == ["MESSAGE"]


async def test_a_retransmission_gets_the_same_bytes_and_reaches_nobody(up: Up):
    taken = up.on("MESSAGE")
    first = await up.phone.ask(a_request())
    assert await up.phone.ask(a_request()) == first
    assert len(taken) == 1


async def test_a_method_that_nobody_serves_is_told_which_are_served(up: Up):
    up.on("MESSAGE")
    answer = await up.ask(a_request("PUBLISH"))
    assert answer.status == 405
    assert answer.allow == ("ACK", "CANCEL", "MESSAGE")


async def test_an_unknown_extension_is_named(up: Up):
    up.on("MESSAGE")
    answer = await up.ask(a_request(more="Require: nothingSupportsThis, path\n"))
    assert (answer.status, answer.unsupported) == (420, ("nothingSupportsThis",))


async def test_a_uri_of_another_scheme_is_refused(up: Up):
    up.on("MESSAGE")
    assert (await up.ask(a_request(uri="nobodyKnowsThisScheme:totallyopaquecontent"))).status == 416


async def test_what_cant_be_read_is_refused_with_its_status(up: Up):
    up.on("MESSAGE")
    assert (await up.ask(a_request().replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"))).status == 505
    assert (await up.ask(a_request().replace(b"CSeq: 1 MESSAGE", b"CSeq: 1 OPTIONS"))).status == 400


async def test_a_mistake_of_ours_is_a_500_and_the_next_request_is_served(up: Up):
    def fails(_: Incoming) -> None:
        raise ZeroDivisionError

    up.server.on("INFO", fails)
    up.on("MESSAGE")
    assert (await up.ask(a_request("INFO"))).status == 500
    assert (await up.ask(a_request(number=2))).status == 200


async def test_an_ack_of_nothing_is_not_answered(up: Up):
    up.on("MESSAGE")
    up.phone.send(a_request("ACK"))
    assert (await up.ask(a_request(number=2))).cseq.number == 2


async def test_a_stranger_gets_no_more_than_twice_its_bytes(up: Up):
    def says_much(incoming: Incoming) -> None:
        incoming.reply(200, [("Subject", "x" * 2000)])

    up.server.on("MESSAGE", says_much)
    answer = await up.ask(a_request())
    assert (answer.status, answer.subject) == (200, None)


async def test_who_has_proved_itself_gets_all_of_it(up: Up):
    def says_much(incoming: Incoming) -> None:
        up.server.proven.note(incoming.flow, up.server.now())
        incoming.reply(200, [("Subject", "x" * 2000)])

    up.server.on("MESSAGE", says_much)
    assert (await up.ask(a_request())).subject == "x" * 2000


async def test_a_stranger_is_answered_twenty_times_a_second_and_not_more(up: Up):
    now = up.server.now()
    up.server.now = lambda: now
    for number in range(100):
        up.phone.send(a_request("PUBLISH", number=number + 1))
    for _ in range(20):
        await up.phone.receive()
    async with peer(up.phone.server, Address("127.0.0.2", 0)) as last:
        # Its answer comes when all before it is dealt with.
        await last.ask(a_request())
    assert up.server.counters.withheld == 80


async def test_an_answer_goes_to_the_port_of_the_via_where_rport_is_not_asked_for(up: Up):
    up.on("MESSAGE")
    async with peer(up.phone.server, Address("127.0.0.1", 0)) as other:
        data = a_request().replace(b";rport", b"").replace(b":5062", b":%d" % other.address.port)
        up.phone.send(data)
        answered, _ = await other.receive()
    assert response(answered).status == 200


async def test_asking_a_phone_returns_its_answer(up: Up):
    flow = up.transport.flow_to(Transport.UDP, up.phone.address)
    assert flow is not None
    asking = asyncio.create_task(up.server.ask(own_request(), flow))
    sent = parse_datagram((await up.phone.receive())[0])
    assert isinstance(sent, Request)
    assert sent.via[0].asks_rport
    up.phone.send(bytes(sent.response(100)))
    up.phone.send(bytes(sent.response(200)))
    answer = await asking
    assert answer is not None
    assert answer.status == 200


async def test_whoever_waits_for_an_answer_is_told_when_there_will_be_none(up: Up):
    flow = up.transport.flow_to(Transport.UDP, up.phone.address)
    assert flow is not None
    asking = asyncio.create_task(up.server.ask(own_request(), flow))
    await up.phone.receive()
    up.server.close()
    assert await asking is None


async def test_a_request_is_sent_no_more_once_nobody_waits_for_its_answer(up: Up):
    flow = up.transport.flow_to(Transport.UDP, up.phone.address)
    assert flow is not None
    asking = asyncio.create_task(up.server.ask(own_request(), flow))
    await up.phone.receive()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(up.server.transactions) == 0


async def test_over_tcp_the_answer_comes_by_the_connection(up: Up):
    up.on("MESSAGE")
    reader, writer = await asyncio.open_connection(*up.phone.server)
    try:
        writer.write(a_request().replace(b"/UDP", b"/TCP"))
        head = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
    assert response(head).status == 200


def own_request() -> Request:
    headers = Headers(
        [
            ("From", "<sip:pbx.example.com>;tag=1"),
            ("To", "<sip:101@pbx.example.com>"),
            ("Call-ID", "ours"),
            ("CSeq", "1 OPTIONS"),
            ("Max-Forwards", "70"),
        ]
    )
    return Request("OPTIONS", "sip:101@127.0.0.1:5062", headers)


def test_a_timer_that_is_due_already_disturbs_nobody_on_uvloop(caplog: pytest.LogCaptureFixture):
    async def runs() -> None:
        server = SipServer()
        late = server.now
        # All that the server is told is an hour old, so that every timer has run out when it is set.
        server.now = lambda: late() - 3600
        listeners = bind(LOOPBACK)
        async with listening(listeners, server) as transport, peer(listeners[0].local) as phone:
            server.use(transport)
            up = Up(server, transport, phone)
            up.on("MESSAGE")
            # They are taken in one turn of the loop: the timer of the first has not rung at the second.
            for number in range(1, 6):
                phone.send(a_request(number=number))
            answers = [response((await phone.receive())[0]) for _ in range(5)]
            assert {each.cseq.number for each in answers} == {1, 2, 3, 4, 5}
            server.close()

    uvloop.run(runs())
    assert not caplog.records


async def test_whoever_asks_when_it_is_closed_does_not_wait(up: Up):
    flow = up.transport.flow_to(Transport.UDP, up.phone.address)
    assert flow is not None
    up.server.close()
    asked = parse_datagram(a_request())
    assert isinstance(asked, Request)
    async with asyncio.timeout(PATIENCE_S):
        assert await up.server.ask(asked, flow) is None


async def test_a_question_that_is_too_large_for_a_datagram_goes_by_a_connection(
    up: Up, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sip.transport.transport._PATIENCE_S", PATIENCE_S)
    theirs = Remembers()
    async with listening(bind(LOOPBACK), theirs) as phone:
        flow = up.transport.flow_to(Transport.UDP, phone.listeners[0][1])
        assert flow is not None
        asked = own_request()
        asked.headers.add("Subject", "x" * 1300)
        async with asyncio.timeout(PATIENCE_S):
            answer = await up.server.ask(asked, flow)
        assert answer is not None
        assert answer.status == 200
        assert [each.transport for each in theirs.flows] == [Transport.TCP]
