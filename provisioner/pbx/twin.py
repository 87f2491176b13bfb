"""A twin: for test calls, a copy of one customer's switchboard, with phones of ours in the place of people's.

It has the living server's engine, router and registrar, on a loopback port of its own, and what they ask is
answered from memory (`twin_sources`). So nobody's phone rings, no row is written, and nothing is left of it:
its sockets reach no other machine, and emergency calls find no gateway.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import SystemRandom

from provisioner.centrex.errors import NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.twins import Pace, TooManyTestCalls
from provisioner.pbx.authentication import Authentication
from provisioner.pbx.calls import CallServing
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.parted import Parted
from provisioner.pbx.phones import Phones
from provisioner.pbx.requests import Requests
from provisioner.pbx.router import ExchangeRouter, Switchboards
from provisioner.pbx.subscriptions import Subscriptions
from provisioner.pbx.twin_sources import (
    HastenedRouter,
    NoNews,
    TwinCodes,
    TwinKeys,
    TwinRegistrar,
    TwinSwitchboards,
)
from provisioner.settings import Settings
from sip.bans import Bans
from sip.call.story import Event
from sip.digest_guard import Guard
from sip.location import Location
from sip.nonces import NonceLimits, Nonces
from sip.server import SipServer
from sip.testcall.process import PhonesProcess
from sip.transport import sockets
from sip.transport.flow import Address
from sip.transport.transport import listening

MOST = 28
"Twins at a time."

_LOOPBACK = Address("127.0.0.1", 0)


class Twin:
    """One that is up (`provisioner.operations.twins.Twin`)."""

    def __init__(
        self,
        exchange: Exchange,
        server: Address,
        keys: TwinKeys,
        pace: Pace,
        switchboards: TwinSwitchboards,
    ) -> None:
        self.exchange = exchange
        "The copy, and in it who calls."
        self.server = server
        "Where its phones register, over UDP."
        self.pace = pace
        "What all twins of a server keep to."
        self._keys = keys
        self._switchboards = switchboards

    def restore(self) -> None:
        """Whatever codes have changed of the copy is as it was."""
        self._switchboards.copy = self.exchange

    def password(self, line: str) -> str:
        """A new password for a line, with which phones may register for it."""
        return self._keys.make(line)


class Twins:
    """Makes them, a few at a time."""

    def __init__(self, settings: Settings, living: Switchboards, engaged: Engaged, most: int = MOST) -> None:
        """`living` and `engaged` are the living server's; they are asked, and never told anything."""
        self.process = PhonesProcess()
        "Where the phones are that all tests have."
        self._settings = without_gateway(settings)
        self._living = living
        self._engaged = engaged
        self._most = most
        self._pace = Pace()
        self._up = 0

    @asynccontextmanager
    async def up(self, line: str, divisor: float = 1.0) -> AsyncIterator[Twin]:
        """A twin of the switchboard that `line` belongs to, while the context lasts.

        All ring times are divided by `divisor`. Raises `TooManyTestCalls`, `NotFound`, `StorageError`.
        """
        if self._up >= self._most:
            raise TooManyTestCalls(self._most)
        self._up += 1
        try:
            exchange = await self._living.of_line(line)
            if exchange is None:
                raise NotFound(f"the line {line} is gone: look at the customer's lines")
            unused = self._settings.numbering.emergency_numbers
            async with self._pace.turn():
                copy = with_caller(replace(exchange, used=self._engaged.used(exchange)), unused)
            async with self._serving(copy, divisor) as twin:
                yield twin
        finally:
            self._up -= 1

    @asynccontextmanager
    async def _serving(self, copy: Exchange, divisor: float) -> AsyncIterator[Twin]:
        realm = self._settings.sip.realm
        server, location, engaged = SipServer(), Location(), Engaged()
        keys, bans = TwinKeys(realm), Bans(server.proven)
        guard = Guard(realm, Nonces(secrets.token_bytes(32), NonceLimits(elsewhere_s=0)))
        domains, switchboards = Domains([realm]), TwinSwitchboards(copy, self._living)
        listeners = sockets.bind(_LOOPBACK)
        failed: Exception | None = None
        async with (
            asyncio.TaskGroup() as tasks,
            listening(listeners, server, proven=server.proven, bans=bans) as transport,
        ):
            server.use(transport)
            authentication = Authentication(server, guard, keys, domains, bans, lambda _: None, tasks)
            registrar = TwinRegistrar(location, server.now)
            Requests(server, transport, authentication, domains, registrar, tasks)
            phones = Phones(server, transport, location, Parted())
            codes = TwinCodes(switchboards, self._settings.numbering.emergency_numbers)
            router = ExchangeRouter(
                self._settings, codes, switchboards, phones, engaged, domains, SystemRandom()
            )
            lamps = Subscriptions(
                server, authentication, domains, location, tasks, switchboards, NoNews()
            )

            def tell(event: Event) -> None:
                engaged.hear(event)
                lamps.lamps.hear(event)

            CallServing(server, authentication, phones, HastenedRouter(router, divisor), tell, tasks)
            shining = tasks.create_task(lamps.run())
            try:
                yield Twin(copy, listeners[0].local, keys, self._pace, switchboards)
            except Exception as error:
                # Not within the groups, which would wrap it.
                failed = error
            finally:
                shining.cancel()
                server.close()
        if failed is not None:
            raise failed


def without_gateway(settings: Settings) -> Settings:
    """The same, but that emergency calls go nowhere."""
    no_gateway = settings.sip.model_copy(update={"emergency_gateway": None})
    return settings.model_copy(update={"sip": no_gateway})
