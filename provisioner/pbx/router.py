"""Whom a call rings: brings together what `routing` decides by."""

from __future__ import annotations

from random import Random

from provisioner.pbx.authentication import Caller
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.phones import Phones
from provisioner.pbx.routing import Routing, Surroundings
from sip.call.errors import NoSuchNumber
from sip.call.ringing import Ringing
from sip.message.uri import SipUri, TelUri, Uri
from sip.server import Incoming


class ExchangeRouter:
    """Routes calls by what the caller's customer, and those that it leads to, have set."""

    def __init__(
        self,
        exchanges: Exchanges,
        phones: Phones,
        engaged: Engaged,
        domains: Domains,
        random: Random,
        emergency_numbers: frozenset[str],
        emergency_gateway: SipUri | None,
    ) -> None:
        self._exchanges = exchanges
        self._phones = phones
        self._engaged = engaged
        self._domains = domains
        self._random = random
        self._emergency_numbers = emergency_numbers
        self._emergency_gateway = emergency_gateway

    async def route(self, incoming: Incoming, caller: Caller, dialled: str) -> Ringing:
        """See `provisioner.pbx.calls.Router`."""
        exchange = await self._exchanges.of_line(caller.number)
        if exchange is None:
            # The line has gone since it proved itself.
            raise NoSuchNumber("the caller's line is gone")
        elsewhere = await self._exchanges.elsewhere(exchange, dialled)

        def line_of(uri: Uri) -> str | None:
            return uri.digits if isinstance(uri, TelUri) else self._domains.line_of(uri, incoming.flow)

        around = Surroundings(
            elsewhere=lambda number: elsewhere.get(number) or self._exchanges.known(number),
            is_registered=lambda line: bool(self._phones.bindings(line)),
            calls_of=self._engaged.calls_of,
            last_answered=self._engaged.last_answered,
            line_of=line_of,
            random=self._random,
            emergency_numbers=self._emergency_numbers,
            emergency_gateway=self._emergency_gateway,
        )
        return Routing(exchange, caller.number, around).to(dialled)
