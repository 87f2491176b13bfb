"""What the API says of itself: OpenAPI 3.1 at `/api/v1/openapi.json`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from provisioner.operations.calls import MOST_CALLS
from provisioner.operations.events import KINDS
from provisioner.operations.proof_history import MOST_PROOFS
from provisioner.operations.proof_runs import MOST_RUNS
from provisioner.operations.registered import LIVE, State
from provisioner.operations.registrations import MOST_LINES
from provisioner.web.api.calls import USUAL_CALLS, CallBody, CallsBody
from provisioner.web.api.events import EndBody, EventBody
from provisioner.web.api.problems import PROBLEM_TYPE, Problem
from provisioner.web.api.registrations import ALL, USUAL_LINES, RegistrationsBody
from provisioner.web.api.test_calls import USUAL_PROOFS, AskedBody, ProofBody, RunsBody
from provisioner.web.api.test_runs import USUAL_RUNS, AskedRunBody, TestRunBody, TestRunsBody
from provisioner.web.api.why import WhyBody
from provisioner.web.portal.words import LANGUAGES
from provisioner.web.streams import STREAM_TYPE

_BODIES = (
    EventBody, EndBody, RegistrationsBody, CallsBody, CallBody, RunsBody, ProofBody, AskedBody,
    TestRunsBody, TestRunBody, AskedRunBody, WhyBody, Problem,
)  # fmt: skip
_REF = "#/components/schemas/"
_SWITCH = {"type": "boolean"}
_MOMENT = {"type": "string", "format": "date-time"}


def document() -> dict[str, Any]:
    """The whole document."""
    _, schemas = models_json_schema(
        [(body, "serialization") for body in _BODIES], ref_template=_REF + "{model}"
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
            "/test-calls": {"get": _test_calls(), "post": _make_test_call()},
            "/test-calls/{id}": {"get": _test_call()},
            "/test-runs": {"get": _test_runs(), "post": _begin_test_run()},
            "/test-runs/{id}": {"get": _test_run(), "delete": _end_test_run()},
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
            _parameter("kind", "Kinds or families of events.", kinds) | {"style": "form", "explode": False},
            _parameter("mac", "One phone's only."),
            _parameter("after", "Go on behind this id; 0-0-0-0 is all that is remembered."),
            _parameter("Last-Event-ID", "As `after`, which it goes before.", where="header"),
        ],
        "responses": {
            "200": {
                "description": "The stream.",
                "content": {STREAM_TYPE: {"schema": {"oneOf": [_ref("EventBody"), _ref("EndBody")]}}},
            },
            **_refusals("There is no such phone."),
            "429": _refusal("Too many streams are open."),
        },
    }


def _registrations() -> dict[str, Any]:
    states = {"type": "array", "items": {"enum": [*State, ALL]}, "default": sorted(LIVE)}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_LINES, "default": USUAL_LINES}
    return {
        "operationId": "listRegistrations",
        "summary": "Who is registered, line by line",
        "parameters": [
            _parameter("customer", "One customer's only, by login."),
            _parameter("line", "One line's only."),
            _parameter("mac", "One phone's only."),
            _parameter("state", "States, or all of them.", states) | {"style": "form", "explode": False},
            _parameter("text", "Stands in a number, name, model, address or Contact."),
            _parameter("cursor", "`next` of the page before."),
            _parameter("limit", "Lines of a page, at the most.", limit),
        ],
        "responses": {
            "200": {
                "description": "A page.",
                "content": {"application/json": {"schema": _ref("RegistrationsBody")}},
            },
            **_refusals("There is no such customer, line or phone."),
        },
    }


def _calls() -> dict[str, Any]:
    return _page_of_calls(
        "listCalls",
        "Calls, the newest first",
        _parameter("answered", "Calls that somebody has answered, or those that nobody has.", _SWITCH),
        _parameter("since", "Calls that began then or later.", _MOMENT),
        _parameter("until", "Calls that began before.", _MOMENT),
    )


def _live_calls() -> dict[str, Any]:
    return _page_of_calls("listLiveCalls", "Calls that go on now, the newest first")


def _page_of_calls(operation: str, summary: str, *more: dict[str, Any]) -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_CALLS, "default": USUAL_CALLS}
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [
            _parameter("customer", "One customer's only, by login."),
            _parameter("line", "Calls alone that this line has made or was tried for."),
            _parameter("group", "Calls alone for which this hunt group rang somebody."),
            _parameter("text", "Stands in a number or a name."),
            *more,
            _parameter("cursor", "`next` of the page before."),
            _parameter("limit", "Calls of a page, at the most.", limit),
        ],
        "responses": {
            "200": {
                "description": "A page.",
                "content": {"application/json": {"schema": _ref("CallsBody")}},
            },
            **_refusals("There is no such customer."),
            "403": _refusal("No line of the customer has call logs."),
        },
    }


def _call() -> dict[str, Any]:
    return {
        "operationId": "showCall",
        "summary": "One call: who was tried, for how long it rang, and why each did not answer",
        "parameters": [_id_of_call()],
        "responses": {
            "200": {
                "description": "The call.",
                "content": {"application/json": {"schema": _ref("CallBody")}},
            },
            **_refusals("There is no such call."),
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
            _parameter("at", "The extension, or the number of a line.") | {"required": True},
            _parameter("language", "Of the words.", language),
        ],
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": _ref("WhyBody")}},
            },
            **_refusals("There is no such call, or no such extension."),
        },
    }


def _hang_up() -> dict[str, Any]:
    return {
        "operationId": "hangUp",
        "summary": "End a call",
        "parameters": [_id_of_call()],
        "responses": {
            "204": {"description": "It ends."},
            **_refusals("There is no such call."),
            "409": _refusal("It has ended already."),
        },
    }


def _id_of_call() -> dict[str, Any]:
    uuid = {"type": "string", "format": "uuid"}
    return _parameter("id", "Of the call.", uuid, where="path") | {"required": True}


def _test_calls() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_PROOFS, "default": USUAL_PROOFS}
    return {
        "operationId": "listTestCalls",
        "summary": "What test calls have proved, the newest first",
        "parameters": [
            _parameter("customer", "One customer's only, by login."),
            _parameter("number", "Those to one number only."),
            _parameter("passed", "Those that went as is configured, or those that did not.", _SWITCH),
            _parameter("run", "Those of one run over many numbers.", {"type": "integer", "minimum": 1}),
            _parameter("cursor", "`next` of the page before."),
            _parameter("limit", "Runs of a page, at the most.", limit),
        ],
        "responses": {
            "200": {
                "description": "A page.",
                "content": {"application/json": {"schema": _ref("RunsBody")}},
            },
            **_refusals("There is no such customer."),
        },
    }


def _make_test_call() -> dict[str, Any]:
    return {
        "operationId": "makeTestCall",
        "summary": "Call a number now, in a copy of its switchboard, or with `live` people's own phones",
        "description": "Answers when the calls are over: after seconds, or minutes for a large group.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("AskedBody")}}},
        "responses": {
            "200": {
                "description": "What was proved.",
                "content": {"application/json": {"schema": _ref("ProofBody")}},
            },
            **_refusals("There is no such customer, or nobody of it has that number."),
            "409": _refusal("The switchboard was changed meanwhile, or a live test is not confirmed."),
            "429": _refusal("As many test calls go on as there may be."),
        },
    }


def _test_call() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return {
        "operationId": "showTestCall",
        "summary": "One run of test calls: who got an INVITE when, who answered, what each was shown",
        "parameters": [
            _parameter("id", "Of the run.", number, where="path") | {"required": True},
            _parameter("messages", "Also the SIP messages of each call, if they are kept.", _SWITCH),
        ],
        "responses": {
            "200": {
                "description": "The run.",
                "content": {"application/json": {"schema": _ref("ProofBody")}},
            },
            **_refusals("There is no such run."),
        },
    }


def _test_runs() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_RUNS, "default": USUAL_RUNS}
    return {
        "operationId": "listTestRuns",
        "summary": "Runs of test calls over many numbers, the newest first",
        "parameters": [
            _parameter("customer", "Those over one customer's numbers only, by login."),
            _parameter("cursor", "`next` of the page before."),
            _parameter("limit", "Runs of a page, at the most.", limit),
        ],
        "responses": {**_is("200", "A page.", "TestRunsBody"), **_refusals("There is no such customer.")},
    }


def _begin_test_run() -> dict[str, Any]:
    return {
        "operationId": "beginTestRun",
        "summary": "Have all numbers of a customer tested, or of all: nobody's phone rings",
        "description": "Answers at once; the run shows how far it is.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("AskedRunBody")}},
        },
        "responses": {
            **_is("202", "The run, which begins.", "TestRunBody"),
            **_refusals("There is no such customer."),
            "409": _refusal("A run over the same numbers is under way."),
        },
    }


def _test_run() -> dict[str, Any]:
    return {
        "operationId": "showTestRun",
        "summary": "One run over many numbers: how far it is, and what it came to",
        "parameters": [_id_of_run()],
        "responses": {**_is("200", "The run.", "TestRunBody"), **_refusals("There is no such run.")},
    }


def _end_test_run() -> dict[str, Any]:
    return {
        "operationId": "endTestRun",
        "summary": "End a run where it is",
        "parameters": [_id_of_run()],
        "responses": {
            **_is("200", "The run as it was; it ends within seconds.", "TestRunBody"),
            **_refusals("There is no such run."),
            "409": _refusal("It is over."),
        },
    }


def _id_of_run() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return _parameter("id", "Of the run.", number, where="path") | {"required": True}


def _is(status: str, description: str, body: str) -> dict[str, Any]:
    return {status: {"description": description, "content": {"application/json": {"schema": _ref(body)}}}}


def _openapi() -> dict[str, Any]:
    return {
        "operationId": "describe",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {}}}}
        },
    }


def _parameter(
    name: str, description: str, schema: dict[str, Any] | None = None, where: str = "query"
) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "description": description,
        "required": False,
        "schema": schema or {"type": "string"},
    }


def _refusals(not_found: str) -> dict[str, Any]:
    """What every path may refuse."""
    return {
        "401": _refusal("No token, or one that opens nothing."),
        "404": _refusal(not_found),
        "422": _refusal("A parameter can't be understood."),
        "503": _refusal("The database can't be used now."),
    }


def _refusal(why: str) -> dict[str, Any]:
    return {"description": why, "content": {PROBLEM_TYPE: {"schema": _ref("Problem")}}}


def _ref(body: str) -> dict[str, Any]:
    return {"$ref": f"{_REF}{body}"}
