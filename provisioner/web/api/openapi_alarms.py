"""What the API says of alarms (`openapi`)."""

from __future__ import annotations

from typing import Any

from provisioner.operations.alarms import MOST_ALARMS, AlarmKind, Standing
from provisioner.web.api.alarms import ALL, USUAL_ALARMS, AlarmsBody
from provisioner.web.api.openapi_parts import answered, parameter, refusal, refusals

BODIES = (AlarmsBody,)


def paths() -> dict[str, Any]:
    """Its paths."""
    return {
        "/alarms": {"get": _alarms()},
        "/alarms/{id}/acknowledge": {"post": _acknowledge()},
    }


def _alarms() -> dict[str, Any]:
    state = {"enum": [*Standing, ALL], "default": Standing.WAITING}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_ALARMS, "default": USUAL_ALARMS}
    return {
        "operationId": "listAlarms",
        "summary": "What waits for somebody, the newest first",
        "parameters": [
            parameter("customer", "One customer's only, by login."),
            parameter("state", "How they stand, or all.", state),
            parameter("kind", "Those of one kind only.", {"enum": list(AlarmKind)}),
            parameter("text", "Stands in what it says, a number, address, MAC or customer."),
            parameter("cursor", "`next` of the page before."),
            parameter("limit", "Alarms of a page, at the most.", limit),
        ],
        "responses": {
            **answered("200", "A page.", "AlarmsBody"),
            **refusals("There is no such customer."),
        },
    }


def _acknowledge() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return {
        "operationId": "acknowledgeAlarm",
        "summary": "Say that somebody has seen to an alarm",
        "description": "If the same happens again, there is a new one.",
        "parameters": [parameter("id", "Its number.", number, where="path") | {"required": True}],
        "responses": {
            "204": {"description": "It waits for nobody any more."},
            **refusals("No such alarm waits for anybody."),
            "403": refusal("The token is a customer's: alarms are for staff to see to."),
        },
    }
