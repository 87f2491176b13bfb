"""Doors for tests: a small server behind real sockets, with limits and a clock of the test's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from provisioner.settings import Limits
from provisioner.web.door import door
from provisioner.web.doorkeeper import Doorkeeper
from provisioner.web.sockets import bind
from provisioner.web.tls import Certificate

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = 20 * 2**20
"Bytes of a long answer: more than what any kernel keeps for a client."


@dataclass
class Clock:
    """Time stands still until the test moves it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Open:
    """A door that is open."""

    port: int
    keeper: Doorkeeper
    clock: Clock

    def sweep_after(self, seconds: float) -> None:
        """So much later, the doorkeeper looks round."""
        self.clock.now += seconds
        self.keeper.sweep()

    async def connect(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that says nothing yet."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))

    async def until(self, holds: Callable[[Doorkeeper], bool]) -> None:
        """The server has noticed."""
        while not holds(self.keeper):  # noqa: ASYNC110 - the server knows nothing of tests
            await asyncio.sleep(0.001)


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """`/` is short, `/long` is long, `/source` says who asks and how; a body is refused unread."""
    if request.path == "/long":
        response = web.StreamResponse(headers={"Content-Length": str(LONG)})
        await response.prepare(request)
        for _ in range(LONG // 2**16):
            await response.write(bytes(2**16))
        return response
    if request.path == "/broken":
        raise ZeroDivisionError("the reason")
    if request.method == "PUT":
        return web.Response(status=413, text="Too large.\n")
    return web.Response(text="good\n")


@asynccontextmanager
async def opened(certificate: Certificate | None = None, **limits: int) -> AsyncIterator[Open]:
    """A door on a free port."""
    clock = Clock()
    keeper = Doorkeeper(Limits.model_construct(**(Limits().model_dump() | limits)), clock)
    listening = bind("127.0.0.1:0")
    port = listening.getsockname()[1]
    async with door(listening, web.Server(answer), keeper, certificate):
        yield Open(port, keeper, clock)


def small_window(port: int) -> socket.socket:
    """A client that keeps little of what it gets, and takes nothing by itself."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    return client
