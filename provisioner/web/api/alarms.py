"""`/api/v1/alarms`: what waits for somebody, and what did."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import AwareDatetime, BaseModel

from provisioner.centrex.errors import BadValue
from provisioner.operations.alarms import (
    MOST_ALARMS,
    AlarmKind,
    Standing,
    Wanted,
    acknowledge,
    alarm_page,
)
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.installation import utc_now
from provisioner.operations.missing import no_alarm
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import LONGEST_TEXT, Body, answer, check_listing, id_in, number_in

PARAMETERS = frozenset({"customer", "state", "kind", "text", "cursor", "limit"})
ALL: Final = "all"
USUAL_ALARMS: Final = 50
"Of a page, unless `limit` says otherwise."


class AlarmBody(Body):
    """One thing to look at."""

    number: int
    kind: str
    text: str
    at: AwareDatetime
    "When it was raised."
    mac: str | None
    "Of the phone that it is about, while that is listed."
    customer: str | None
    "The customer's login; null: it is nobody's alone."
    source: str | None
    "The address that caused it."
    about: str | None
    "The extension, group or line that it is about."
    standing: Standing
    acknowledged_at: AwareDatetime | None
    over_at: AwareDatetime | None
    "When what it is about was found in order again."
    test_call: int | None
    "The newest test of that number that went wrong, at `/test-calls/ID`."


class AlarmsBody(BaseModel):
    """A page of them: those that wait first, and of these and the others the newest first."""

    alarms: list[AlarmBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


async def alarms(request: web.Request, bearer: Bearer) -> web.Response:
    """One page. Raises `BadValue`, and `NotFound` for a customer that is not to be seen."""
    query = request.query
    check_listing(query, PARAMETERS)
    kind = query.get("kind")
    if kind is not None and kind not in set(AlarmKind):
        raise BadValue(f"there is no kind {kind!r}: use one of {', '.join(AlarmKind)}")
    wanted = Wanted(
        customer_id=bearer.customer_id,
        customer=query.get("customer"),
        standing=_standing(query.get("state", Standing.WAITING)),
        kind=None if kind is None else AlarmKind(kind),
        text=query.get("text", "")[:LONGEST_TEXT].strip(),
    )
    most = number_in(query, "limit", MOST_ALARMS) or USUAL_ALARMS
    page = await alarm_page(request.app[INSTALLATION], wanted, query.get("cursor"), most)
    rows = [AlarmBody.model_validate(each) for each in page.alarms]
    return answer(AlarmsBody(alarms=rows, next=page.next))


async def acknowledge_alarm(request: web.Request, bearer: Bearer) -> web.Response:
    """Notes that somebody has seen to one. Raises `NotFound` where it does not wait, and `Forbidden`."""
    await acknowledge(request.app[INSTALLATION], id_in(request, no_alarm), bearer.actor, utc_now())
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


def _standing(said: str) -> Standing | None:
    if said == ALL:
        return None
    if said not in set(Standing):
        raise BadValue(f"there is no state {said!r}: use one of {', '.join(Standing)}, {ALL}")
    return Standing(said)
