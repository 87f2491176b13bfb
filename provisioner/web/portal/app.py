"""The people's side of the portal's application: which page is where."""

from __future__ import annotations

from aiohttp import web

from provisioner.operations.event_tail import EventTail
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.sign_in import SignIn
from provisioner.web.portal import alarms, calls, log_in, one_call, proof_pages, proofs, registrations
from provisioner.web.portal.going import Going
from provisioner.web.portal.pages import Pages
from provisioner.web.portal.staff import (
    DESK,
    LOG_IN,
    Desk,
    for_anybody,
    for_other_methods,
    for_staff,
    nothing,
)
from provisioner.web.streams import Streams

MOST_OF_SESSION = 10
"Tabs of one browser that follow at a time."


def add_pages(
    app: web.Application, installation: Installation, tail: EventTail, switchboard: Switchboard
) -> None:
    """Puts the pages into the portal's application, behind all else that is there."""
    app.middlewares.append(for_other_methods)
    going = Going(installation, switchboard)
    app.cleanup_ctx.append(going.serving)
    pages = Pages()
    streams = Streams(most=200, most_of_each=MOST_OF_SESSION)
    app[DESK] = Desk(installation, SignIn(installation), pages, tail, streams, going)
    add = app.router.add_route
    add("GET", "/", for_anybody(log_in.start))
    add("GET", LOG_IN, for_anybody(log_in.show_log_in))
    add("POST", LOG_IN, for_anybody(log_in.log_in))
    add("POST", "/log-out", for_staff(log_in.log_out))
    add("GET", registrations.PATH, for_staff(registrations.show_registrations))
    add("GET", registrations.LIVE_PATH, for_staff(registrations.follow_registrations))
    add("GET", calls.PATH, for_staff(calls.show_calls))
    add("GET", calls.LIVE_PATH, for_staff(calls.follow_calls))
    add("GET", f"{calls.PATH}/{{id}}", for_staff(one_call.show_call))
    add("GET", proofs.PATH, for_staff(proofs.show_customers))
    add("GET", f"{proofs.PATH}/of/{{login}}", for_staff(proofs.show_numbers))
    add("POST", f"{proofs.PATH}/of/{{login}}", for_staff(proof_pages.begin))
    add("GET", f"{proofs.PATH}/going/{{id}}", for_staff(proof_pages.show_going))
    add("GET", f"{proofs.PATH}/going/{{id}}/live", for_staff(proof_pages.follow_going))
    add("GET", f"{proofs.PATH}/made/{{id}}", for_staff(proof_pages.show_made))
    add("GET", alarms.PATH, for_staff(alarms.show_alarms))
    add("GET", alarms.LIVE_PATH, for_staff(alarms.follow_alarms))
    add("POST", f"{alarms.PATH}/{{id}}", for_staff(alarms.see_to))
    add("GET", "/static/{digest}/{name}", for_anybody(pages.static.serve))
    add("GET", "/{path:.*}", for_anybody(nothing))
