"""What becomes of a call: brings together what `routing` decides by, and has codes carried out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from random import Random
from typing import Protocol
from uuid import UUID

from provisioner.centrex.codes import Disturb, Forward, Hide, LogIn, code_in
from provisioner.centrex.exchange import Exchange
from provisioner.pbx.calls import Asked
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.phones import Phones
from provisioner.pbx.room import Surroundings
from provisioner.pbx.routing import Routing, emergency_call
from provisioner.settings import Settings, split_address
from sip.call.errors import NoSuchNumber, NotHere
from sip.call.replacing import Taker
from sip.call.ringing import Caller, Outcome, Ringing, Target
from sip.call.tree.phone import Refusal
from sip.message.message import Request
from sip.message.uri import SipUri, TelUri, Uri
from sip.transport.flow import Address

logger = logging.getLogger(__name__)


class Switchboards(Protocol):
    """Where customers' switchboards are found (see `provisioner.pbx.exchange.Exchanges`)."""

    def known(self, line: str) -> Exchange | None:
        """Of the customer of a line, without a look; None: nothing that may be believed now."""

    async def of_line(self, line: str) -> Exchange | None:
        """Of the customer of a line; None: there is no such line. Raises `StorageError`."""

    async def elsewhere(self, exchange: Exchange, dialled: str) -> Mapping[str, Exchange]:
        """Those that a call to `dialled` may come to, by their lines' numbers. Raises `StorageError`."""


class Services(Protocol):
    """Who does what feature codes say (see `provisioner.pbx.codes.Codes`)."""

    async def carry_out(self, line: str, code: Forward | Disturb | LogIn) -> Ringing:
        """Does what the phone of a line has dialled. Raises `StorageError`."""


class ExchangeRouter:
    """Routes calls by what the caller's customer, and those that it leads to, have set."""

    def __init__(
        self,
        settings: Settings,
        codes: Services,
        exchanges: Switchboards,
        phones: Phones,
        engaged: Engaged,
        domains: Domains,
        random: Random,
    ) -> None:
        self._codes = codes
        self._exchanges = exchanges
        self._phones = phones
        self._engaged = engaged
        self._domains = domains
        self._random = random
        self._emergency_numbers = settings.numbering.emergency_numbers
        self._emergency_gateway = None
        if settings.sip.emergency_gateway is not None:
            gateway = Address(*split_address(settings.sip.emergency_gateway))
            self._emergency_gateway = SipUri(gateway.uri_host, port=gateway.port)

    async def route(
        self, asked: Asked, line: str, dialled: str, call: UUID, comes_of: UUID | None = None
    ) -> Ringing:
        """See `provisioner.pbx.calls.Router`."""
        if dialled in self._emergency_numbers:
            # Before anything is looked up: it must not fail because that fails.
            return emergency_call(line, dialled, self._emergency_gateway)
        await self._check_is_here(asked, dialled)
        exchange = await self._exchanges.of_line(line)
        if exchange is None:
            # The line has gone since it proved itself.
            raise NoSuchNumber("the caller's line is gone")
        is_hidden = _wants_privacy(asked.request)
        match code_in(exchange.codes, dialled):
            case None:
                pass
            case Hide("", _):
                return Refusal(Outcome.REFUSED, 484)
            case Hide(number, hides):
                dialled, is_hidden = number, hides
            case code:
                return await self._codes.carry_out(line, code)
        elsewhere = await self._exchanges.elsewhere(exchange, dialled)

        def line_of(uri: Uri) -> str | None:
            return uri.digits if isinstance(uri, TelUri) else self._domains.line_of(uri, asked.flow)

        own = (call,) if comes_of is None else (call, comes_of)
        around = Surroundings(
            elsewhere=lambda number: elsewhere.get(number) or self._exchanges.known(number),
            is_registered=lambda line: bool(self._phones.bindings(line)),
            calls_of=lambda line: self._engaged.calls_of(line, (call,)),
            calls_among=lambda lines: self._engaged.calls_among(lines, own),
            last_answered=self._engaged.last_answered,
            line_of=line_of,
            random=self._random,
            emergency_numbers=self._emergency_numbers,
            emergency_gateway=self._emergency_gateway,
        )
        is_transfer = asked.request.method == "REFER"
        return Routing(exchange, line, around, is_hidden, is_transfer).to(dialled)

    async def taker(self, asked: Asked, line: str, dialled: str) -> Taker:
        """See `provisioner.pbx.calls.Router`: those of its own company, and no one else's."""
        await self._check_is_here(asked, dialled)
        exchange = await self._exchanges.of_line(line)

        def may(other: str, target: Target | None) -> bool:
            if exchange is None or other not in exchange.lines:
                return False
            return target is None or _may_pick_up(exchange, line, target)

        def has_room(other: str) -> bool:
            if exchange is None:
                return False
            if self._engaged.calls_of(line) >= exchange.most_calls(line):
                return False
            site = exchange.site_of(line)
            # Where the other one is, or whom it talks to, the call is counted already.
            there = self._engaged.calls(other)
            return site is None or self._engaged.calls_among(site.lines, there) < site.most_calls

        return Taker(line, dialled, may, _wants_privacy(asked.request), has_room)

    async def _check_is_here(self, asked: Asked, dialled: str) -> None:
        """Who calls `sip:102@elsewhere.example` means somebody else's 102 (RFC 3261 §8.2.2.1).

        Raises `NotHere`, `StorageError`.
        """
        if isinstance(asked.uri, SipUri) and not await self._domains.has(asked.uri, asked.flow):
            logger.info("somebody else's number uri=%s source=%s", asked.uri, asked.flow.remote)
            raise NotHere(dialled, asked.uri.host)

    def shown(self, line: str, to: str) -> Caller:
        """See `provisioner.pbx.calls.Router`: extension and name for colleagues, else the number."""
        exchange = self._exchanges.known(line)
        own = None if exchange is None or to not in exchange.lines else exchange.extension_of_line(line)
        return Caller(line) if own is None else Caller(own.number, own.name)


def _may_pick_up(exchange: Exchange, line: str, target: Target) -> bool:
    """Whether a line may answer what rings for groups: who is in one may, others if they all let it."""
    own = exchange.extension_of_line(line)
    groups = [exchange.groups[each.group] for each in target.memberships if each.group in exchange.groups]
    if own is not None and any(each.extension == own.number for group in groups for each in group.members):
        return True
    return all(group.pickup_allowed for group in groups)


def _wants_privacy(request: Request) -> bool:
    """Whether the phone itself asks not to say who calls (RFC 3323 §4.2)."""
    asked = {word.strip().lower() for value in request.headers.all("Privacy") for word in value.split(";")}
    return bool(asked - {"", "none", "critical"})
