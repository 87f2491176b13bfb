"""Phones that look for their server by multicast: who is answered, and who is only remembered.

A phone is told the first-contact URL while the window of its MAC is open. One that nobody has listed lands in
the inbox. A listed phone outside its window gets nothing, and neither does anybody outside the networks that
secrets may go to in clear text: what such a phone would fetch next is one.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from db.errors import StorageError
from db.queries.pnp import Sighting
from db.queries.serving import open_window
from provisioner.centrex.errors import CentralkaError
from provisioner.operations import pnp
from provisioner.operations.addresses import public_addresses
from provisioner.operations.installation import Installation, utc_now
from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.pnp import GROUP, Asking, Identifiers, Turns, answer, asking
from sip.transport.errors import CantListen
from sip.transport.flow import Address
from sip.transport.multicast import Interface, interfaces, joined

logger = logging.getLogger(__name__)

_LARGEST = 4096
"Bytes of a question; real ones have 600."
_AT_ONCE = 32
"Datagrams that are taken before others have their turn."
_WAITING = 256
"Phones that are looked up next; who finds no room asks again by itself."


class CantHearPhones(CentralkaError):
    """Interfaces on which phones can't be heard."""

    code = "cant-listen"


@dataclass(frozen=True, slots=True)
class _Question:
    """What a phone asks, and how it is answered."""

    request: Request
    asking: Asking
    source: Address
    interface: Interface
    hearing: socket.socket


@asynccontextmanager
async def answering_pnp(
    installation: Installation, beside: Collection[socket.socket] = ()
) -> AsyncIterator[list[str]]:
    """Answers phones for as long as the context lasts; gives the names of the interfaces.

    `beside` are the UDP sockets that SIP is listened on. Raises `CantHearPhones`.
    """
    chosen = _chosen(installation)
    try:
        with joined(GROUP, chosen, beside) as hearing:
            async with asyncio.TaskGroup() as tasks:
                desk = _Desk(installation)
                running = tasks.create_task(desk.run(), name="pnp")
                loop = asyncio.get_running_loop()
                for interface, each in hearing:
                    loop.add_reader(each, desk.read, interface, each)
                try:
                    yield [interface.name for interface, _ in hearing]
                finally:
                    for _, each in hearing:
                        loop.remove_reader(each)
                    running.cancel()
    except CantListen as error:
        raise CantHearPhones(str(error)) from error


def _chosen(installation: Installation) -> list[Interface]:
    """The interfaces that are configured, or all that face the networks of phones."""
    settings = installation.settings
    there = interfaces()
    if not settings.sip.pnp_interfaces:
        networks = settings.security.networks()
        facing = [
            each
            for each in there
            if each.can_multicast and any(ip_address(each.host) in network for network in networks)
        ]
        if not facing:
            raise CantHearPhones(
                "no interface of this machine has an address inside [security] clear_text_networks: name the"
                " interfaces in [sip] pnp_interfaces, or run without --pnp"
            )
        return facing
    by_name = {each.name: each for each in there}
    for name in settings.sip.pnp_interfaces:
        if name not in by_name:
            raise CantHearPhones(
                f"[sip] pnp_interfaces: there is no interface {name!r} with an IPv4 address; there are"
                f" {', '.join(sorted(by_name))}"
            )
    return [by_name[name] for name in settings.sip.pnp_interfaces]


class _Desk:
    """Reads what phones ask, and answers those that may know."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._networks = installation.settings.security.networks()
        self._turns = Turns()
        self._clock = asyncio.get_running_loop().time
        self._questions: asyncio.Queue[_Question] = asyncio.Queue(_WAITING)

    def read(self, interface: Interface, hearing: socket.socket) -> None:
        """Takes what has come on one interface. Never raises."""
        for _ in range(_AT_ONCE):
            try:
                data, (host, port) = hearing.recvfrom(_LARGEST + 1)
            except BlockingIOError:
                return
            except OSError as error:
                logger.warning("nothing can be heard interface=%s error=%s", interface.name, error)
                return
            question = self._question(data, Address(host, port), interface, hearing)
            if question is not None and not self._questions.full():
                self._questions.put_nowait(question)

    def _question(
        self, data: bytes, source: Address, interface: Interface, hearing: socket.socket
    ) -> _Question | None:
        if len(data) > _LARGEST or not any(ip_address(source.host) in each for each in self._networks):
            return None
        try:
            message = parse_datagram(data)
        except MessageError:
            return None
        who = asking(message) if isinstance(message, Request) else None
        if who is None or not self._turns.take(source.host, self._clock()):
            return None
        assert isinstance(message, Request)  # noqa: S101 - or nobody asks
        return _Question(message, who, source, interface, hearing)

    async def run(self) -> None:
        """Answers until it is cancelled."""
        while True:
            questions = [await self._questions.get()]
            while not self._questions.empty():
                questions.append(self._questions.get_nowait())
            try:
                await self._serve(questions)
            except StorageError as error:
                # Phones ask again by themselves.
                logger.warning("phones that look for a server are not answered now error=%s", error)
            except Exception:
                # Our own mistake; the next one is served.
                logger.exception("phones that look for a server could not be answered")

    async def _serve(self, questions: Collection[_Question]) -> None:
        now = utc_now()
        closed: list[Sighting] = []
        url = ""
        for each in questions:
            window = await open_window(self._installation.database, each.asking.mac)
            if window is None or not window.is_open(now):
                said = each.asking
                closed.append(Sighting(said.mac, said.vendor, said.model, said.version, each.source.host))
                continue
            url = url or await self._url()
            self._answer(each, url)
        if closed:
            await pnp.note(self._installation, closed)

    async def _url(self) -> str:
        """Where first contact is made."""
        async with self._installation.database.read() as session:
            public = await public_addresses(session, self._installation.settings)
        return f"{public.provisioning_url}/"

    def _answer(self, question: _Question, url: str) -> None:
        local = Address(question.interface.host, GROUP.port)
        ids = Identifiers(secrets.token_hex(8), secrets.token_hex(12))
        try:
            for each in answer(question.request, url, question.source, local, ids):
                question.hearing.sendto(each.data, each.to)
        except (MessageError, OSError) as error:
            logger.warning("a phone is not answered mac=%s error=%s", question.asking.mac, error)
            return
        logger.info("a phone is told where to begin mac=%s source=%s", question.asking.mac, question.source)
