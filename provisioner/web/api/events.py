"""`GET /api/v1/events`: what happens with phones and lines, as server-sent events (WHATWG HTML §9.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import AwareDatetime, BaseModel

from db.errors import StorageError
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.event_tail import End, EventTail, Subscription
from provisioner.operations.events import Detail, Event, Position, Wanted, check_mac, kinds_called
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.problems import TooManyStreams

logger = logging.getLogger(__name__)

STREAM_TYPE = "text/event-stream"
ENDED = "stream.ended"
"The last event of a stream that the server ends. It has no id: going on begins where one was."
PARAMETERS = frozenset({"kind", "mac", "after"})

_BEGIN_S = 10
"So long may a subscription take to begin; then the database is not well."


class EventBody(BaseModel):
    """The `data` of an event."""

    kind: str
    at: AwareDatetime
    "In UTC."
    mac: str | None
    "None: of a line that no listed phone is known to hold."
    customer: str
    "Login of the customer whose phone or line it is."
    source: str
    "The address that the report or request came from."
    details: Mapping[str, Detail]


class EndBody(BaseModel):
    """The `data` of the last event of a stream."""

    reason: End


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A stream that is open."""

    token_id: int
    transport: asyncio.Transport | None

    @property
    def has_peer(self) -> bool:
        """Whether somebody may still be at the other end."""
        return self.transport is not None and not self.transport.is_closing()


@dataclass(slots=True)
class EventStreams:
    """The tail, and what its readers are granted."""

    tail: EventTail
    heartbeat_s: float = 15
    "A silent stream says that it lives: proxies cut what says nothing for a minute."
    send_s: float = 30
    "A reader that takes nothing for so long is cut off."
    retry_ms: int = 2000
    "After so long a reader that was cut off should come back."
    most: int = 1000
    "Streams at a time of this process."
    most_of_token: int = 20
    _open: set[_Open] = field(default_factory=set)

    @contextmanager
    def admitted(self, request: web.Request, token_id: int) -> Iterator[None]:
        """Counts a stream while the context lasts. Raises `TooManyStreams`."""
        # One whose peer has gone finds that out at its next heartbeat; it takes nobody's place until then.
        live = [each.token_id for each in self._open if each.has_peer]
        if len(live) >= self.most or live.count(token_id) >= self.most_of_token:
            raise TooManyStreams("too many streams are open: close one, or try again later")
        mine = _Open(token_id, request.transport)
        self._open.add(mine)
        try:
            yield
        finally:
            self._open.discard(mine)


EVENT_STREAMS = web.AppKey("event_streams", EventStreams)


async def events(request: web.Request, bearer: Bearer) -> web.StreamResponse:
    """The stream, until somebody ends it."""
    streams = request.app[EVENT_STREAMS]
    wanted, after = await _asked_for(request, bearer)
    begin = asyncio.timeout(_BEGIN_S)
    with streams.admitted(request, bearer.token_id):
        async with begin, streams.tail.subscribed(wanted, after, token_id=bearer.token_id) as subscription:
            begin.reschedule(None)
            return await _stream(request, streams, subscription)


async def _asked_for(request: web.Request, bearer: Bearer) -> tuple[Wanted, Position | None]:
    """What the query and the header say. Raises `BadValue`, and `NotFound` for a phone not to be seen."""
    unknown = request.query.keys() - PARAMETERS
    if unknown:
        raise BadValue(f"there is no parameter {min(unknown)!r}: use {', '.join(sorted(PARAMETERS))}")
    kinds = [kind for value in request.query.getall("kind", []) for kind in value.split(",")]
    mac = MacAddress.parse(request.query["mac"]) if "mac" in request.query else None
    if mac is not None:
        async with request.app[INSTALLATION].database.read() as session:
            await check_mac(session, mac, bearer.customer_id)
    # A browser that comes back repeats the address that it was given, so the header is the newer of the two.
    said = request.headers.get("Last-Event-ID") or request.query.get("after")
    after = Position.parse(said) if said else None
    return Wanted(bearer.customer_id, mac, kinds_called(kinds)), after


async def _stream(
    request: web.Request, streams: EventStreams, subscription: Subscription
) -> web.StreamResponse:
    response = web.StreamResponse(
        # The last one: nginx passes on what comes when it comes.
        headers={"Content-Type": STREAM_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    text = f"retry: {streams.retry_ms}\n\n"
    end: End | None = None
    # A peer that has gone ends the stream, and a database that can't be read: the peer comes back.
    with suppress(ConnectionError, StorageError):
        while await _sent(request, response, text, streams.send_s) and end is None:
            text = await _next(subscription, streams.heartbeat_s)
            end = subscription.has_ended
            if end is not None:
                text += _frame(ENDED, EndBody(reason=end))
    return response


async def _next(subscription: Subscription, heartbeat_s: float) -> str:
    try:
        async with asyncio.timeout(heartbeat_s):
            found = await subscription.next()
    except TimeoutError:
        return ": still here\n\n"
    return "".join(_frame(event.kind, _body(event), event.position) for event in found)


async def _sent(request: web.Request, response: web.StreamResponse, text: str, longest_s: float) -> bool:
    """Whether the peer took it."""
    try:
        async with asyncio.timeout(longest_s):
            await response.write(text.encode())
    except TimeoutError:
        logger.info("event stream cut off source=%s", request.remote)
        if request.transport is not None:
            request.transport.abort()
        return False
    return True


def _body(event: Event) -> EventBody:
    return EventBody(
        kind=event.kind,
        at=event.at,
        mac=str(event.mac) if event.mac is not None else None,
        customer=event.customer,
        source=event.source,
        details=event.details,
    )


def _frame(kind: str, body: BaseModel, position: Position | None = None) -> str:
    """One event as it goes out. JSON has no line ends, so one `data:` line holds it."""
    where = f"id: {position}\n" if position is not None else ""
    return f"{where}event: {kind}\ndata: {body.model_dump_json()}\n\n"
