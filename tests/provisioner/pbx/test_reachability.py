"""Phones are asked whether they are there, and only their own silence counts against them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from provisioner.pbx.reachability import Reachability
from sip.binding import Binding, Change, ChangeKind
from sip.location import Location
from sip.message.message import Request, Response
from sip.probing import Probes
from sip.transaction.errors import TooManyTransactions
from sip.transport.flow import Address, Flow, Transport
from tests.provisioner.pbx.registering import Wire

SERVER = Address("192.0.2.1", 5060)


class Kept:
    """Takes what is found out."""

    def heard(self, number: str, binding: Binding, rtt_s: float) -> None:
        pass

    def note(self, changes: Sequence[Change]) -> None:
        pass


class Lines:
    """Phones by line. One can't be asked, the others answer."""

    def __init__(self, location: Location, broken: str, error: Exception) -> None:
        self._location, self._broken, self._error = location, broken, error
        self._now = asyncio.get_running_loop().time

    def bindings(self, line: str) -> Sequence[Binding]:
        return self._location.bindings(line, self._now())

    def flow_of(self, binding: Binding) -> Wire:
        return Wire(binding.remote, Transport.UDP)

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        if self._broken in request.uri_text:
            raise self._error
        return Response(200)


@pytest.mark.parametrize("error", [TooManyTransactions("20000 are under way"), ValueError("our mistake")])
async def test_a_phone_that_could_not_be_asked_is_not_out_of_reach_and_costs_no_other(error: Exception):
    # One request without an answer would be enough.
    location = Location(unanswered=1)
    now = asyncio.get_running_loop().time()
    found = asyncio.Event()
    location.subscribe("two", found.set, {ChangeKind.REACHABLE})
    phones = Lines(location, "one", error)
    reachability = Reachability(phones, location, Probes(lambda: 0.0), Kept())  # type: ignore[arg-type]
    for line in ("one", "two"):
        contact, phone = f"sip:{line}@192.0.2.20", Address("192.0.2.20", 5060)
        binding = Binding(contact, line, 1, Transport.UDP, phone, SERVER, now, now, now + 600)
        location.apply([Change(ChangeKind.REGISTERED, line, binding, now)])
    running = asyncio.create_task(reachability.run())
    async with asyncio.timeout(10):
        await found.wait()
    running.cancel()
    await asyncio.wait([running])
    assert location.dead("one") == []
