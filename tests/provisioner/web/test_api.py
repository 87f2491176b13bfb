"""The API's door: who may in, how it refuses, and what it says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.app import Running
from provisioner.operations.event_tail import End
from provisioner.operations.events import KINDS
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.web.api import calls, registrations, test_calls, test_runs
from provisioner.web.api.app import api_app
from provisioner.web.api.events import PARAMETERS, EventStreams
from provisioner.web.api.openapi import document
from tests.provisioner.web.streams import get, token_for

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer " + "0" * 32},
    {"Authorization": "Basic b3BlcmF0b3I6eA=="},
    {"Authorization": "Bearer \xff"},
)


async def test_without_a_good_token_every_refusal_is_the_same(sample: Installation, running: Running):
    looks = []
    for headers in HEADERS:
        async with get(running, "/events", headers=headers) as response:
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="centralka"'
            looks.append((response.status, response.content_type, await response.json()))
    assert all(look == looks[0] for look in looks)
    assert looks[0][:2] == (401, "application/problem+json")
    assert looks[0][2]["code"] == "unauthorized"


async def test_a_token_in_the_address_opens_nothing(sample: Installation, running: Running):
    token = await token_for(sample)
    for query in (f"access_token={token}", f"token={token}"):
        async with get(running, f"/events?{query}") as response:
            assert response.status == 401


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?kind=nothing", {}),
        ("?mac=nothing", {}),
        ("?after=nothing", {}),
        ("?after=1", {}),
        ("?after=-1-0", {}),
        ("?after=1-0&nothing=1", {}),
        ("", {"Last-Event-ID": "1-0-0-0-0-0"}),
    ],
)
async def test_what_can_not_be_understood_is_refused_with_a_code(
    sample: Installation, running: Running, query: str, headers: dict[str, str]
):
    async with get(running, f"/events{query}", await token_for(sample), headers) as response:
        refusal = await response.json()
        assert (response.status, response.content_type) == (422, "application/problem+json")
    assert (refusal["status"], refusal["code"], refusal["title"]) == (
        422,
        "bad-value",
        "Unprocessable Entity",
    )
    assert refusal["detail"]


async def test_paths_that_are_not_there_are_refused_as_problems(sample: Installation, running: Running):
    async with get(running, "/nothing", await token_for(sample)) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
        assert (await response.json())["code"] == "not-found"


async def test_the_api_describes_every_path_that_it_has(sample: Installation, running: Running):
    async with get(running, "/openapi.json") as response:
        said: dict[str, Any] = await response.json()
    assert said["openapi"].startswith("3.1.")
    # The tail is not asked for what the routes are.
    streams = EventStreams(tail=None)  # type: ignore[arg-type]
    routes = api_app(sample, streams, Switchboard()).router.resources()
    assert set(said["paths"]) == {resource.canonical for resource in routes}


def references(tree: Any) -> set[str]:
    """What a description refers to."""
    if isinstance(tree, dict):
        return {tree["$ref"]} if "$ref" in tree else set().union(*map(references, tree.values()))
    return set().union(*map(references, tree)) if isinstance(tree, list) else set()


def test_the_description_refers_to_nothing_that_it_lacks_and_knows_every_parameter():
    said = document()
    assert references(said) == {f"#/components/schemas/{name}" for name in said["components"]["schemas"]}
    for path, known in (
        ("/events", PARAMETERS),
        ("/registrations", registrations.PARAMETERS),
        ("/calls", calls.PARAMETERS),
        ("/calls/live", calls.LIVE_PARAMETERS),
        ("/test-calls", test_calls.PARAMETERS),
        ("/test-runs", test_runs.PARAMETERS),
    ):
        parameters = said["paths"][path]["get"]["parameters"]
        assert {each["name"] for each in parameters if each["in"] == "query"} == known


def test_the_page_names_every_kind_and_no_other():
    tables = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert sorted(re.findall(r"`((?:phone|device|line|call|test)\.\w+)`", "\n".join(tables))) == sorted(KINDS)


def test_the_page_names_every_reason_for_the_end_of_a_stream():
    assert all(f"`{reason}`" in PAGE for reason in End)
