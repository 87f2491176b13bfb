"""The API's application, mounted on the portal's at `/api/v1`."""

from __future__ import annotations

from aiohttp import web

from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.web.api.alarms import acknowledge_alarm, alarms
from provisioner.web.api.auth import INSTALLATION, for_bearers
from provisioner.web.api.calls import SWITCHBOARD, calls, end_call, live_calls, one_call
from provisioner.web.api.events import EVENT_STREAMS, EventStreams, events
from provisioner.web.api.openapi import document
from provisioner.web.api.problems import problems
from provisioner.web.api.registrations import registrations
from provisioner.web.api.test_calls import make_test_call, one_test_call, test_calls
from provisioner.web.api.test_runs import begin_test_run, end_test_run, one_test_run, test_runs
from provisioner.web.api.test_schedules import one_test_schedule, put_test_schedule, test_schedules
from provisioner.web.api.why import why


def api_app(installation: Installation, streams: EventStreams, switchboard: Switchboard) -> web.Application:
    """The application. Its streams end when their tail is closed."""
    app = web.Application(middlewares=[problems])
    app[INSTALLATION] = installation
    app[EVENT_STREAMS] = streams
    app[SWITCHBOARD] = switchboard
    app.router.add_get("/events", for_bearers(events), allow_head=False)
    app.router.add_get("/registrations", for_bearers(registrations), allow_head=False)
    app.router.add_get("/calls", for_bearers(calls), allow_head=False)
    app.router.add_get("/calls/live", for_bearers(live_calls), allow_head=False)
    app.router.add_get("/calls/{id}", for_bearers(one_call), allow_head=False)
    app.router.add_get("/calls/{id}/why", for_bearers(why), allow_head=False)
    app.router.add_delete("/calls/live/{id}", for_bearers(end_call))
    app.router.add_get("/test-calls", for_bearers(test_calls), allow_head=False)
    app.router.add_post("/test-calls", for_bearers(make_test_call))
    app.router.add_get("/test-calls/{id}", for_bearers(one_test_call), allow_head=False)
    app.router.add_get("/test-runs", for_bearers(test_runs), allow_head=False)
    app.router.add_post("/test-runs", for_bearers(begin_test_run))
    app.router.add_get("/test-runs/{id}", for_bearers(one_test_run), allow_head=False)
    app.router.add_delete("/test-runs/{id}", for_bearers(end_test_run))
    app.router.add_get("/test-schedules", for_bearers(test_schedules), allow_head=False)
    app.router.add_get("/test-schedules/{customer}", for_bearers(one_test_schedule), allow_head=False)
    app.router.add_put("/test-schedules/{customer}", for_bearers(put_test_schedule))
    app.router.add_get("/alarms", for_bearers(alarms), allow_head=False)
    app.router.add_post("/alarms/{id}/acknowledge", for_bearers(acknowledge_alarm))
    app.router.add_get("/openapi.json", _describe)
    return app


async def _describe(_: web.Request) -> web.Response:
    return web.json_response(document())
