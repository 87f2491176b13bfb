"""What a tool sends goes on from an address of its own, and answers come back as the test would have them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sip.transport.flow import Address


@dataclass
class Relay:
    """One tool's way to the server, over UDP."""

    listens: Address
    "What the tool takes for the server."
    sent: list[bytes] = field(default_factory=list)
    "By the tool."
    answers: list[bytes] = field(default_factory=list)
    "Of the server."


class _Side(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Address], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, Address(*addr))


@asynccontextmanager
async def relaying(
    server: Address,
    at: str,
    source: str,
    change: Callable[[bytes], bytes],
    disguise: Callable[[bytes], bytes],
) -> AsyncIterator[Relay]:
    """A tool asks it at the address `at`; it sends on to `server` from the address `source`.

    Answers go back as `change` makes them, and what is asked goes on as `disguise` makes it.
    """
    loop = asyncio.get_running_loop()
    tool: list[Address] = []

    def out(data: bytes, sender: Address) -> None:
        tool[:] = [sender]
        relay.sent.append(data)
        outside.sendto(disguise(data), server)

    def back(data: bytes, _: Address) -> None:
        relay.answers.append(data)
        inside.sendto(change(data), tool[0])

    inside, _ = await loop.create_datagram_endpoint(lambda: _Side(out), (at, 0))
    outside, _ = await loop.create_datagram_endpoint(lambda: _Side(back), (source, 0))
    try:
        relay = Relay(Address(*inside.get_extra_info("sockname")))
        yield relay
    finally:
        inside.close()
        outside.close()
