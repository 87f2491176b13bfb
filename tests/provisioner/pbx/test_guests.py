"""Who makes live test calls: lets himself be called by nobody, and calls nobody outside of the company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from provisioner.centrex.customer import Forwardings
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS
from provisioner.centrex.trial_caller import LIVE_NAME, with_caller
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.guests import GuestKeys, GuestRouter, Guests
from provisioner.pbx.keys import LineKey
from provisioner.pbx.live import OneCompany
from provisioner.pbx.router import ExchangeRouter
from provisioner.pbx.twin import without_gateway
from provisioner.pbx.twin_sources import NoServices
from provisioner.settings import Settings
from sip.call.errors import NoSuchNumber
from sip.call.ringing import Caller, Ring
from tests.provisioner.pbx.asking import asking
from tests.provisioner.pbx.switchboards import exchange, group, line_of, seeded, to
from tests.sip.call.ringing import Played, play

ONE, TWO, THREE = line_of("101"), line_of("102"), line_of("103")
OUTSIDE = line_of("101", "4822999")
HERE = exchange(
    group("600", "101", "102"),
    forwarding={"103": Forwardings(always=to(OUTSIDE))},
    short_numbers={"9": OUTSIDE},
)
THERE = exchange(customer_id=2, company="4822999")


class Both:
    """The switchboards of an installation with two companies (`provisioner.pbx.router.Switchboards`)."""

    def known(self, line: str) -> Exchange | None:
        return next((each for each in (HERE, THERE) if line in each.lines), None)

    async def of_line(self, line: str) -> Exchange | None:
        return self.known(line)

    async def elsewhere(self, exchange: Exchange, dialled: str) -> Mapping[str, Exchange]:
        return {OUTSIDE: THERE}


@dataclass
class Server:
    """A server with one guest, at which all phones are registered."""

    guests: Guests = field(default_factory=lambda: Guests("pbx"))
    guest: str = ""
    extension: str = ""
    "The guest's."

    def __post_init__(self) -> None:
        settings = Settings()
        sip = settings.sip.model_copy(update={"emergency_gateway": "192.0.2.30:5090"})
        settings = settings.model_copy(update={"sip": sip})
        phones: Any = SimpleNamespace(bindings=lambda line: (line,))

        def routes(settings: Settings, switchboards: Both | OneCompany) -> ExchangeRouter:
            return ExchangeRouter(
                settings, NoServices(), switchboards, phones, Engaged(), Domains(["pbx"]), seeded(1)
            )

        self.guest = self.guests.free_number()
        copy = with_caller(HERE, POLISH_EMERGENCY_NUMBERS, self.guest, LIVE_NAME)
        self.extension = copy.extension_of[self.guest]
        self.guests.add(self.guest, copy, routes(without_gateway(settings), OneCompany(copy)))
        self.router = GuestRouter(self.guests, routes(settings, Both()))

    async def played(self, line: str, dialled: str) -> Played:
        return play(await self.router.route(asking(dialled), line, dialled, uuid4()))


@pytest.fixture
def server() -> Server:
    return Server()


async def test_it_rings_people_of_the_company_and_is_shown_by_its_name(server: Server):
    played = await server.played(server.guest, "600")
    assert played.rang == [ONE, TWO]
    shown = {step.target.caller for _, step in played.steps if isinstance(step, Ring)}
    assert shown == {Caller(server.extension, LIVE_NAME)}


@pytest.mark.parametrize("dialled", ["103", OUTSIDE, "9", "112"])
async def test_nobody_outside_is_rung_by_it_whom_others_would_ring(server: Server, dialled: str):
    assert (await server.played(server.guest, dialled)).rang == []
    assert (await server.played(ONE, dialled)).rang == [OUTSIDE if dialled != "112" else "112"]


async def test_nobody_can_call_it(server: Server):
    for line in (ONE, OUTSIDE):
        for dialled in (server.guest, server.extension):
            played = await server.played(line, dialled)
            assert (played.rang, played.refused and played.refused.status) == ([], 404)


async def test_when_it_is_gone_its_calls_are_refused_and_its_password_is_nobody_s(server: Server):
    decoy = LineKey(None, "1", "2")

    class NoLines:
        def known(self, number: str) -> LineKey:
            return decoy

        async def of(self, number: str) -> LineKey:
            return decoy

    keys = GuestKeys(server.guests, NoLines())
    assert keys.known(server.guest) is await keys.of(server.guest) is not decoy
    assert server.guests.as_caller(server.guest) == (None, HERE.customer_id, server.extension, LIVE_NAME)
    assert server.guests.of_company(HERE.customer_id)
    server.guests.remove(server.guest)
    assert keys.known(server.guest) is await keys.of(server.guest) is decoy
    assert server.guests.as_caller(server.guest) is None
    assert not server.guests.of_company(HERE.customer_id)
    with pytest.raises(NoSuchNumber):
        await server.played(server.guest, "600")
