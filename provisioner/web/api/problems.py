"""How the API refuses: problem details (RFC 9457) with a stable `code`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel

from db.errors import StorageError
from provisioner.centrex.errors import BadValue, CentralkaError, Conflict, Forbidden, NotFound
from provisioner.operations.live_calls import NotConfirmed
from provisioner.operations.living import LiveTestGoesOn
from provisioner.operations.test_calls import NoCallsHere, ProofBroke
from provisioner.operations.twins import TooManyTestCalls
from provisioner.web.streams import TooManyStreams

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PROBLEM_TYPE = "application/problem+json"
_STATUS: Mapping[type[CentralkaError], HTTPStatus] = {
    BadValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooManyTestCalls: HTTPStatus.TOO_MANY_REQUESTS,
    LiveTestGoesOn: HTTPStatus.TOO_MANY_REQUESTS,
    NotConfirmed: HTTPStatus.CONFLICT,
    NoCallsHere: HTTPStatus.SERVICE_UNAVAILABLE,
    ProofBroke: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Problem(BaseModel):
    """The body of a refusal. `type` is absent, which means `about:blank`: `code` says what it is."""

    title: str
    "The status in words."
    status: int
    code: str
    "Stable, for programs."
    detail: str
    "For people: what to do."


class Unauthorized(CentralkaError):
    """No token, or one that opens nothing: which of them is not said."""

    code = "unauthorized"


def problem(
    status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The refusal as a response."""
    body = Problem(title=status.phrase, status=status, code=code, detail=detail)
    return web.Response(
        status=status, text=body.model_dump_json(), content_type=PROBLEM_TYPE, headers=dict(headers or {})
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Says every refusal of the API, the router's too, as a problem."""
    try:
        return await handler(request)
    except Unauthorized as error:
        # RFC 6750 §3: the challenge.
        return problem(
            HTTPStatus.UNAUTHORIZED, error.code, str(error), {"WWW-Authenticate": 'Bearer realm="centralka"'}
        )
    except TooManyStreams as error:
        return problem(HTTPStatus.TOO_MANY_REQUESTS, error.code, str(error), {"Retry-After": "60"})
    except CentralkaError as error:
        return problem(_STATUS.get(type(error), HTTPStatus.BAD_REQUEST), error.code, str(error))
    except (StorageError, TimeoutError):
        logger.exception("not answered path=%s", request.path)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "the database can't be used now: try again",
            {"Retry-After": "5"},
        )
    except web.HTTPMethodNotAllowed as error:
        allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
        detail = f"use {allowed['Allow']}"
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, allowed)
    except web.HTTPNotFound:
        detail = "nothing is here: see /api/v1/openapi.json"
        return problem(HTTPStatus.NOT_FOUND, NotFound.code, detail)
