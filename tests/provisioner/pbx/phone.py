"""A phone with a UDP socket, which says what a test has it say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sip.digest import Algorithm, Challenge, Credentials, ha1, parse_challenges
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.transport.flow import Address
from tests.sip.message.messages import request, wire
from tests.sip.transport.peers import LOOPBACK, Peer, peer

AGENT = "Yealink SIP-T46S 66.86.0.15"
_SERIAL = itertools.count(1)

_HEAD = """
{method} sip:{domain} SIP/2.0
Via: SIP/2.0/UDP {here};branch=z9hG4bK{serial};rport
From: <sip:{line}@{domain}>;tag={serial}
To: <sip:{line}@{domain}>
Call-ID: {call_id}
CSeq: {cseq} {method}
Max-Forwards: 70
{more}Content-Length: 0
"""


@dataclass
class Phone:
    """One account on one socket."""

    peer: Peer | Stream
    line: str
    password: str
    domain: str = "127.0.0.1"
    user: str | None = None
    "Who it logs in as; None: its line."
    call_id: str = field(default_factory=lambda: f"call{next(_SERIAL)}@phone")
    cseq: int = 0
    agent: str | None = AGENT
    uses: int = 0
    "Of the nonce it has."
    heard: set[str | None] = field(default_factory=set)
    "The branches of requests that it has answered."

    def message(self, method: str, *more: str, credentials: Credentials | None = None) -> bytes:
        """One that has not been sent before; `more` are header lines."""
        self.cseq += 1
        lines = [*more]
        lines += [f"User-Agent: {self.agent}"] if self.agent is not None else []
        lines += [f"Authorization: {credentials}"] if credentials is not None else []
        return wire(
            _HEAD.format(
                method=method,
                domain=self.domain,
                here=self.peer.address,
                serial=next(_SERIAL),
                line=self.line,
                call_id=self.call_id,
                cseq=self.cseq,
                more="".join(f"{line}\n" for line in lines),
            )
        )

    async def ask(self, data: bytes) -> Response:
        """The final answer. Whoever asks meanwhile whether the phone is there is told that it is."""
        asked = request(data).cseq
        self.peer.send(data)
        while True:
            came = parse_datagram((await self.peer.receive())[0])
            if isinstance(came, Request):
                self.peer.send(bytes(came.response(200, to_tag="phone")))
            elif isinstance(came, Response) and came.status >= 200 and came.cseq == asked:
                return came

    async def challenge(self, method: str = "REGISTER") -> Challenge:
        """The first challenge of a request without credentials."""
        answer = await self.ask(self.message(method, f"Contact: {self.contact}"))
        assert answer.status == 401
        return parse_challenges(answer.headers.all("WWW-Authenticate"))[0]

    def answered(self, challenge: Challenge, method: str = "REGISTER", count: int = 1) -> Credentials:
        user = self.user or self.line
        key = ha1(challenge.algorithm, user, challenge.realm, self.password)
        return challenge.answered(user, key, method, f"sip:{self.domain}", cnonce="0a4f113b", count=count)

    @property
    def contact(self) -> str:
        return f"<sip:{self.line}@{self.peer.address}>"

    async def register(
        self,
        expires_s: int = 3600,
        contact: str | None = None,
        *more: str,
        algorithm: Algorithm | None = None,
    ) -> Response:
        """Registers as a phone does: asks, is asked who it is, and asks again."""
        headers = (f"Contact: {contact or self.contact}", f"Expires: {expires_s}", *more)
        first = await self.ask(self.message("REGISTER", *headers))
        if first.status != 401:
            return first
        offered = parse_challenges(first.headers.all("WWW-Authenticate"))
        challenge = next(each for each in offered if algorithm in (None, each.algorithm))
        return await self.ask(self.message("REGISTER", *headers, credentials=self.answered(challenge)))


class Stream:
    """A connection that looks like a `Peer`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.address = Address(*writer.get_extra_info("sockname")[:2])

    def send(self, data: bytes) -> None:
        self._writer.write(data.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))

    async def receive(self) -> tuple[bytes, None]:
        """A message without a body."""
        return await self._reader.readuntil(b"\r\n\r\n"), None


@asynccontextmanager
async def phone(
    server: Address, line: str, password: str, bound: Address = LOOPBACK, *, over: type[Peer | Stream] = Peer
) -> AsyncIterator[Phone]:
    if over is Peer:
        async with peer(server, bound) as socket:
            yield Phone(socket, line, password)
        return
    reader, writer = await asyncio.open_connection(*server)
    try:
        yield Phone(Stream(reader, writer), line, password)
    finally:
        writer.close()
