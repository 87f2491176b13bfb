"""`GET /api/v1/registrations`: who is registered."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web
from pydantic import AwareDatetime

from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.ladder import Rung
from provisioner.operations.registered import LIVE, Difference, State
from provisioner.operations.registrations import MOST_LINES, Wanted, list_registrations
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import LONGEST_TEXT, Body, answer, check_listing

PARAMETERS = frozenset({"customer", "line", "mac", "state", "text", "cursor", "limit"})
ALL: Final = "all"
USUAL_LINES: Final = 100
"Of a page, unless `limit` says otherwise."
_CURSOR = re.compile(r"[0-9]{1,32}")


class DeviceBody(Body):
    """A listed phone, as provisioning knows it."""

    mac: str
    model: str
    name: str
    firmware: str | None
    "What it said last when it fetched its files."


class RegistrationBody(Body):
    """A line on a phone: the binding that it holds, or what became of the last one."""

    line: str
    customer: str
    "The customer's login."
    extension: str | None
    name: str
    device: DeviceBody | None
    "None: no listed phone is known to hold it."
    state: State
    rungs: tuple[Rung, ...]
    "How far the phone came."
    model: str | None
    "What the phone says of itself in SIP, as the next one."
    firmware: str | None
    differences: tuple[Difference, ...]
    "In what the phone says otherwise than provisioning knows."
    user_agent: str | None
    contact: str | None
    transport: str | None
    source: str | None
    since: AwareDatetime | None
    "When the binding was made."
    until: AwareDatetime | None
    "When it runs out, or did."
    ended_at: AwareDatetime | None
    "Since when there is none."
    refreshed_at: AwareDatetime | None
    refreshes: int
    heard_at: AwareDatetime | None
    "When anything came from the phone last."
    rtt_ms: int | None


class RegistrationsBody(Body):
    """A page of registrations."""

    registrations: list[RegistrationBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


async def registrations(request: web.Request, bearer: Bearer) -> web.Response:
    """One page. Raises `BadValue`, and `NotFound` for what is named and not to be seen."""
    query = request.query
    check_listing(query, PARAMETERS)
    wanted = Wanted(
        customer_id=bearer.customer_id,
        customer=query.get("customer"),
        line=query.get("line"),
        mac=MacAddress.parse(query["mac"]) if "mac" in query else None,
        states=_states(query.getall("state", [])),
        text=query.get("text", "")[:LONGEST_TEXT].strip(),
    )
    found = await list_registrations(
        request.app[INSTALLATION], wanted, _cursor(query.get("cursor")), _limit(query.get("limit"))
    )
    rows = [RegistrationBody.model_validate(row) for row in found.rows]
    return answer(RegistrationsBody(registrations=rows, next=found.next))


def _states(said: list[str]) -> frozenset[State]:
    """Those that are named; what is registered where none is."""
    names = {name for value in said for name in value.split(",")}
    if not names:
        return LIVE
    if ALL in names:
        return frozenset()
    unknown = names - set(State)
    if unknown:
        raise BadValue(f"there is no state {min(unknown)!r}: use {', '.join(State)} or {ALL}")
    return frozenset(map(State, names))


def _cursor(said: str | None) -> str:
    if said is None:
        return ""
    if not _CURSOR.fullmatch(said):
        raise BadValue("that is no cursor: send what `next` of the page before said")
    return said


def _limit(said: str | None) -> int:
    if said is None:
        return USUAL_LINES
    if not said.isascii() or not said.isdecimal() or not 0 < int(said[:6]) <= MOST_LINES:
        raise BadValue(f"limit is a number of lines from 1 to {MOST_LINES}")
    return int(said)
