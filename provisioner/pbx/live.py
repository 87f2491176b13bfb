"""Lets test calls into the living switchboard: who makes one is a guest there (`provisioner.pbx.guests`)."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from random import SystemRandom

from provisioner.centrex.errors import Conflict, NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import LIVE_NAME, with_caller
from provisioner.operations.living import LiveTestGoesOn
from provisioner.pbx.calls import CallServing
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.guests import Guests
from provisioner.pbx.phones import Phones
from provisioner.pbx.router import ExchangeRouter, Switchboards
from provisioner.pbx.twin import without_gateway
from provisioner.pbx.twin_sources import NoServices
from provisioner.settings import Settings
from sip.call.story import Event
from sip.server import SipServer
from sip.testcall.account import Account
from sip.testcall.witness import Witness
from sip.transport.flow import Address, Transport
from sip.transport.sockets import Listener

_MOST = 5
"Live tests at a time, of different companies."
_ANY = "0.0.0.0"  # noqa: S104 - nothing is bound to it here
_PORT = 9
"Nothing is ever sent there: it is only asked by which of our addresses that would go."


class Watching:
    """Passes what happens to calls on to who watches a test."""

    def __init__(self) -> None:
        self._witnesses: tuple[Witness, ...] = ()

    def hear(self, event: Event) -> None:
        """One thing that happened."""
        for witness in self._witnesses:
            witness.hear(event)

    @contextmanager
    def by(self, witness: Witness) -> Iterator[None]:
        """It hears all, while the context lasts."""
        self._witnesses = (*self._witnesses, witness)
        try:
            yield
        finally:
            self._witnesses = tuple(each for each in self._witnesses if each is not witness)


class Company:
    """See `provisioner.operations.living.LivingCompany`."""

    def __init__(
        self,
        copy: Exchange,
        account: Account,
        engaged: Engaged,
        server: SipServer,
        serving: CallServing,
        watching: Watching,
    ) -> None:
        self._copy = copy
        self.account = account
        self._engaged = engaged
        self._server = server
        self._serving = serving
        self._watching = watching

    @property
    def exchange(self) -> Exchange:
        """See `LivingCompany`."""
        return replace(self._copy, used=self._engaged.used(self._copy))

    def is_engaged(self, line: str) -> bool:
        """See `LivingCompany`."""
        calls, said = self._engaged.calls_of(line), self._copy.lines.get(line)
        waits = said is None or said.call_waiting
        site = self._copy.site_of(line)
        if site is not None and self._engaged.calls_among(site.lines) >= site.most_calls:
            return True
        return calls >= self._copy.most_calls(line) or (calls > 0 and not waits)

    @contextmanager
    def watched(self) -> Iterator[Witness]:
        """See `LivingCompany`."""
        witness = Witness(self.account.number)
        with self._watching.by(witness), self._server.ears.heard_by(witness):
            yield witness

    def hang_up(self) -> None:
        """See `LivingCompany`."""
        for call in list(self._serving.calls.live):
            if call.caller.aor == self.account.number:
                self._serving.hang_up(call.id)


class LiveTests:
    """See `provisioner.operations.living.Living`."""

    def __init__(
        self,
        settings: Settings,
        exchanges: Switchboards,
        engaged: Engaged,
        phones: Phones,
        domains: Domains,
        server: SipServer,
        serving: CallServing,
        guests: Guests,
        watching: Watching,
        listeners: Sequence[Listener],
    ) -> None:
        self._settings = without_gateway(settings)
        self._exchanges = exchanges
        self._engaged = engaged
        self._phones = phones
        self._domains = domains
        self._server = server
        self._serving = serving
        self._guests = guests
        self._watching = watching
        self._listeners = listeners

    def phones(self, line: str) -> int:
        """See `Living`."""
        bindings = self._phones.bindings(line)
        return len({binding.instance or binding.contact for binding in bindings})

    @asynccontextmanager
    async def company(self, line: str) -> AsyncIterator[Company]:
        """See `Living`."""
        exchange = await self._exchanges.of_line(line)
        if exchange is None:
            raise NotFound(f"the line {line} is gone: look at the customer's lines")
        if self._guests.of_company(exchange.customer_id) or len(self._guests) >= _MOST:
            raise LiveTestGoesOn
        server, host = self._door(exchange)
        number = self._guests.free_number()
        unused = self._settings.numbering.emergency_numbers
        copy = with_caller(exchange, unused, number, LIVE_NAME)
        password = self._guests.add(number, copy, self._router(copy))
        account = Account(number, password, server, host)
        company = Company(copy, account, self._engaged, self._server, self._serving, self._watching)
        try:
            yield company
        finally:
            # Whoever still rings for it is to do so no longer, however it came to its end.
            company.hang_up()
            self._guests.remove(number)

    def _router(self, copy: Exchange) -> ExchangeRouter:
        """Rings people of the company, and nobody else."""
        return ExchangeRouter(
            self._settings,
            NoServices(),
            OneCompany(copy),
            self._phones,
            self._engaged,
            self._domains,
            SystemRandom(),
        )

    def _door(self, exchange: Exchange) -> tuple[Address, str]:
        """Where the guest's phone registers, and the address of it that the company's phones can reach.

        Raises `Conflict`.
        """
        udp = (each.local for each in self._listeners if each.transport is Transport.UDP)
        here = next((each for each in udp if ":" not in each.host), None)
        if here is None:
            raise Conflict("live test calls want SIP over UDP at an address of IPv4: add one to listen.sip")
        if here.host != _ANY:
            return here, here.host
        peers = (each.remote.host for line in exchange.lines for each in self._phones.bindings(line))
        host = _own_address(next((each for each in peers if ":" not in each), "127.0.0.1"))
        return Address(host, here.port), host


class OneCompany:
    """The switchboard of one company: all others are not there (`router.Switchboards`)."""

    def __init__(self, only: Exchange) -> None:
        self._only = only

    def known(self, line: str) -> Exchange | None:
        """See `Switchboards`."""
        return self._only if line in self._only.lines else None

    async def of_line(self, line: str) -> Exchange | None:
        """See `Switchboards`."""
        return self.known(line)

    async def elsewhere(self, exchange: Exchange, dialled: str) -> Mapping[str, Exchange]:
        """See `Switchboards`."""
        return {}


def _own_address(peer: str) -> str:
    """Our address on the way to a peer. Raises `Conflict`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((peer, _PORT))
        except OSError as error:
            raise Conflict(f"there is no way to the phone at {peer}: {error.strerror}") from error
        return str(asking.getsockname()[0])
