"""The API's application, mounted on the portal's at `/api/v1`."""

from __future__ import annotations

from aiohttp import web

from provisioner.operations.installation import Installation
from provisioner.web.api.auth import INSTALLATION, for_bearers
from provisioner.web.api.events import EVENT_STREAMS, EventStreams, events
from provisioner.web.api.openapi import document
from provisioner.web.api.problems import problems
from provisioner.web.api.registrations import registrations


def api_app(installation: Installation, streams: EventStreams) -> web.Application:
    """The application. Its streams end when their tail is closed."""
    app = web.Application(middlewares=[problems])
    app[INSTALLATION] = installation
    app[EVENT_STREAMS] = streams
    app.router.add_get("/events", for_bearers(events), allow_head=False)
    app.router.add_get("/registrations", for_bearers(registrations), allow_head=False)
    app.router.add_get("/openapi.json", _describe)
    return app


async def _describe(_: web.Request) -> web.Response:
    return web.json_response(document())
