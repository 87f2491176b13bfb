"""A server that takes REGISTERs as if their senders had proved who they are, and phones that send them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from db.freshness import watching
from provisioner.operations.installation import Installation
from provisioner.pbx.authentication import Caller
from provisioner.pbx.clock import Sources
from provisioner.pbx.news import News
from provisioner.pbx.parted import Parted
from provisioner.pbx.registrations import Registrations
from sip.location import Location
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.registrar_contact import Limits
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Flow, Transport
from tests.sip.message.messages import wire

SERVER = Address("192.0.2.1", 5060)
PHONE = Address("192.0.2.20", 5062)
LIMITS = Limits(jitter=0.0, min_s=1)
_SERIAL = itertools.count(1)


@dataclass(eq=False)
class Wire:
    """A flow whose far end is this test."""

    remote: Address = PHONE
    transport: Transport = Transport.TCP
    local: Address = SERVER
    is_open: bool = True
    answers: dict[str, asyncio.Future[Response]] = field(default_factory=dict)
    "By Call-ID and CSeq."

    def send(self, data: bytes) -> bool:
        answer = parse_datagram(data)
        assert isinstance(answer, Response)
        # A second answer would be an error here.
        self.answers.pop(f"{answer.call_id} {answer.cseq}").set_result(answer)
        return True


@dataclass
class Server:
    """The parts that keep registrations, wired."""

    installation: Installation
    location: Location
    registrations: Registrations
    line_ids: dict[str, int]
    sip: SipServer
    versions: dict[str, int]
    "Of the passwords that phones use, where it is not the first of their line."
    parted: Parted

    def begin(
        self,
        number: str,
        *more: str,
        cseq: int = 1,
        contact: str | None = "<sip:{number}@192.0.2.20:5062>",
        expires: int = 3600,
        call_id: str = "one@{number}",
        agent: str = "Yealink SIP-T46S 66.86.0.15",
        flow: Wire | None = None,
    ) -> Awaitable[Response]:
        """Sends a REGISTER; what is returned waits for its answer. `more` are header lines."""
        flow = flow or Wire()
        call_id = call_id.format(number=number)
        lines = [
            "REGISTER sip:192.0.2.1 SIP/2.0",
            f"Via: SIP/2.0/{flow.transport.upper()} {flow.remote};branch=z9hG4bK{next(_SERIAL)}",
            f"From: <sip:{number}@192.0.2.1>;tag=1",
            f"To: <sip:{number}@192.0.2.1>",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} REGISTER",
            "Max-Forwards: 70",
            f"User-Agent: {agent}",
            f"Expires: {expires}",
            *([] if contact is None else [f"Contact: {contact.format(number=number)}"]),
            *more,
            "Content-Length: 0",
        ]
        answer = asyncio.get_running_loop().create_future()
        flow.answers[f"{call_id} {cseq} REGISTER"] = answer
        message = parse_datagram(wire("\n".join(lines)))
        assert isinstance(message, Request)
        self.sip.received(message, flow)
        return answer

    async def register(self, number: str, *more: str, **said: object) -> Response:
        """Sends a REGISTER and returns the answer."""
        async with asyncio.timeout(60):
            return await self.begin(number, *more, **said)  # type: ignore[arg-type]

    def contacts(self, number: str) -> list[str]:
        """Where the line is, by memory."""
        return [each.contact for each in self.location.bindings(number, self.sip.now())]


class _Way:
    """Answers go back on the flow that they are for."""

    def answer_flow(self, request: Request, flow: Flow) -> Flow:
        return flow


@asynccontextmanager
async def registering(
    installation: Installation, limits: Limits = LIMITS, sources: Sources | None = None
) -> AsyncIterator[Server]:
    """Such a server, with all that was stored before; it ends without an order, as if it were killed."""
    sip = SipServer()
    sip.use(_Way())
    location = Location()
    rows = await installation.database.rows("SELECT number, id FROM lines")
    line_ids = {str(number): int(line_id) for number, line_id in rows}
    versions: dict[str, int] = {}
    async with watching(installation.database) as watcher:
        parted = Parted()
        registrations = Registrations(installation, location, News(watcher), limits, sources, parted)

        def take(incoming: Incoming) -> None:
            incoming.serve()
            number = getattr(incoming.request.to.uri, "user", "")
            caller = Caller(line_ids.get(number, 10**9), number, versions.get(number, 1))
            registrations.put(incoming, caller)

        sip.on("REGISTER", take)
        await registrations.start()
        running = asyncio.create_task(registrations.run())
        try:
            yield Server(installation, location, registrations, line_ids, sip, versions, parted)
        finally:
            running.cancel()
            await asyncio.wait([running])
            sip.close()


async def eventually(found: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it is found; fails after a while."""
    async with asyncio.timeout(60):
        while not await found():  # noqa: ASYNC110 - of what the database says nobody tells
            await asyncio.sleep(0.01)
