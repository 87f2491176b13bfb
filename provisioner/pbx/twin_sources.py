"""What answers for the database in a twin: each as its living counterpart does, from memory.

Whatever is done to it, nobody's phone, row or lamp notices.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from random import random
from uuid import UUID

from provisioner.centrex.codes import Disturb, Forward, LogIn
from provisioner.centrex.errors import BadValue
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.services import done
from provisioner.operations.installation import utc_now
from provisioner.pbx.authentication import Caller as Proved
from provisioner.pbx.calls import Asked
from provisioner.pbx.keys import LineKey
from provisioner.pbx.router import ExchangeRouter, Switchboards
from sip.call.hastened import Hastened
from sip.call.replacing import Taker
from sip.call.ringing import Caller, Outcome, Ringing
from sip.call.tree.done import Done
from sip.call.tree.phone import Refusal
from sip.digest import Algorithm, ha1
from sip.location import Location
from sip.registrar import Origin, register
from sip.registrar_contact import Limits
from sip.server import Incoming
from sip.tags import new_tag


class TwinKeys:
    """Keys of the lines that have phones in the twin (`provisioner.pbx.authentication.Keys`)."""

    def __init__(self, realm: str) -> None:
        self._realm = realm
        self._keys: dict[str, LineKey] = {}
        self._decoy = LineKey(None, secrets.token_hex(16), secrets.token_hex(32))

    def make(self, line: str) -> str:
        """A password for a line, good from now on; the one before it is not."""
        password = secrets.token_urlsafe(18)
        md5, sha256 = (ha1(each, line, self._realm, password) for each in Algorithm)
        self._keys[line] = LineKey(len(self._keys) + 1, md5, sha256)
        return password

    def known(self, number: str) -> LineKey:
        """That of a line, or a decoy."""
        return self._keys.get(number, self._decoy)

    async def of(self, number: str) -> LineKey:
        """The same: there is nowhere else to look."""
        return self.known(number)


class TwinSwitchboards:
    """The copy of one customer's switchboard, and those of others as they are (`router.Switchboards`)."""

    def __init__(self, copy: Exchange, living: Switchboards) -> None:
        self.copy = copy
        "As it is now."
        self._living = living

    def known(self, line: str) -> Exchange | None:
        """See `Switchboards`."""
        return self.copy if line in self.copy.lines else self._own(self._living.known(line))

    async def of_line(self, line: str) -> Exchange | None:
        """See `Switchboards`."""
        return self.copy if line in self.copy.lines else self._own(await self._living.of_line(line))

    async def elsewhere(self, exchange: Exchange, dialled: str) -> Mapping[str, Exchange]:
        """See `Switchboards`."""
        found = await self._living.elsewhere(exchange, dialled)
        return {line: self._own(each) or each for line, each in found.items()}

    def _own(self, exchange: Exchange | None) -> Exchange | None:
        """The copy where the living one was found."""
        if exchange is not None and exchange.customer_id == self.copy.customer_id:
            return self.copy
        return exchange


class TwinRegistrar:
    """Keeps registrations in memory alone (`provisioner.pbx.requests.Registrar`)."""

    is_full = False

    def __init__(self, location: Location, now: Callable[[], float]) -> None:
        self._location = location
        self._now = now
        self._limits = Limits()

    def put(self, incoming: Incoming, caller: Proved) -> None:
        """Does it at once. Raises `SipError`."""
        number, now, origin = caller.number, self._now(), Origin.of(incoming.flow)
        self._location.expire(now)
        held = self._location.bindings(number, now)
        decision = register(incoming.request, number, origin, held, now, self._limits, random)
        self._location.apply(decision.changes)
        incoming.answer(decision.response(incoming.request, utc_now(), new_tag()))


class NoNews:
    """Nobody changes a twin from outside (`provisioner.pbx.subscriptions.Changes`)."""

    def on_news(self, hear: Callable[[Sequence[str]], None]) -> None:
        """There will be none."""


class TwinCodes:
    """A code that is dialled in a twin changes the copy alone (`provisioner.pbx.router.Services`)."""

    def __init__(self, switchboards: TwinSwitchboards, emergency_numbers: frozenset[str]) -> None:
        self._switchboards = switchboards
        self._emergency_numbers = emergency_numbers

    async def carry_out(self, line: str, code: Forward | Disturb | LogIn) -> Ringing:
        """Refuses what can't be done, as the living server does."""
        here = self._switchboards
        try:
            here.copy = done(here.copy, line, code, self._emergency_numbers)
        except BadValue:
            return Refusal(Outcome.REFUSED, 403)
        return Done()


class NoServices:
    """Codes that are dialled change nothing (`provisioner.pbx.router.Services`)."""

    async def carry_out(self, line: str, code: Forward | Disturb | LogIn) -> Ringing:
        """Refuses it."""
        return Refusal(Outcome.REFUSED, 403, "Codes change nothing in a test")


class HastenedRouter:
    """Routes as the engine's router does, and divides all ring times (`provisioner.pbx.calls.Router`)."""

    def __init__(self, router: ExchangeRouter, divisor: float) -> None:
        self._router = router
        self._divisor = divisor

    async def route(
        self, asked: Asked, line: str, dialled: str, call: UUID, comes_of: UUID | None = None
    ) -> Ringing:
        """See `Router`."""
        ringing = await self._router.route(asked, line, dialled, call, comes_of)
        return ringing if self._divisor == 1 else Hastened(ringing, self._divisor)

    async def taker(self, asked: Asked, line: str, dialled: str) -> Taker:
        """See `Router`."""
        return await self._router.taker(asked, line, dialled)

    def shown(self, line: str, to: str) -> Caller:
        """See `Router`."""
        return self._router.shown(line, to)
