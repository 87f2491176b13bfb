"""Who asks: the bearer token of a request (RFC 6750 §2.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from provisioner.operations.api_tokens import Bearer, bearer_of
from provisioner.operations.installation import Installation
from provisioner.web.api.problems import Handler, Unauthorized

INSTALLATION = web.AppKey("installation", Installation)


def for_bearers(handler: Callable[[web.Request, Bearer], Awaitable[web.StreamResponse]]) -> Handler:
    """`handler`, for nobody but the bearer of a live token. Raises `Unauthorized`."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        return await handler(request, await _bearer(request))

    return guarded


async def _bearer(request: web.Request) -> Bearer:
    # Never from the query: an address is written into logs and histories.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = None
    if scheme.lower() == "bearer":
        bearer = await bearer_of(request.app[INSTALLATION], token.strip())
    if bearer is None:
        raise Unauthorized(
            "send `Authorization: Bearer TOKEN` with a token that `centralka token create` has made"
        )
    return bearer
