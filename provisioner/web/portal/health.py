"""`GET /healthz`: 200 only when every listener is up and the database answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class Health:
    """What is awaited and what is up."""

    database_answers: Callable[[], Awaitable[bool]]
    waiting_for: set[str] = field(default_factory=set)
    "Listeners that are not up yet."


HEALTH = web.AppKey("health", Health)


async def healthz(request: web.Request) -> web.Response:
    """One line a listener that is missing, or `ok`."""
    health = request.app[HEALTH]
    missing = [f"{name} is not listening" for name in sorted(health.waiting_for)]
    if not await health.database_answers():
        missing.append("the database does not answer")
    return web.Response(status=503 if missing else 200, text="\n".join(missing or ["ok"]) + "\n")


def portal_app(health: Health, api: web.Application) -> web.Application:
    """The portal's application, with the API for programs below `/api/v1`."""
    app = web.Application()
    app[HEALTH] = health
    app.router.add_get("/healthz", healthz)
    app.add_subapp("/api/v1", api)
    return app
