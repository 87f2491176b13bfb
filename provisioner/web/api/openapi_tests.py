"""What the API says of test calls (`openapi`)."""

from __future__ import annotations

from typing import Any

from provisioner.operations.proof_history import MOST_PROOFS
from provisioner.operations.proof_runs import MOST_RUNS
from provisioner.operations.proof_schedules import MOST_SCHEDULES
from provisioner.web.api.openapi_parts import SWITCH, answered, parameter, ref, refusal, refusals
from provisioner.web.api.test_calls import USUAL_PROOFS, AskedBody, ProofBody, RunsBody
from provisioner.web.api.test_runs import USUAL_RUNS, AskedRunBody, TestRunBody, TestRunsBody
from provisioner.web.api.test_schedules import (
    USUAL_SCHEDULES,
    OwnScheduleBody,
    TestScheduleBody,
    TestSchedulesBody,
)

BODIES = (
    RunsBody,
    ProofBody,
    AskedBody,
    TestRunsBody,
    TestRunBody,
    AskedRunBody,
    TestSchedulesBody,
    TestScheduleBody,
    OwnScheduleBody,
)


def paths() -> dict[str, Any]:
    """Its paths."""
    return {
        "/test-calls": {"get": _test_calls(), "post": _make_test_call()},
        "/test-calls/{id}": {"get": _test_call()},
        "/test-runs": {"get": _test_runs(), "post": _begin_test_run()},
        "/test-runs/{id}": {"get": _test_run(), "delete": _end_test_run()},
        "/test-schedules": {"get": _test_schedules()},
        "/test-schedules/{customer}": {"get": _test_schedule(), "put": _put_test_schedule()},
    }


def _test_calls() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_PROOFS, "default": USUAL_PROOFS}
    return {
        "operationId": "listTestCalls",
        "summary": "What test calls have proved, the newest first",
        "parameters": [
            parameter("customer", "One customer's only, by login."),
            parameter("number", "Those to one number only."),
            parameter("passed", "Those that went as is configured, or those that did not.", SWITCH),
            parameter("run", "Those of one run over many numbers.", {"type": "integer", "minimum": 1}),
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Runs of a page, at the most.", limit),
        ],
        "responses": {
            **answered("200", "A page.", "RunsBody"),
            **refusals("There is no such customer."),
        },
    }


def _make_test_call() -> dict[str, Any]:
    return {
        "operationId": "makeTestCall",
        "summary": "Call a number now, in a copy of its switchboard, or with `live` people's own phones",
        "description": "Answers when the calls are over: after seconds, or minutes for a large group.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("AskedBody")}}},
        "responses": {
            **answered("200", "What was proved.", "ProofBody"),
            **refusals("There is no such customer, or nobody of it has that number."),
            "409": refusal("The switchboard was changed meanwhile, or a live test is not confirmed."),
            "429": refusal("As many test calls go on as there may be."),
        },
    }


def _test_call() -> dict[str, Any]:
    return {
        "operationId": "showTestCall",
        "summary": "One run of test calls: who got an INVITE when, who answered, what each was shown",
        "parameters": [
            _id_of_run(),
            parameter("messages", "Also the SIP messages of each call, if they are kept.", SWITCH),
        ],
        "responses": {
            **answered("200", "The run.", "ProofBody"),
            **refusals("There is no such run."),
        },
    }


def _test_runs() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_RUNS, "default": USUAL_RUNS}
    return {
        "operationId": "listTestRuns",
        "summary": "Runs of test calls over many numbers, the newest first",
        "parameters": [
            parameter("customer", "Those over one customer's numbers only, by login."),
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Runs of a page, at the most.", limit),
        ],
        "responses": {**answered("200", "A page.", "TestRunsBody"), **refusals("There is no such customer.")},
    }


def _begin_test_run() -> dict[str, Any]:
    return {
        "operationId": "beginTestRun",
        "summary": "Have all numbers of a customer tested, or of all: nobody's phone rings",
        "description": "Answers at once; the run shows how far it is.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("AskedRunBody")}},
        },
        "responses": {
            **answered("202", "The run, which begins.", "TestRunBody"),
            **refusals("There is no such customer."),
            "409": refusal("A run over the same numbers is under way."),
        },
    }


def _test_run() -> dict[str, Any]:
    return {
        "operationId": "showTestRun",
        "summary": "One run over many numbers: how far it is, and what it came to",
        "parameters": [_id_of_run()],
        "responses": {**answered("200", "The run.", "TestRunBody"), **refusals("There is no such run.")},
    }


def _end_test_run() -> dict[str, Any]:
    return {
        "operationId": "endTestRun",
        "summary": "End a run where it is",
        "parameters": [_id_of_run()],
        "responses": {
            **answered("200", "The run as it was; it ends within seconds.", "TestRunBody"),
            **refusals("There is no such run."),
            "409": refusal("It is over."),
        },
    }


def _test_schedules() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_SCHEDULES, "default": USUAL_SCHEDULES}
    refused = {status: each for status, each in refusals("").items() if status != "404"}
    return {
        "operationId": "listTestSchedules",
        "summary": "When numbers are tested by themselves, and what customers have otherwise than all",
        "parameters": [
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Customers of a page, at the most.", limit),
        ],
        "responses": {**answered("200", "A page.", "TestSchedulesBody"), **refused},
    }


def _test_schedule() -> dict[str, Any]:
    return {
        "operationId": "showTestSchedule",
        "summary": "When the numbers of a customer are tested by themselves",
        "parameters": [_login()],
        "responses": {
            **answered("200", "The schedule.", "TestScheduleBody"),
            **refusals("There is no such customer."),
        },
    }


def _put_test_schedule() -> dict[str, Any]:
    return {
        "operationId": "putTestSchedule",
        "summary": "Make what a customer has otherwise than all this, and nothing more",
        "parameters": [_login()],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("OwnScheduleBody")}},
        },
        "responses": {
            **answered("200", "The schedule, as it is now.", "TestScheduleBody"),
            **refusals("There is no such customer."),
        },
    }


def _login() -> dict[str, Any]:
    return parameter("customer", "By login.", where="path") | {"required": True}


def _id_of_run() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return parameter("id", "Of the run.", number, where="path") | {"required": True}
