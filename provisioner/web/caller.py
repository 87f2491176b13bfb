"""One connection of a client: aiohttp's protocol, which tells the doorkeeper what happens on it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from provisioner.web.arrival import CLEAR_TEXT, arrival_over
from provisioner.web.doorkeeper import Doorkeeper, Place
from provisioner.web.log import server_logger

_LINGER_S = 2.0
"""How long the rest of a refused body is read and thrown away: closing over it would make the kernel send a
reset, which can overtake the answer (RFC 9112 §9.6)."""


class Caller(web.RequestHandler):
    """Its hooks cost less than a microsecond a request."""

    __slots__ = ("_keeper", "_place", "arrival", "received_at")

    def __init__(self, manager: web.Server, keeper: Doorkeeper, place: Place | None) -> None:
        """`place`: where there is one already; else one is taken when the connection is made."""
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            # Paths hold tokens.
            access_log=None,  # type: ignore[arg-type]
            logger=server_logger,
            lingering_time=_LINGER_S,
            # The doorkeeper's deadlines are shorter.
            tcp_keepalive=False,
        )
        self._keeper = keeper
        self._place = place
        self.arrival = CLEAR_TEXT
        "How its requests come in."
        self.received_at = 0.0
        "When the last bytes came, by the monotonic clock."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ends at once where there is no place."""
        end = cast(asyncio.Transport, transport).abort
        if self._place is None:
            peer: Any = transport.get_extra_info("peername")
            # Who is gone already has no name.
            self._place = self._keeper.enter(peer[0], end) if peer else None
            if self._place is None:
                end()
                return
        else:
            self._place.drop = end
            self.arrival = arrival_over(transport.get_extra_info("ssl_object"))
            self._keeper.header_begins(self._place)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The place is free."""
        if self._place is not None:
            self._keeper.leave(self._place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes after an answer begin a request."""
        self.received_at = time.monotonic()
        if self._place is not None and self._keeper.is_idle(self._place):
            self._keeper.header_begins(self._place)
        super().data_received(data)

    def request_begins(self) -> None:
        """A header is whole."""
        if self._place is not None:
            self._keeper.request_begins(self._place)

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        """aiohttp calls it when an answer is written."""
        if self._place is not None:
            self._keeper.request_ends(self._place)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A request that can't be read or answered: it is not told why, nor what answers.

        Raises `ConnectionError` where half an answer is out.
        """
        if isinstance(exc, HttpProcessingError):
            self.logger.info("unreadable request error=%s", type(exc).__name__)
        else:
            self.log_exception("request failed status=%d", status, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out")
        text = b"Bad request.\n" if status == 400 else b"Try again later.\n"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Server": "centralka"}
        response = web.Response(status=status, body=text, headers=headers)
        response.force_close()
        return response


def caller_of(request: web.BaseRequest) -> Caller:
    """The connection of a request that came through a door."""
    return cast(Caller, request.protocol)
