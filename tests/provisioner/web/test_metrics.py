"""`/metrics`, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.counted import Calling, Counted, Registering, Tally
from provisioner.operations.installation import Installation
from provisioner.web.metrics import add_metrics
from sip.counters import Counters
from tests.provisioner.bindings import bind, happened, now
from tests.provisioner.web.asking import T46S, VP530P
from tests.provisioner.web.streams import token_for

Numbers = dict[str, float]


@asynccontextmanager
async def measured(installation: Installation, counted: Counted) -> AsyncIterator[URL]:
    app = web.Application()
    add_metrics(app, installation, counted)
    async with TestServer(app) as server:
        yield server.make_url("/metrics")


async def numbers(url: str | URL, token: str) -> Numbers:
    """Every number by its name and label."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as got:
        assert got.status == 200
        assert got.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await got.text()
    return {
        sample.name.removeprefix("centralka_") + "".join(f"[{value}]" for value in sample.labels.values()): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_how_things_stand_and_what_was_done_is_told(sample: Installation):
    await bind(sample, "48223809880", MacAddress(T46S), reachable=True, heard_at=now(), transport="tcp")
    await bind(sample, "48223809887", MacAddress(VP530P), reachable=False)
    await bind(sample, "48223809887", contact="sip:x@192.0.2.9", expires_at=now() - timedelta(seconds=1))
    await happened(sample, "registered", "48223809880")
    sip, registering = Counters(), Registering()
    sip.requests["REGISTER"] += 4
    sip.responses[401] += 2
    sip.registers[200] += 2
    for size in (1, 3, 5000):
        registering.batches.add(size)
    calling = Calling(lambda: 2, lambda: 1, lambda: 0)
    calling.ended["nobody"] += 3
    calling.legs["no-answer"] += 5
    calling.talked_s.add(61)
    counted = Counted(sip, registering, calling, sip_banned=lambda: 3)
    async with measured(sample, counted) as url:
        token = await token_for(sample)
        found = await numbers(url, token)
        await bind(sample, "48223809986")
        # Whoever asks at once again is told the same.
        assert (await numbers(url, token))["lines_registered"] == 2
    expected = {
        **{"registrations[udp]": 1, "registrations[tcp]": 1, "registrations[tls]": 0},
        **{"lines_registered": 2, "registrations_reachable": 1, "registrations_unreachable": 1},
        **{"devices[reachable]": 1, "devices[registered]": 1, "devices[listed]": 3, "devices[current]": 0},
        **{"banned_sources": 0, "phone_requests_total": 0, "registration_events_total": 1},
        **{"sip_requests_total[REGISTER]": 4, "sip_responses_total[401]": 2, "sip_banned_sources": 3},
        **{"sip_register_responses_total[200]": 2, "register_batch_size_count": 3},
        **{"register_batch_size_bucket[1.0]": 1, "register_batch_size_bucket[5.0]": 2},
        **{"register_batch_size_bucket[+Inf]": 3, "register_batch_size_sum": 5004},
        **{"calls_live": 2, "calls_total[nobody]": 3, "calls_total[caller]": 0, "calls_unwritten": 1},
        **{"call_legs_total[no-answer]": 5, "call_legs_total[busy]": 0, "calls_lost_total": 0},
        **{"call_seconds_bucket[60.0]": 0, "call_seconds_bucket[120.0]": 1, "call_seconds_sum": 61},
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["process_resident_memory_bytes"] > 0


async def test_only_the_operators_programs_are_told(sample: Installation):
    theirs = await token_for(sample, "nowyklienttestowy")
    async with measured(sample, Counted()) as url, aiohttp.ClientSession() as http:
        for token, status in ((None, 401), ("0" * 32, 401), (theirs, 404)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with http.get(url, headers=headers) as got:
                assert (got.status, got.content_type) == (status, "application/problem+json")
        assert not any("sip" in name for name in await numbers(url, await token_for(sample)))


async def test_the_whole_server_counts_its_sip(sample: Installation, running: Running):
    found = await numbers(f"{running.portal_url}/metrics", await token_for(sample))
    for name in ("sip_unreadable_total", "sip_banned_sources", "register_batch_size_count", "calls_live"):
        assert found[name] == 0


@pytest.mark.parametrize(("value", "place"), [(0, 0), (1, 0), (1.5, 1), (10, 1), (11, 2)])
def test_a_value_counts_in_the_first_class_that_holds_it(value: float, place: int):
    tally = Tally((1, 10))
    tally.add(value)
    assert [number for number, count in enumerate(tally.counts) if count] == [place]
    assert tally.total == value
