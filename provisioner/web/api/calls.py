"""`/api/v1/calls`: calls that were made, calls that live, and their end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from aiohttp import web
from multidict import MultiMapping
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from provisioner.centrex.errors import BadValue
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.calls import MOST_CALLS, Wanted, list_calls, show_call
from provisioner.operations.hanging_up import Switchboard, hang_up
from provisioner.operations.missing import no_call
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import (
    LONGEST_TEXT,
    MOST_ID,
    Body,
    answer,
    check_listing,
    number_in,
    switch_in,
)

SWITCHBOARD = web.AppKey("switchboard", Switchboard)
LIVE_PARAMETERS = frozenset({"customer", "line", "group", "text", "cursor", "limit"})
PARAMETERS = LIVE_PARAMETERS | {"answered", "since", "until"}
USUAL_CALLS: Final = 100
"Of a page, unless `limit` says otherwise."
_MOMENT = TypeAdapter(AwareDatetime)


class LegBody(Body):
    """A line that was tried for a call."""

    line: str | None
    extension: str | None
    name: str | None
    groups: tuple[str, ...]
    "The hunt groups by which it was reached, outermost first."
    phones: int
    "How many were asked; 0: it was not registered."
    began_at: AwareDatetime | None
    rang_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    reason: str | None
    "Why it ended; null: it rings."
    status: int | None


class CallBody(Body):
    """One call."""

    id: UUID
    customer: str
    "The customer's login."
    direction: str
    sip_call_id: str | None
    from_number: str
    from_name: str | None
    line: str | None
    "The caller's."
    to_number: str
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    "Null: it lives."
    end: str | None
    status: int | None
    "What the caller was told."
    legs: tuple[LegBody, ...]


class CallsBody(BaseModel):
    """A page of calls, the newest first."""

    calls: list[CallBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


async def calls(request: web.Request, bearer: Bearer) -> web.Response:
    """Calls that have ended, and those that live. Raises `BadValue`, `NotFound`, `Forbidden`."""
    return await _page(request, bearer, PARAMETERS, is_live=None)


async def live_calls(request: web.Request, bearer: Bearer) -> web.Response:
    """Those that live."""
    return await _page(request, bearer, LIVE_PARAMETERS, is_live=True)


async def one_call(request: web.Request, bearer: Bearer) -> web.Response:
    """One call. Raises `NotFound`."""
    found = await show_call(request.app[INSTALLATION], id_of_call(request), bearer.customer_id)
    return answer(CallBody.model_validate(found))


async def end_call(request: web.Request, bearer: Bearer) -> web.Response:
    """Hangs it up. Raises `NotFound`, `Conflict`."""
    installation, switchboard = request.app[INSTALLATION], request.app[SWITCHBOARD]
    await hang_up(installation, switchboard, id_of_call(request), bearer.actor, bearer.customer_id)
    return web.Response(status=204)


async def _page(
    request: web.Request, bearer: Bearer, known: frozenset[str], *, is_live: bool | None
) -> web.Response:
    query = request.query
    check_listing(query, known)
    wanted = Wanted(
        customer_id=bearer.customer_id,
        customer=query.get("customer"),
        line=query.get("line"),
        group=query.get("group"),
        text=query.get("text", "")[:LONGEST_TEXT].strip(),
        is_live=is_live,
        is_answered=switch_in(query, "answered"),
        since=_moment(query, "since"),
        until=_moment(query, "until"),
    )
    before = number_in(query, "cursor", MOST_ID)
    most = number_in(query, "limit", MOST_CALLS) or USUAL_CALLS
    found = await list_calls(request.app[INSTALLATION], wanted, before, most)
    rows = [CallBody.model_validate(call) for call in found.calls]
    return answer(CallsBody(calls=rows, next=str(found.next) if found.next is not None else None))


def id_of_call(request: web.Request) -> UUID:
    """That the address names. Raises `NotFound`."""
    said = request.match_info["id"]
    try:
        return UUID(said)
    except ValueError:
        raise no_call(repr(said[:40])) from None


def _moment(query: MultiMapping[str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        return _MOMENT.validate_python(query[name]).astimezone(UTC)
    except (ValidationError, OverflowError):
        raise BadValue(f"{name} is a moment such as 2026-03-02T12:00:00Z") from None
