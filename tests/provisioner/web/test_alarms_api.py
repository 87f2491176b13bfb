"""`/api/v1/alarms`: what programs see of what waits for somebody."""

from __future__ import annotations

from functools import partial

import aiohttp
import pytest

from provisioner.app import Running
from provisioner.operations.alarms import AlarmKind, list_alarms
from provisioner.operations.installation import Installation, utc_now
from tests.provisioner.alarms import raised
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.small import DESK, put, small
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.web.streams import asked_of, token_for

asked = partial(asked_of, "alarms")
SAMPLE = "nowyklienttestowy"


async def numbers(server: Running, token: str, query: str = "") -> list[int]:
    return [each["number"] for each in (await asked(server, token, "GET", query))["alarms"]]


async def see_to(server: Running, token: str, number: int) -> int:
    url = f"{server.portal_url}/api/v1/alarms/{number}/acknowledge"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers) as response:
        return response.status


async def test_a_program_sees_what_waits_and_says_when_somebody_has_seen_to_it(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    (report,) = await kept(sample, proof("600", FINDING))
    over = await raised(sample, AlarmKind.RED, customer=SAMPLE, number="601", over_at=utc_now())
    red = await raised(sample, AlarmKind.RED, customer=SAMPLE, number="600")
    scan = await raised(sample, AlarmKind.SCAN, source="192.0.2.7")
    first, second = (await asked(running, token, "GET"))["alarms"]
    assert (first["number"], first["kind"], first["source"]) == (scan, "mac-scan", "192.0.2.7")
    told = {key: second[key] for key in ("number", "customer", "about", "standing", "test_call", "over_at")}
    assert told == {
        "number": red, "customer": SAMPLE, "about": "600", "standing": "waiting", "test_call": report,
        "over_at": None,
    }  # fmt: skip
    assert await numbers(running, token, "?state=all") == [scan, red, over]
    assert await numbers(running, token, "?state=over") == [over]
    assert await numbers(running, token, "?kind=mac-scan") == [scan]
    assert await numbers(running, token, "?text=192.0.2.7&state=all") == [scan]
    assert await numbers(running, token, f"?customer={SAMPLE}") == [red]
    page = await asked(running, token, "GET", "?state=all&limit=2")
    assert await numbers(running, token, f"?state=all&cursor={page['next']}") == [over]
    assert await see_to(running, token, red) == 204
    assert await see_to(running, token, red) == 404, "it waits no more"
    assert await numbers(running, token, "?state=seen") == [red]


async def test_a_customers_program_sees_its_own_alone_and_sees_to_none(
    sample: Installation, running: Running
):
    await put(sample, small())
    mine = await raised(sample, AlarmKind.FILES, customer="firma", mac=DESK)
    for others in ({"customer": SAMPLE, "number": "600"}, {"source": "192.0.2.7"}):
        await raised(sample, AlarmKind.RED, **others)
    token = await token_for(sample, "firma")
    for query in ("", "?state=all", "?customer=firma", "?text=because"):
        assert await numbers(running, token, query) == [mine], query
    assert await numbers(running, token, "?text=600") == []
    assert (await asked(running, token, "GET", f"?customer={SAMPLE}", status=404))["code"] == "not-found"
    before = await list_alarms(sample)
    for each in (*(alarm.number for alarm in before), 99):
        assert await see_to(running, token, each) == 403, "the same for what is there and what is not"
    assert await list_alarms(sample) == before


@pytest.mark.parametrize(
    "query", ["?state=x", "?kind=x", "?cursor=7", "?limit=501", "?more=1", "?text=%00", "?cursor=waiting-x"]
)
async def test_what_can_not_be_asked_for_is_refused(sample: Installation, running: Running, query: str):
    token = await token_for(sample)
    assert (await asked(running, token, "GET", query, status=422))["code"] == "bad-value"
