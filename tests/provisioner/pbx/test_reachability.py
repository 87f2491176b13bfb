"""Phones are asked whether they are there, and only their own silence counts against them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

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


class Moving(Lines):
    """A phone that gets another flow before its answer by the old one is there, and is asked once more."""

    def __init__(self, location: Location) -> None:
        super().__init__(location, "nobody", ValueError())
        self.was_asked_again = asyncio.Event()
        self._has_moved = False

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        if self._has_moved:
            self.was_asked_again.set()
            await asyncio.Event().wait()
        (before,) = self.bindings("one")
        moved = replace(before, remote=Address("192.0.2.20", 9999))
        self._location.apply([Change(ChangeKind.MOVED, "one", moved, self._now(), before)])
        self._has_moved = True
        return Response(200)


def register(location: Location, line: str) -> None:
    now = asyncio.get_running_loop().time()
    contact, phone = f"sip:{line}@192.0.2.20", Address("192.0.2.20", 5060)
    binding = Binding(contact, line, 1, Transport.UDP, phone, SERVER, now, now, now + 600)
    location.apply([Change(ChangeKind.REGISTERED, line, binding, now)])


@asynccontextmanager
async def asking(phones: Lines, location: Location) -> AsyncIterator[None]:
    """The server asks phones as soon as they come."""
    reachability = Reachability(phones, location, Probes(lambda: 0.0), Kept())  # type: ignore[arg-type]
    running = asyncio.create_task(reachability.run())
    # It watches before anything happens.
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.parametrize("error", [TooManyTransactions("20000 are under way"), ValueError("our mistake")])
async def test_a_phone_that_could_not_be_asked_is_not_out_of_reach_and_costs_no_other(error: Exception):
    # One request without an answer would be enough.
    location = Location(unanswered=1)
    found = asyncio.Event()
    location.subscribe("two", found.set, {ChangeKind.REACHABLE})
    async with asking(Lines(location, "one", error), location):
        register(location, "one")
        register(location, "two")
        await found.wait()
    assert location.dead("one") == []


async def test_an_answer_by_the_old_flow_says_nothing_of_the_new_one():
    location = Location()
    phones = Moving(location)
    async with asking(phones, location):
        register(location, "one")
        await phones.was_asked_again.wait()
        (known,) = location.registered("one", asyncio.get_running_loop().time())
    assert known.binding.remote.port == 9999
    assert known.reachability.is_reachable is None
