"""`/api/v1/calls/{id}/why`: why a call did not ring at an extension."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aiohttp import web
from pydantic import AwareDatetime

from provisioner.centrex.errors import BadValue
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.unrung import Known, Reason
from provisioner.operations.why import ask_why
from provisioner.web.answers.saying import said
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import Body, answer, check_listing
from provisioner.web.api.calls import id_of_call
from provisioner.web.portal.words import LANGUAGES

PARAMETERS: Final = frozenset({"at", "language"})


class WhyBody(Body):
    """The answer."""

    reason: Reason
    known: Known
    "Whether it rests on the record alone, on what was set then, or on what is set today."
    of: str
    "The group or the number whose setting it is; empty: none's."
    other: str
    "The number that was rung instead, or that has answered."
    case: str
    "Of a forwarding; of a call that was cut off, how."
    seconds: float | None
    status: int | None
    at: AwareDatetime | None
    "When it rang."
    led_to: tuple[str, ...]
    "Extensions that the number led to, where this is not one of them."
    text: str
    "The answer in words."
    advice: str
    "What to do."
    rests_on: str
    "What `known` says, in words."


async def why(request: web.Request, bearer: Bearer) -> web.Response:
    """The answer. Raises `BadValue`, `NotFound`."""
    query = request.query
    check_listing(query, PARAMETERS)
    at, language = query.get("at", ""), query.get("language", "en")
    if not at:
        raise BadValue("at is missing: send the extension that is asked about")
    if language not in LANGUAGES:
        raise BadValue(f"language is one of {', '.join(sorted(LANGUAGES))}")
    asked = await ask_why(request.app[INSTALLATION], id_of_call(request), bearer.customer_id)
    found = asked.answer(at)
    told = said(asked, at, found, LANGUAGES[language], _moment)
    row = {name: getattr(found, name) for name in WhyBody.model_fields if hasattr(found, name)}
    return answer(WhyBody(**row, text=told.text, advice=told.advice, rests_on=told.known))


def _moment(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"
