"""`/registrations/live`, `/calls/live`: the rows of a page, sent again when they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from db.errors import StorageError
from provisioner.operations.event_tail import Subscription
from provisioner.operations.events import Wanted
from provisioner.operations.sessions import Session
from provisioner.web.portal.pages import HEADERS
from provisioner.web.portal.staff import DESK, Desk
from provisioner.web.portal.visitors import session_in
from provisioner.web.streams import frame

ROWS: Final = "rows"
ALIVE: Final = "alive"
OVER: Final = "over"
"The session has ended: whoever reads it has to log in again."

_LOOK_S = 5.0
"What no event tells of is seen after so long: times that were heard, and what runs out by the clock."
_PAUSE_S = 0.1
"The least between two looks, however much happens; a look that takes longer is followed by as long a pause."
_BEGIN_S = 10
_OVER = frame(OVER, "{}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page at one moment."""

    rows: Mapping[str, str]
    "The HTML of each row by its key, in their order."
    counts: Mapping[str, int]
    "The numbers above them, by name."


Draw = Callable[[Desk], Awaitable[Drawn]]


async def follow(
    request: web.Request, session: Session, kinds: frozenset[str], draw: Draw
) -> web.StreamResponse:
    """The stream, until the browser or the session ends it. `kinds` of events make the page another."""
    desk = request.app[DESK]
    begin = asyncio.timeout(_BEGIN_S)
    with desk.streams.admitted(request, session.id_hash):
        async with begin, desk.tail.subscribed(Wanted(kinds=kinds)) as news:
            begin.reschedule(None)
            return await _Follower(request, desk, session, news, draw).run()


class _Follower:
    """One page that is open in a browser."""

    def __init__(
        self, request: web.Request, desk: Desk, session: Session, news: Subscription, draw: Draw
    ) -> None:
        self._request = request
        self._desk = desk
        self._session = session
        self._news = news
        self._draw = draw
        self._shown: Mapping[str, str] = {}
        "What the browser has: the rows' HTML by their keys."
        self._counts: Mapping[str, int] = {}
        self._has_looked = False
        self._pause_s = _PAUSE_S

    async def run(self) -> web.StreamResponse:
        response = await self._desk.streams.begin(self._request, HEADERS)
        text = self._desk.streams.first_line
        # A peer that has gone ends the stream, and a database that can't be read: the peer comes back.
        with suppress(ConnectionError, StorageError):
            while await self._desk.streams.send(self._request, response, text) and text != _OVER:
                if self._news.has_ended is not None:
                    break
                told = await self._look()
                text = told if await self._is_logged_in() else _OVER
        return response

    async def _is_logged_in(self) -> bool:
        # Standing open is not doing anything.
        found = await session_in(self._desk.installation, self._request, counts_as_use=False)
        return found is not None and found.id_hash == self._session.id_hash

    async def _look(self) -> str:
        """What is new, as it goes out, when something has happened, or might have."""
        if self._has_looked:
            await asyncio.sleep(self._pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    while not await self._news.next() and self._news.has_ended is None:
                        pass
        self._has_looked = True
        began = asyncio.get_running_loop().time()
        drawn = await self._draw(self._desk)
        self._pause_s = max(_PAUSE_S, asyncio.get_running_loop().time() - began)
        return self._told(drawn.rows, drawn.counts)

    def _told(self, rows: Mapping[str, str], counts: Mapping[str, int]) -> str:
        changed = {key: html for key, html in rows.items() if self._shown.get(key) != html}
        is_same = not changed and counts == self._counts and list(rows) == list(self._shown)
        self._shown, self._counts = rows, counts
        if is_same:
            return frame(ALIVE, "{}")
        told = {"order": list(rows), "changed": changed, "counts": counts}
        return frame(ROWS, json.dumps(told, ensure_ascii=False))
