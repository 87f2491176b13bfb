"""`GET /api/v1/events`: what happens with phones and calls, as server-sent events (WHATWG HTML §9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import AwareDatetime, BaseModel

from db.errors import StorageError
from provisioner.centrex.mac import MacAddress
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.calls import check_rights, logged_lines
from provisioner.operations.event_tail import End, EventTail, Subscription
from provisioner.operations.events import (
    CallKind,
    Detail,
    Event,
    Position,
    Wanted,
    check_mac,
    kinds_called,
)
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import check_names
from provisioner.web.streams import HEARTBEAT, Streams, frame

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
    "None: of a line that no listed phone is known to hold, or of a call."
    customer: str
    "Login of the customer whose phone or line it is."
    source: str
    "The address that the report or request came from; empty for a call."
    details: Mapping[str, Detail]


class EndBody(BaseModel):
    """The `data` of the last event of a stream."""

    reason: End


@dataclass(frozen=True, slots=True)
class EventStreams:
    """The tail, and what its readers are granted."""

    tail: EventTail
    granted: Streams = field(default_factory=Streams)


EVENT_STREAMS = web.AppKey("event_streams", EventStreams)


async def events(request: web.Request, bearer: Bearer) -> web.StreamResponse:
    """The stream, until somebody ends it."""
    streams = request.app[EVENT_STREAMS]
    wanted, after = await _asked_for(request, bearer)
    begin = asyncio.timeout(_BEGIN_S)
    with streams.granted.admitted(request, bearer.token_id):
        async with begin, streams.tail.subscribed(wanted, after, token_id=bearer.token_id) as subscription:
            begin.reschedule(None)
            return await _stream(request, streams.granted, subscription)


async def _asked_for(request: web.Request, bearer: Bearer) -> tuple[Wanted, Position | None]:
    """What the query and the header say. Raises `BadValue`, and `NotFound` for a phone not to be seen."""
    check_names(request.query, PARAMETERS)
    names = [kind for value in request.query.getall("kind", []) for kind in value.split(",")]
    kinds, mac = kinds_called(names), None
    if "mac" in request.query:
        mac = MacAddress.parse(request.query["mac"])
    lines: frozenset[str] | None = None
    async with request.app[INSTALLATION].database.read() as session:
        if mac is not None:
            await check_mac(session, mac, bearer.customer_id)
        if bearer.customer_id is not None:
            if kinds <= frozenset(CallKind):
                await check_rights(session, bearer.customer_id)
            lines = await logged_lines(session, bearer.customer_id)
    # A browser that comes back repeats the address that it was given, so the header is the newer of the two.
    said = request.headers.get("Last-Event-ID") or request.query.get("after")
    after = Position.parse(said) if said else None
    return Wanted(bearer.customer_id, mac, kinds, lines), after


async def _stream(
    request: web.Request, streams: Streams, subscription: Subscription
) -> web.StreamResponse:
    response = await streams.begin(request)
    text = streams.first_line
    end: End | None = None
    # A peer that has gone ends the stream, and a database that can't be read: the peer comes back.
    with suppress(ConnectionError, StorageError):
        while await streams.send(request, response, text) and end is None:
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
        return HEARTBEAT
    return "".join(_frame(event.kind, _body(event), event.position) for event in found)


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
    """One event as it goes out. JSON has no line ends."""
    return frame(kind, body.model_dump_json(), position)
