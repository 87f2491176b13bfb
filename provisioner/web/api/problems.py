"""How the API refuses: problem details (RFC 9457) with a stable `code`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel

from db.errors import StorageError
from provisioner.centrex.errors import CentralkaError, NotFound
from provisioner.web.refusing import headers_of, status_of

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PROBLEM_TYPE = "application/problem+json"


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
    except CentralkaError as error:
        return problem(status_of(error), error.code, str(error), headers_of(error))
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
    except web.HTTPRequestEntityTooLarge:
        most = request.client_max_size
        detail = f"the body is longer than {most} bytes: send less at once"
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)
    except web.HTTPException:
        raise
    except Exception:
        # Half an answer is out, or nobody is there to have one.
        if request.writer.output_size > 0 or request.transport is None:
            raise
        logger.exception("not answered path=%s", request.path)
        detail = "something went wrong here: try again; if it goes on, the server's log says why"
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)
