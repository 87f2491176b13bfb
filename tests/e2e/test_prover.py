"""Mutations prove the prover: the engine is broken in one way after another, and test calls say which.

Broken is the engine, in this process alone; the phones are real ones, and see what comes of it. Where times
tell a broken engine from one that is not, they differ by more than any slow machine is forgiven.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from provisioner.operations.test_calls import LATE_S, MOST_TRIES
from sip.testcall.agents import TestPhones
from sip.testcall.process import test_phones as some_phones
from tests.e2e.proving.mutations import MUTATIONS
from tests.e2e.proving.stage import tried
from tests.provisioner.pbx.switchboards import seeded

PROVE = bool(os.environ.get("CENTRALKA_PROVE"))
SOON_OVER = [way for way in MUTATIONS if MUTATIONS[way].is_soon_over]
WAYS = list(MUTATIONS) if PROVE else seeded(9).sample(SOON_OVER, 3)
HEALTHY, LANES = (500, 4) if PROVE else (1, 1)
"Runs in all, and at a time."

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones() -> AsyncIterator[TestPhones]:
    async with some_phones() as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
async def test_an_engine_that_is_broken_is_found_out(
    way: str, phones: TestPhones, monkeypatch: pytest.MonkeyPatch
):
    broken = MUTATIONS[way]
    broken.break_it(monkeypatch)
    found = await tried(broken.trial, phones)
    print(way, *(f"{each.code}/{each.blames.setting}" for each in found.findings), sep=" | ")
    assert broken.is_told_by(found.findings), found
    assert broken.is_told_by(found.lived), found


async def test_one_that_is_not_broken_is_not_suspected(phones: TestPhones):
    trials = itertools.cycle([MUTATIONS[way].trial for way in WAYS])
    runs = itertools.islice(trials, HEALTHY)

    async def lane(phones: TestPhones) -> None:
        for trial in runs:
            for _ in range(MOST_TRIES):
                found = await tried(trial, phones)
                if not (found.findings or found.lived) or found.late_s < LATE_S:
                    break
            assert not found.findings, (trial, found)
            assert not found.lived, (trial, found)

    async with AsyncExitStack() as stack:
        lanes = [phones, *[await stack.enter_async_context(some_phones()) for _ in range(LANES - 1)]]
        async with asyncio.TaskGroup() as tasks:
            for each in lanes:
                tasks.create_task(lane(each))
