"""How `serve` ends: at once, whether it is up or still starts."""

from __future__ import annotations

import asyncio

import pytest

from provisioner.cli.server import ending_by

ENDS_S = 60


async def test_a_start_that_takes_long_ends_when_it_is_told_to():
    stop = asyncio.Event()
    async with asyncio.timeout(ENDS_S), ending_by(stop):
        stop.set()
        await asyncio.Event().wait()


async def test_one_that_is_told_to_end_before_it_begins_does_so():
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(ENDS_S), ending_by(stop):
        await asyncio.Event().wait()


async def test_a_server_that_is_up_ends_in_its_own_time():
    stop = asyncio.Event()
    ended = False
    async with ending_by(stop) as starting:
        starting.cancel()
        stop.set()
        for _ in range(10):
            await asyncio.sleep(0)
        ended = True
    assert ended


async def test_what_takes_too_long_in_a_start_is_told():
    with pytest.raises(TimeoutError, match="the database"):
        async with ending_by(asyncio.Event()):
            raise TimeoutError("the database")
