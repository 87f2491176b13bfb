"""SIP by hand over UDP, for what no honest client sends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from provisioner.virtual_phones.account import Account
from sip.digest import Algorithm, ha1, parse_challenges
from tests.e2e.softphones.program import LONGEST_S

_SILENCE_S = 1.0
"Who has answered, and says nothing for so long, has said all."


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    text: str

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        lines = (line.partition(":") for line in self.text.split("\r\n"))
        return [value.strip() for found, _, value in lines if found.lower() == name.lower()]

    @property
    def without_chance(self) -> list[str]:
        """Its lines but for what is the request's own, or random."""
        own = ("via:", "to:", "from:", "call-id:", "cseq:", "www-authenticate:", "date:")
        return [line for line in self.text.split("\r\n") if not line.lower().startswith(own)]


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data)


@dataclass(frozen=True)
class Peer:
    """One socket, which talks to one server."""

    transport: asyncio.DatagramTransport
    inbox: _Inbox
    account: Account

    async def asks(self, request: str) -> Answer:
        """What the server answers. It may ask something itself meanwhile, which gets no answer."""
        self.transport.sendto(request.encode())
        (call_id,) = Answer(0, request).all("Call-ID")
        async with asyncio.timeout(LONGEST_S):
            while (answer := await self._next_answer()).all("Call-ID") != [call_id]:
                pass
        return answer

    async def asks_all(self, requests: Iterable[str]) -> list[Answer]:
        """What the server answers to all of them, until it is silent."""
        for each in requests:
            self.transport.sendto(each.encode())
        async with asyncio.timeout(LONGEST_S):
            answers = [await self._next_answer()]
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    answers.append(await self._next_answer())
        return answers

    async def _next_answer(self) -> Answer:
        while not (text := (await self.inbox.came.get()).decode()).startswith("SIP/2.0 "):
            pass
        return Answer(int(text[8:11]), text)

    def request(self, method: str, user: str, authorization: str = "", cseq: int = 1) -> str:
        """A new one for the AOR of `user`, as a phone would send it."""
        host, port = self.transport.get_extra_info("sockname")
        server = self.account.server
        about = f"sip:{server}" if method == "REGISTER" else f"sip:{user}@{server}"
        return (
            f"{method} {about} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:{user}@{server.host}>;tag={secrets.token_hex(4)}\r\n"
            f"To: <sip:{user}@{server.host}>\r\n"
            f"Call-ID: {secrets.token_hex(8)}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{user}@{host}:{port}>\r\n{authorization}"
            "User-Agent: sipp\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
        )

    async def authorization(self, method: str = "REGISTER", password: str | None = None) -> str:
        """Credentials of the account for a nonce that is fetched now: a line of a request."""
        asked = await self.asks(self.request(method, self.account.user_name))
        assert asked.status == 401, asked.text
        challenges = parse_challenges(asked.all("WWW-Authenticate"))
        challenge = next(each for each in challenges if each.algorithm is Algorithm.MD5)
        name, known = self.account.auth_name, password or self.account.password
        key = ha1(Algorithm.MD5, name, challenge.realm, known)
        uri = f"sip:{self.account.server}"
        answered = challenge.answered(name, key, method, uri, cnonce=secrets.token_hex(8), count=1)
        return f"Authorization: {answered}\r\n"


@asynccontextmanager
async def peer(account: Account, source: str) -> AsyncIterator[Peer]:
    """A socket at the address `source`, for the server of `account`."""
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(
        _Inbox, local_addr=(source, 0), remote_addr=tuple(account.server)
    )
    try:
        yield Peer(transport, inbox, account)
    finally:
        transport.close()
