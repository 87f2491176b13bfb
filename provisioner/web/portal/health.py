"""`GET /healthz`: 200 only when every listener is up and the database answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class Health:
    """What has to be up, and what is."""

    database_fault: Callable[[], Awaitable[str | None]]
    "What is wrong with the database, for people."
    parts: Sequence[str] = ()
    "Every listener that is configured, by its option of `serve`, and every worker."
    waiting_for: set[str] = field(default_factory=set)
    "Which of them are not up at the moment."


HEALTH = web.AppKey("health", Health)


async def healthz(request: web.Request) -> web.Response:
    """`ok` and all that is up; else a line for each part that is missing."""
    health = request.app[HEALTH]
    missing = [f"{name} is not listening" for name in sorted(health.waiting_for)]
    fault = await health.database_fault()
    if fault is not None:
        missing.append(fault)
    lines = missing or [f"ok: {', '.join([*health.parts, 'database'])}"]
    return web.Response(status=503 if missing else 200, text="\n".join(lines) + "\n")


def portal_app(health: Health, api: web.Application) -> web.Application:
    """The portal's application, with the API for programs below `/api/v1`."""
    app = web.Application()
    app[HEALTH] = health
    app.router.add_get("/healthz", healthz)
    app.add_subapp("/api/v1", api)
    return app
