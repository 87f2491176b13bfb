"""The other side of a test phone, by hand: a server that a phone of pyVoIP has trouble with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sip.testcall import wording
from sip.testcall.account import Account
from sip.testcall.observed import Observation
from sip.testcall.phone import Phone
from sip.transport.flow import Address

LONGEST_S = 60
HOST = "127.0.0.1"
SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP {codec}\r\n"


@dataclass
class Peer:
    """A server with one phone."""

    server: socket.socket
    audio: socket.socket
    "Where it hears and speaks."
    seen: list[Observation] = field(default_factory=list)
    "What the phone has told, all of it."
    _kept: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.phone = Phone(Account("101", "secret", Address(*self.server.getsockname())), self.tell)

    def sdp(self, codec: str = "0") -> str:
        """What it offers or answers."""
        host, port = self.audio.getsockname()
        return SDP.format(host=host, port=port, codec=codec)

    def says(self, text: str) -> None:
        """Sends a message to the phone."""
        self.server.sendto(text.encode(), (HOST, self.phone.sip.myPort))

    async def hears(self, start: str) -> str:
        """The next message of the phone that begins so; others wait for their turn."""
        loop = asyncio.get_running_loop()
        for kept in self._kept:
            if kept.startswith(start):
                self._kept.remove(kept)
                return kept
        async with asyncio.timeout(LONGEST_S):
            while not (text := (await loop.sock_recv(self.server, 65_535)).decode()).startswith(start):
                self._kept.append(text)
        return text

    def has_heard(self, start: str) -> bool:
        """Whether such a message waits for its turn."""
        return any(kept.startswith(start) for kept in self._kept)

    def answers(self, request: str, status: str, *more: str, body: str = "", tag: str = "theirs") -> None:
        """Answers a request of the phone."""
        head = wording.response(request, status, tag, more).partition("Content-Length")[0]
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.says(f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}")

    def rings(self, *more: str, call_id: str = "call", body: str | None = None, tag: str = "") -> str:
        """Sends an INVITE, and gives it back."""
        said = self.sdp() if body is None else body
        text = self.request("INVITE", 1, *more, call_id=call_id, tag=tag, body=said)
        self.says(text)
        return text

    def request(
        self, method: str, cseq: int, *more: str, call_id: str = "call", tag: str = "", body: str = ""
    ) -> str:
        """A request for the phone; `tag` is its own."""
        host, port = self.server.getsockname()
        to = f"<sip:101@{HOST}>" + (f";tag={tag}" if tag else "")
        lines = (
            f"{method} sip:101@{HOST} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}{cseq}",
            f'From: "Serwis" <sip:104@{HOST}>;tag=caller',
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:exchange@{host}:{port}>",
            *more,
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines) + f"\r\n\r\n{body}"

    def saw(self, kind: type[Observation]) -> list[Observation]:
        """What the phone has told of that."""
        return [each for each in self.seen if isinstance(each, kind)]

    async def sees(self, kind: type[Observation]) -> Observation:
        """The first of that kind, when it is there."""
        async with asyncio.timeout(LONGEST_S):
            while not (found := self.saw(kind)):
                self._news.clear()
                await self._news.wait()
        return found[0]

    def tell(self, seen: Observation) -> None:
        """Takes in what the phone tells."""
        self.seen.append(seen)
        self._news.set()


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    """A phone, 101, that listens, and its server."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as audio,
    ):
        for each in (server, audio):
            each.bind((HOST, 0))
            each.setblocking(False)
        made = Peer(server, audio)
        made.phone.start()
        try:
            yield made
        finally:
            made.phone.stop()
