"""`/api/v1/test-runs`, and what events, metrics and commands have of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import aiohttp
import pytest

from provisioner.app import Running
from provisioner.control.client import ask
from provisioner.operations.installation import Installation
from provisioner.operations.proof_runs import run_of
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.small import put, small
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.operations.test_run_service import over
from tests.provisioner.operations.trying import Found, finding
from tests.provisioner.web.streams import asked_of, get, token_for

asked = partial(asked_of, "test-runs")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    return finding(monkeypatch)


async def test_a_program_has_all_numbers_tested_and_finds_what_they_came_to(
    sample: Installation, running: Running, found: Found
):
    token = await token_for(sample)
    found.red = {"600"}
    made = await asked(running, token, "POST", body={"customer": "nowyklienttestowy"}, status=202)
    assert (made["customer"], made["cause"], made["speed"]) == ("nowyklienttestowy", "asked", 4)
    await over(sample, made["id"])
    run = await asked(running, token, "GET", f"/{made['id']}")
    assert (run["state"], run["numbers"], run["red"], run["untested"]) == ("done", 9, 1, 0)
    assert (await asked(running, token, "GET"))["test_runs"] == [run]
    async with get(running, f"/test-calls?run={run['id']}&passed=false", token) as response:
        (red,) = (await response.json())["test_calls"]
    assert (red["number"], red["run_id"]) == ("600", run["id"])
    assert (await asked(running, token, "DELETE", f"/{run['id']}", status=409))["code"] == "conflict"
    await put(sample, small())
    other = await token_for(sample, "firma")
    assert (await asked(running, other, "GET", f"/{run['id']}", status=404))["code"] == "not-found"
    assert (await asked(running, other, "GET"))["test_runs"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"customer": "nobody"}, 404, "not-found"),
        ({"speed": 0}, 422, "bad-value"),
        ({"speed": 2.5}, 422, "bad-value"),
        ({"more": 1}, 422, "bad-value"),
    ],
)
@pytest.mark.usefixtures("found")
async def test_what_can_not_be_asked_for_is_refused(
    sample: Installation, running: Running, body: dict[str, Any], status: int, code: str
):
    assert (await asked(running, await token_for(sample), "POST", "", body, status))["code"] == code


@pytest.mark.usefixtures("running")
async def test_a_command_is_told_how_far_its_run_is_until_it_is_over(sample: Installation, found: Found):
    found.red = {"101"}
    runs = [run_of(said["run"]) async for said in ask(sample.data_dir, "test-run", {})]
    assert (runs[0].customer, runs[0].is_over) == (None, False)
    last = runs[-1]
    assert (last.is_over, last.numbers, last.green, last.red) == (True, 9, 8, 1)


async def test_events_and_metrics_tell_what_was_found(sample: Installation, running: Running):
    token = await token_for(sample)
    await kept(sample, proof("600"), proof("600", FINDING))
    async with get(running, "/events?kind=test&after=0-0-0-0-0", token) as stream:
        text = ""
        async for line in stream.content:
            text += line.decode()
            if '"test.failed"' in text and text.endswith("\n\n"):
                break
    assert '"kind":"test.passed"' in text
    assert '"number":"600","calls":1,"failed":0,"turned":false' in text
    assert '"number":"600","calls":1,"failed":1,"turned":true' in text
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{running.portal_url}/metrics", headers=headers) as response,
    ):
        assert "centralka_test_red_numbers 1.0" in await response.text()
