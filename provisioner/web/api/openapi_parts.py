"""What the paths of the API's description (`openapi`) have in common."""

from __future__ import annotations

from typing import Any

from provisioner.web.api.problems import PROBLEM_TYPE

REF = "#/components/schemas/"
SWITCH = {"type": "boolean"}


def answered(status: str, description: str, body: str) -> dict[str, Any]:
    """An answer with a body."""
    return {status: {"description": description, "content": {"application/json": {"schema": ref(body)}}}}


def parameter(
    name: str, description: str, schema: dict[str, Any] | None = None, where: str = "query"
) -> dict[str, Any]:
    """One of a query, or of a path."""
    return {
        "name": name,
        "in": where,
        "description": description,
        "required": False,
        "schema": schema or {"type": "string"},
    }


def refusals(not_found: str) -> dict[str, Any]:
    """What every path may refuse."""
    return {
        "401": refusal("No token, or one that opens nothing."),
        "404": refusal(not_found),
        "422": refusal("A parameter can't be understood."),
        "503": refusal("The database can't be used now."),
    }


def refusal(why: str) -> dict[str, Any]:
    """One of them, as a problem."""
    return {"description": why, "content": {PROBLEM_TYPE: {"schema": ref("Problem")}}}


def ref(body: str) -> dict[str, Any]:
    """The schema of a body."""
    return {"$ref": f"{REF}{body}"}
