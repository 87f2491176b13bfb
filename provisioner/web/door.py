"""A door: a bound socket, a server behind it, and a doorkeeper who lets connections in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any

from aiohttp import HttpVersion11, web

from provisioner.settings import BACKLOG
from provisioner.web.caller import Caller
from provisioner.web.doorkeeper import Doorkeeper, Place
from provisioner.web.handshakes import Handshakes
from provisioner.web.tls import Certificate

_SHUTDOWN_S = 3
"How long requests under way may take when the server ends."


@asynccontextmanager
async def door(
    listening: socket.socket, server: web.Server, keeper: Doorkeeper, certificate: Certificate | None = None
) -> AsyncIterator[None]:
    """Open while the context lasts, over TLS with a `certificate`.

    What `server` was told of how connections behave means nothing here. The socket is closed at the end.
    """
    # The kernel watches this for us on every connection that is accepted here (they inherit it): a client
    # that takes nothing of an answer, be its window shut or itself gone, is dropped (RFC 5482). One that
    # takes it slowly is not, whatever the answer's length.
    stalled_ms = keeper.limits.stalled_s * 1000
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled_ms)
    callers = _Callers(server, keeper)
    accepts = _in_clear if certificate is None else partial(_over_tls, certificate=certificate)
    try:
        async with accepts(listening, callers):
            yield
    finally:
        # What was accepted before has begun by then, and is not taken for idle.
        await asyncio.sleep(0)
        callers.pre_shutdown()
        await callers.shutdown(_SHUTDOWN_S)


@asynccontextmanager
async def _in_clear(listening: socket.socket, callers: _Callers) -> AsyncIterator[None]:
    accepting = await asyncio.get_running_loop().create_server(callers, sock=listening, backlog=BACKLOG)
    try:
        yield
    finally:
        accepting.close()


@asynccontextmanager
async def _over_tls(
    listening: socket.socket, callers: _Callers, certificate: Certificate
) -> AsyncIterator[None]:
    # Other processes may accept here, too: what was there may be gone when we look.
    listening.setblocking(False)
    with closing(listening):
        async with asyncio.TaskGroup() as tasks:
            handshakes = Handshakes(listening, certificate, callers.keeper, callers)
            running = tasks.create_task(handshakes.run(), name="handshakes")
            try:
                yield
            finally:
                running.cancel()


class _Callers(web.Server):
    """The connections of one door."""

    def __init__(self, server: web.Server, keeper: Doorkeeper) -> None:
        super().__init__(server.request_handler, request_factory=self._request)
        self._server = server
        self.keeper = keeper

    def __call__(self, place: Place | None = None) -> Caller:
        return Caller(self, self.keeper, place)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        """aiohttp calls it for every header that is whole, unreadable ones too."""
        protocol.request_begins()
        if message.version > HttpVersion11:
            # The answer would say the same version, and we speak no later one (RFC 9110 §6.2).
            message = message._replace(version=HttpVersion11)
        return self._server.request_factory(message, payload, protocol, writer, task)
