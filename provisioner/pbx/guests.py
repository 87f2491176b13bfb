"""Guests: lines that are in no database, which make test calls in the living switchboard.

A guest is known by a key in memory alone and has its own router, by which nothing leaves the company. It may
register, and is where nobody looks for it: no call, lamp or page ever finds it. When its test ends, or the
server does, it is no more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from db.queries.call_records import LineOfCall
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import is_test_line
from provisioner.pbx.authentication import Caller as Proved
from provisioner.pbx.authentication import Keys
from provisioner.pbx.calls import Asked, Router
from provisioner.pbx.keys import LineKey
from provisioner.pbx.requests import Registrar
from provisioner.pbx.twin_sources import TwinRegistrar
from sip.call.errors import NoSuchNumber
from sip.call.replacing import Taker
from sip.call.ringing import Caller, Ringing
from sip.digest import Algorithm, ha1
from sip.location import Location
from sip.server import Incoming

_DIGITS = 15
"Of a guest's number, so that nobody meets one by chance."


@dataclass(frozen=True, slots=True)
class Guest:
    """One of them."""

    number: str
    exchange: Exchange
    "Of the company that it calls, and in it itself."
    router: Router
    key: LineKey


class Guests:
    """Those that are there now."""

    def __init__(self, realm: str) -> None:
        self._realm = realm
        self._guests: dict[str, Guest] = {}

    def __len__(self) -> int:
        return len(self._guests)

    def free_number(self) -> str:
        """One that nobody has."""
        return "0" + "".join(secrets.choice("0123456789") for _ in range(_DIGITS))

    def add(self, number: str, exchange: Exchange, router: Router) -> str:
        """A guest of that number; returns its password."""
        password = secrets.token_urlsafe(18)
        md5, sha256 = (ha1(each, number, self._realm, password) for each in Algorithm)
        self._guests[number] = Guest(number, exchange, router, LineKey(0, md5, sha256))
        return password

    def remove(self, number: str) -> None:
        """It is no more."""
        self._guests.pop(number, None)

    def get(self, number: str) -> Guest | None:
        """The guest of a number, if it is one's."""
        return self._guests.get(number)

    def as_caller(self, number: str) -> LineOfCall | None:
        """As whom records name it; None: it is no guest's."""
        guest = self._guests.get(number)
        if guest is None:
            return None
        exchange = guest.exchange
        own = exchange.extensions[exchange.extension_of[number]]
        return LineOfCall(None, exchange.customer_id, own.number, own.name)

    def of_company(self, customer_id: int) -> bool:
        """Whether a company has one."""
        return any(guest.exchange.customer_id == customer_id for guest in self._guests.values())


class GuestKeys:
    """Keys of lines, and of guests (`provisioner.pbx.authentication.Keys`)."""

    def __init__(self, guests: Guests, lines: Keys) -> None:
        self._guests = guests
        self._lines = lines

    def known(self, number: str) -> LineKey:
        """See `Keys`."""
        guest = self._guests.get(number)
        return self._lines.known(number) if guest is None else guest.key

    async def of(self, number: str) -> LineKey:
        """See `Keys`. Who is none any more is looked for as every other that is not there."""
        guest = self._guests.get(number)
        return await self._lines.of(number) if guest is None else guest.key


class GuestRegistrar:
    """Registrations of lines, and those of guests in a place of their own (`requests.Registrar`)."""

    def __init__(self, guests: Guests, lines: Registrar, now: Callable[[], float]) -> None:
        self._guests = guests
        self._lines = lines
        self._apart = TwinRegistrar(Location(), now)

    @property
    def is_full(self) -> bool:
        """See `Registrar`."""
        return self._lines.is_full

    def put(self, incoming: Incoming, caller: Proved) -> None:
        """See `Registrar`."""
        registrar = self._lines if self._guests.get(caller.number) is None else self._apart
        registrar.put(incoming, caller)


class GuestRouter:
    """Routes calls of lines as always, and those of guests by their own routers (`calls.Router`)."""

    def __init__(self, guests: Guests, lines: Router) -> None:
        self._guests = guests
        self._lines = lines

    async def route(
        self, asked: Asked, line: str, dialled: str, call: UUID, comes_of: UUID | None = None
    ) -> Ringing:
        """See `Router`."""
        return await self._of(line).route(asked, line, dialled, call, comes_of)

    async def taker(self, asked: Asked, line: str, dialled: str) -> Taker:
        """See `Router`."""
        return await self._of(line).taker(asked, line, dialled)

    def shown(self, line: str, to: str) -> Caller:
        """See `Router`."""
        guest = self._guests.get(line) or self._guests.get(to)
        return (self._lines if guest is None else guest.router).shown(line, to)

    def _of(self, line: str) -> Router:
        guest = self._guests.get(line)
        if guest is not None:
            return guest.router
        if is_test_line(line):
            # It was one when it dialled.
            raise NoSuchNumber("the test is over")
        return self._lines
