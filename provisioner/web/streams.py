"""Server-sent events (WHATWG HTML §9.2): who may have a stream, and how one goes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

from provisioner.centrex.errors import CentralkaError

logger = logging.getLogger(__name__)

STREAM_TYPE = "text/event-stream"


class TooManyStreams(CentralkaError):
    """A limit of open streams is reached."""

    code = "too-many-streams"


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A stream that is open."""

    whose: Hashable
    transport: asyncio.Transport | None

    @property
    def has_peer(self) -> bool:
        """Whether somebody may still be at the other end."""
        return self.transport is not None and not self.transport.is_closing()


@dataclass(slots=True)
class Streams:
    """The streams of one kind, and what their readers are granted."""

    heartbeat_s: float = 15
    "A silent stream says that it lives: proxies cut what says nothing for a minute."
    send_s: float = 30
    "A reader that takes nothing for so long is cut off."
    retry_ms: int = 2000
    "After so long a reader that was cut off should come back."
    most: int = 1000
    "Streams at a time of this process."
    most_of_each: int = 20
    "Of one reader."
    _open: set[_Open] = field(default_factory=set)

    @contextmanager
    def admitted(self, request: web.Request, whose: Hashable) -> Iterator[None]:
        """Counts a stream while the context lasts. Raises `TooManyStreams`."""
        # One whose peer has gone finds that out at its next heartbeat; it takes nobody's place until then.
        live = [each.whose for each in self._open if each.has_peer]
        if len(live) >= self.most or live.count(whose) >= self.most_of_each:
            raise TooManyStreams("too many streams are open: close one, or try again later")
        mine = _Open(whose, request.transport)
        self._open.add(mine)
        try:
            yield
        finally:
            self._open.discard(mine)

    async def begin(
        self, request: web.Request, headers: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """A stream that has said nothing yet. A peer that has gone already is found at the first `send`."""
        response = web.StreamResponse(
            # The last one: nginx passes on what comes when it comes.
            headers={
                "Content-Type": STREAM_TYPE,
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
                **(headers or {}),
            }
        )
        with suppress(ConnectionError):
            await response.prepare(request)
        return response

    async def send(self, request: web.Request, response: web.StreamResponse, text: str) -> bool:
        """Whether the peer took it. Raises `ConnectionError` where it has gone."""
        try:
            async with asyncio.timeout(self.send_s):
                await response.write(text.encode())
        except TimeoutError:
            logger.info("event stream cut off source=%s", request.remote)
            if request.transport is not None:
                request.transport.abort()
            return False
        return True

    @property
    def first_line(self) -> str:
        """What a stream begins with."""
        return f"retry: {self.retry_ms}\n\n"


HEARTBEAT = ": still here\n\n"


def frame(kind: str, data: str, position: object = None) -> str:
    """One event as it goes out; `data` has no line ends."""
    where = f"id: {position}\n" if position is not None else ""
    return f"{where}event: {kind}\ndata: {data}\n\n"
