"""Phones on real sockets, UDP and TCP on one port, which call as a test has them call."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sip.dialog import Dialog
from sip.digest import ha1, parse_challenges
from sip.message.address import Contact, NameAddress
from sip.message.errors import MessageError
from sip.message.message import Message, Request, Response
from sip.message.parameters import Parameters
from sip.message.parser import AnyMessage
from sip.message.uri import SipUri
from sip.message.values import CSeq, MediaType
from sip.message.via import Via
from sip.transport.flow import Address, Flow, Transport
from sip.transport.sockets import bind
from sip.transport.transport import listening
from tests.sip.transport.peers import LOOPBACK, PATIENCE_S

_NUMBERS = itertools.count(1)


@dataclass
class Wired:
    """A line's phone, and what came to it that no test has looked at.

    It answers OPTIONS by itself, says 100 to an INVITE, and keeps nothing that comes again, nor any 100: on a
    busy machine there are more of these.
    """

    line: str
    password: str
    address: Address
    server: Flow | None = None
    came: asyncio.Queue[tuple[AnyMessage, Flow]] = field(default_factory=asyncio.Queue)
    seen: set[tuple[str, ...]] = field(default_factory=set)

    # What its transport tells

    def received(self, message: AnyMessage, flow: Flow) -> None:
        name = _name(message)
        if isinstance(message, Request) and message.method == "OPTIONS":
            flow.send(bytes(message.response(200, to_tag="here")))
        elif name in self.seen or (isinstance(message, Response) and message.status == 100):
            return
        else:
            self.seen.add(name)
            if isinstance(message, Request) and message.method == "INVITE":
                flow.send(bytes(message.response(100)))
            self.came.put_nowait((message, flow))

    def refused(self, error: MessageError, flow: Flow) -> None:
        raise AssertionError(f"what can't be read: {error}")

    def closed(self, flow: Flow) -> None:
        pass

    # What it gets

    async def gets(self, *lines: str) -> AnyMessage:
        """The next messages are these: `INVITE`, or `180 INVITE`. The last of them."""
        for line in lines:
            async with asyncio.timeout(PATIENCE_S):
                message, _ = await self.came.get()
            assert _line(message) == line
        return message

    async def request(self, method: str) -> tuple[Request, Flow]:
        """The next is this request, and by which flow it came."""
        async with asyncio.timeout(PATIENCE_S):
            message, flow = await self.came.get()
        assert isinstance(message, Request)
        assert message.method == method
        return message, flow

    async def response(self, *lines: str) -> Response:
        message = await self.gets(*lines)
        assert isinstance(message, Response)
        return message

    # What it sends

    def sends(self, message: Message) -> None:
        assert self.server is not None
        self.server.send(bytes(message))

    def asks(self, request: Request) -> Request:
        """Sends a request, as a new transaction."""
        host, port = self.address
        branch = Parameters([("branch", f"z9hG4bK{next(_NUMBERS)}"), ("rport", None)])
        request.headers.prepend("Via", str(Via("UDP", host, port, branch)))
        if request.method in ("INVITE", "REGISTER"):
            request.contact = (self.contact,)
        self.sends(request)
        return request

    @property
    def contact(self) -> Contact:
        return Contact(SipUri(self.address.host, self.line, port=self.address.port))

    async def registers(self) -> None:
        response = await self.proves(self.made("REGISTER", ""), "200 REGISTER")
        assert response.contact

    def made(self, method: str, user: str, body: bytes = b"", **headers: str) -> Request:
        """A request outside of a dialog."""
        assert self.server is not None
        host = self.server.remote.host
        request = Request(method, SipUri(host, user) if user else SipUri(host))
        request.from_ = NameAddress(SipUri(host, self.line)).with_tag(f"of-{next(_NUMBERS)}")
        request.to = NameAddress(SipUri(host, user or self.line))
        request.call_id = f"{next(_NUMBERS)}@{self.line}"
        request.cseq = CSeq(1, method)
        request.max_forwards = 70
        for name, value in headers.items():
            request.headers.add(name.replace("_", "-"), value)
        if body:
            request.content_type, request.body = MediaType("application", "sdp"), body
        return request

    async def proves(self, request: Request, *lines: str) -> Response:
        """Sends a request, proves whose it is, and gets these answers."""
        await self.calls(request)
        return await self.response(*lines)

    async def calls(self, request: Request) -> Request:
        """Sends a request, and once more with a proof of whose it is."""
        plain = Request(request.method, request.uri, request.headers.copy(), request.body)
        refused = self.asks(plain)
        response = await self.response(f"401 {request.method}")
        if request.method == "INVITE":
            ack = Request("ACK", request.uri, refused.headers.copy("Via", "From", "Call-ID"))
            ack.to, ack.cseq = response.to, CSeq(1, "ACK")
            self.sends(ack)
        challenge = parse_challenges(response.headers.all("WWW-Authenticate"))[0]
        key = ha1(challenge.algorithm, self.line, challenge.realm, self.password)
        proof = challenge.answered(self.line, key, request.method, request.uri_text, cnonce="1", count=1)
        request.headers.set("Authorization", str(proof))
        request.cseq = CSeq(2, request.method)
        return self.asks(request)

    def says(self, request: Request, flow: Flow, status: int, body: bytes = b"") -> Response:
        """Answers a request."""
        response = request.response(status, to_tag=f"at-{self.line}")
        response.contact = (self.contact,)
        if body:
            response.content_type, response.body = MediaType("application", "sdp"), body
        flow.send(bytes(response))
        return response

    def acks(self, invite: Request, response: Response) -> Dialog:
        """Thanks for a 2xx; what comes after it goes by this dialog."""
        dialog = Dialog.as_client(invite, response)
        self.asks(dialog.ack(invite))
        return dialog


@asynccontextmanager
async def wired(server: Address, line: str, password: str) -> AsyncIterator[Wired]:
    listeners = bind(LOOPBACK)
    phone = Wired(line, password, listeners[0].local)
    async with listening(listeners, phone) as transport:
        phone.server = transport.flow_to(Transport.UDP, server)
        yield phone


def _name(message: AnyMessage) -> tuple[str, ...]:
    """What a message that comes again has in common with the first."""
    branch = message.via[0].branch or ""
    return _line(message), branch, str(message.headers.get("RSeq"))


def _line(message: AnyMessage) -> str:
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.cseq.method}"
