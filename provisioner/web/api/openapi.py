"""What the API says of itself: OpenAPI 3.1 at `/api/v1/openapi.json`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from provisioner.operations.calls import MOST_CALLS
from provisioner.operations.events import KINDS
from provisioner.operations.registered import LIVE, State
from provisioner.operations.registrations import MOST_LINES
from provisioner.web.api import openapi_alarms, openapi_tests
from provisioner.web.api.calls import USUAL_CALLS, CallBody, CallsBody
from provisioner.web.api.events import EndBody, EventBody
from provisioner.web.api.openapi_parts import REF, SWITCH, answered, parameter, ref, refusal, refusals
from provisioner.web.api.problems import Problem
from provisioner.web.api.registrations import ALL, USUAL_LINES, RegistrationsBody
from provisioner.web.api.why import WhyBody
from provisioner.web.portal.words import LANGUAGES
from provisioner.web.streams import STREAM_TYPE

_BODIES = (
    EventBody, EndBody, RegistrationsBody, CallsBody, CallBody, WhyBody, *openapi_tests.BODIES,
    *openapi_alarms.BODIES, Problem,
)  # fmt: skip
_MOMENT = {"type": "string", "format": "date-time"}


def document() -> dict[str, Any]:
    """The whole document."""
    _, schemas = models_json_schema(
        [(body, "serialization") for body in _BODIES], ref_template=REF + "{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Centralka", "version": version("centralka")},
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": {
            "/events": {"get": _events()},
            "/registrations": {"get": _registrations()},
            "/calls": {"get": _calls()},
            "/calls/live": {"get": _live_calls()},
            "/calls/{id}": {"get": _call()},
            "/calls/{id}/why": {"get": _why()},
            "/calls/live/{id}": {"delete": _hang_up()},
            **openapi_tests.paths(),
            **openapi_alarms.paths(),
            "/openapi.json": {"get": _openapi()},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _events() -> dict[str, Any]:
    kinds = {"type": "array", "items": {"type": "string", "examples": ["phone", *sorted(KINDS)]}}
    return {
        "operationId": "followEvents",
        "summary": "What happens with phones, as it happens",
        "description": "Server-sent events. The data of each is an EventBody; the last one of a stream"
        " that the server ends, `stream.ended`, is an EndBody.",
        "parameters": [
            parameter("kind", "Kinds or families of events.", kinds) | {"style": "form", "explode": False},
            parameter("mac", "One phone's only."),
            parameter("after", "Go on behind this id; 0-0-0-0-0 is all that is remembered."),
            parameter("Last-Event-ID", "As `after`, which it goes before.", where="header"),
        ],
        "responses": {
            "200": {
                "description": "The stream.",
                "content": {STREAM_TYPE: {"schema": {"oneOf": [ref("EventBody"), ref("EndBody")]}}},
            },
            **refusals("There is no such phone."),
            "429": refusal("Too many streams are open."),
        },
    }


def _registrations() -> dict[str, Any]:
    states = {"type": "array", "items": {"enum": [*State, ALL]}, "default": sorted(LIVE)}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_LINES, "default": USUAL_LINES}
    return {
        "operationId": "listRegistrations",
        "summary": "Who is registered, line by line",
        "parameters": [
            parameter("customer", "One customer's only, by login."),
            parameter("line", "One line's only."),
            parameter("mac", "One phone's only."),
            parameter("state", "States, or all of them.", states) | {"style": "form", "explode": False},
            parameter("text", "Stands in a number, name, model, address or Contact."),
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Lines of a page, at the most.", limit),
        ],
        "responses": {
            **answered("200", "A page.", "RegistrationsBody"),
            **refusals("There is no such customer, line or phone."),
        },
    }


def _calls() -> dict[str, Any]:
    return _page_of_calls(
        "listCalls",
        "Calls, the newest first",
        parameter("answered", "Calls that somebody has answered, or those that nobody has.", SWITCH),
        parameter("since", "Calls that began then or later.", _MOMENT),
        parameter("until", "Calls that began before.", _MOMENT),
    )


def _live_calls() -> dict[str, Any]:
    return _page_of_calls("listLiveCalls", "Calls that go on now, the newest first")


def _page_of_calls(operation: str, summary: str, *more: dict[str, Any]) -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_CALLS, "default": USUAL_CALLS}
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [
            parameter("customer", "One customer's only, by login."),
            parameter("line", "Calls alone that this line has made or was tried for."),
            parameter("group", "Calls alone for which this hunt group rang somebody."),
            parameter("text", "Stands in a number or a name."),
            *more,
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Calls of a page, at the most.", limit),
        ],
        "responses": {
            **answered("200", "A page.", "CallsBody"),
            **refusals("There is no such customer."),
            "403": refusal("No line of the customer has call logs."),
        },
    }


def _call() -> dict[str, Any]:
    return {
        "operationId": "showCall",
        "summary": "One call: who was tried, for how long it rang, and why each did not answer",
        "parameters": [_id_of_call()],
        "responses": {
            **answered("200", "The call.", "CallBody"),
            **refusals("There is no such call."),
        },
    }


def _why() -> dict[str, Any]:
    language = {"type": "string", "enum": sorted(LANGUAGES), "default": "en"}
    return {
        "operationId": "whyUnrung",
        "summary": "Why a call did not ring at an extension, and what to do about it",
        "description": "From the call's record, and from what was set when it was made.",
        "parameters": [
            _id_of_call(),
            parameter("at", "The extension, or the number of a line.") | {"required": True},
            parameter("language", "Of the words.", language),
        ],
        "responses": {
            **answered("200", "The answer.", "WhyBody"),
            **refusals("There is no such call, or no such extension."),
        },
    }


def _hang_up() -> dict[str, Any]:
    return {
        "operationId": "hangUp",
        "summary": "End a call",
        "parameters": [_id_of_call()],
        "responses": {
            "204": {"description": "It ends."},
            **refusals("There is no such call."),
            "409": refusal("It has ended already."),
        },
    }


def _id_of_call() -> dict[str, Any]:
    uuid = {"type": "string", "format": "uuid"}
    return parameter("id", "Of the call.", uuid, where="path") | {"required": True}


def _openapi() -> dict[str, Any]:
    return {
        "operationId": "describe",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {}}}}
        },
    }
