"""`/api/v1/test-calls`."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.small import put, small
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.web.pages import pages
from tests.provisioner.web.streams import get, token_for

ASKED = {"customer": "nowyklienttestowy", "number": "601", "calls": 1, "speed": 10}


async def said(server: Running, path: str, token: str, status: int = 200) -> dict[str, Any]:
    async with get(server, path, token) as response:
        body: dict[str, Any] = await response.json()
        assert response.status == status, body
        return body


async def asked(server: Running, token: str, body: object, status: int = 200) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.portal_url}/api/v1/test-calls"
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers, json=body) as response:
        found: dict[str, Any] = await response.json()
        assert response.status == status, found
        return found


async def test_a_program_has_a_number_tested_and_finds_it_among_those_that_were(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    made = await asked(running, token, ASKED)
    assert (made["customer"], made["number"]) == ("nowyklienttestowy", "601")
    assert (made["passed"], made["calls"], made["failed"]) == (True, 1, 0)
    (call,) = made["made"]
    assert (call["answered_by"], call["rung"][0]["extension"], call["findings"]) == ("101", "101", [])
    assert await said(running, f"/test-calls/{made['id']}", token) == made
    (whole,) = (await said(running, f"/test-calls/{made['id']}?messages=true", token))["made"]
    assert whole["messages"][0]["text"].startswith("INVITE sip:601@")
    assert {**whole, "messages": []} == call
    listed = await said(running, "/test-calls?number=601&passed=true", token)
    assert [each["id"] for each in listed["test_calls"]] == [made["id"]]
    assert listed["next"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**ASKED, "customer": "nobody"}, 404, "not-found"),
        ({**ASKED, "number": "777"}, 404, "not-found"),
        ({**ASKED, "number": "112"}, 422, "bad-value"),
        ({**ASKED, "calls": 0}, 422, "bad-value"),
        ({**ASKED, "speed": "x"}, 422, "bad-value"),
        ({**ASKED, "more": 1}, 422, "bad-value"),
        ({**ASKED, "live": True}, 409, "not-confirmed"),
        ({**ASKED, "live": True, "confirmed": True, "number": "112"}, 422, "bad-value"),
        ({}, 422, "bad-value"),
        ([], 422, "bad-value"),
    ],
)
async def test_what_can_not_be_tested_is_refused(
    sample: Installation, running: Running, body: object, status: int, code: str
):
    found = await asked(running, await token_for(sample), body, status)
    assert found["code"] == code
    assert found["detail"]


async def test_where_no_calls_are_served_none_is_tested(sample: Installation):
    async with pages(sample) as server:
        found = await asked(server, await token_for(sample), ASKED, 503)
        assert found["code"] == "no-calls-here"


async def test_a_customers_program_sees_and_tests_its_own_alone(sample: Installation):
    (only,) = await kept(sample, proof("600", FINDING))
    await put(sample, small())
    async with pages(sample) as server:
        own, strange = await token_for(sample, "nowyklienttestowy"), await token_for(sample, "firma")
        (call,) = (await said(server, f"/test-calls/{only}", own))["made"]
        assert [each["code"] for each in call["findings"]] == ["wrong-order"]
        assert (await said(server, "/test-calls", strange))["test_calls"] == []
        for path in (f"/test-calls/{only}", "/test-calls?customer=nowyklienttestowy", "/test-calls/x"):
            await said(server, path, strange, 404)
        await asked(server, strange, ASKED, 404)
