"""Following what the server says of one phone, live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.exchange import Exchange, Phone
from tests.e2e.softphones.program import LONGEST_S
from tests.e2e.softphones.soft_phone import Start
from tests.provisioner.web.streams import Frame, Stream, following

_LOOK_S = 0.1
"For what is no event, such as a refresh."
_BESIDE = {"line.reachable", "line.unreachable"}
"Come whenever the phone was asked."


@dataclass
class Watched:
    """A phone, as programs see it."""

    served: Exchange
    phone: Phone
    stream: Stream
    kinds: list[str] = field(default_factory=list)
    "Of all events so far, in order, but for those that only say whether it answers."

    async def event(self, kind: str) -> Frame:
        """The next event of this kind."""
        while True:
            frame = await self.stream.next()
            assert frame is not None, f"the stream ended before {kind} came: {self.kinds}"
            if frame.event not in _BESIDE:
                self.kinds.append(frame.event)
            if frame.event == kind:
                assert frame.data["details"]["line"] == self.phone.line
                return frame

    async def registration(self) -> dict[str, Any]:
        """The only one of its line."""
        (found,) = await self.served.registrations(self.phone)
        return found

    async def comes_to(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Its registration, when that is so."""
        found: list[dict[str, Any]] = []
        for _ in range(int(LONGEST_S / _LOOK_S)):
            found = await self.served.registrations(self.phone)
            if any(map(is_so, found)):
                return next(filter(is_so, found))
            await asyncio.sleep(_LOOK_S)
        raise AssertionError(f"it never came to that: {found}")


@asynccontextmanager
async def watching(served: Exchange, phone: Phone) -> AsyncIterator[Watched]:
    """What happens to the line of `phone` from now on."""
    async with following(served.running, served.token, f"?kind=line&mac={phone.mac}") as stream:
        yield Watched(served, phone, stream)


async def lives(seen: Watched, start: Start, user_agent: str) -> None:
    """A phone registers, refreshes, loses power, comes back elsewhere and says goodbye; all of it is seen."""
    phone = seen.phone
    async with start() as client:
        await client.registers()
        told = await seen.event("line.registered")
        assert told.data["mac"] == phone.mac
        assert told.data["details"]["transport"] == client.account.transport
        shown = await seen.registration()
        assert (shown["line"], shown["device"]["mac"]) == (phone.line, phone.mac)
        assert shown["state"] in ("registered", "reachable")
        assert shown["user_agent"] == user_agent
        answering = await seen.comes_to(lambda each: each["state"] == "reachable")
        assert answering["rtt_ms"] is not None
        await seen.comes_to(lambda each: each["refreshes"] >= 1)
        first = (await seen.registration())["contact"]
        await client.program.kill()
    async with start() as client:
        await client.registers()
        moved = await seen.event("line.moved")
        assert moved.data["details"]["contact"] != first
        await client.unregister()
    await seen.event("line.unregistered")
    assert (await seen.registration())["state"] == "unregistered"
    assert seen.kinds == ["line.registered", "line.moved", "line.unregistered"]
