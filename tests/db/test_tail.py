"""Followers of a log are woken by what others write, and never pass a row that is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.schema import ChangeRow
from db.tail import Follower, announce, waking

NOW = datetime(2026, 3, 2, tzinfo=UTC)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def add(session: AsyncSession) -> int:
    """One more row of the log that is followed here; its number."""
    row = ChangeRow(scope="all", at=NOW)
    session.add(row)
    await session.flush()
    return row.id


async def append(database: Database, *, fails: bool = False) -> int:
    async with database.append() as session:
        await announce(session)
        number = await add(session)
        if fails:
            raise RuntimeError
        return number


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """Another process, as far as the database knows."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


async def test_a_follower_begins_behind_what_is_there(database: Database):
    there = await append(database)
    follower = Follower(database, ChangeRow)
    await follower.start()
    assert follower.settled == there
    await follower.advance()
    assert follower.settled == there


async def test_what_is_appended_is_settled_at_once(database: Database, other: Database):
    follower = Follower(database, ChangeRow)
    await follower.start()
    for writer in (database, other, database):
        number = await append(writer)
        assert not await follower.advance()
        assert follower.settled == number


async def test_numbers_that_were_never_kept_hold_nothing_up(database: Database):
    follower = Follower(database, ChangeRow)
    await follower.start()
    with pytest.raises(RuntimeError):
        await append(database, fails=True)
    number = await append(database)
    while await follower.advance():
        pass
    assert follower.settled == number


@on_postgresql
@pytest.mark.parametrize("kept", [True, False])
async def test_a_lower_number_that_may_still_come_is_waited_for(database: Database, kept: bool):
    follower = Follower(database, ChangeRow)
    await follower.start()
    slow = database.append()
    session = await slow.__aenter__()
    await announce(session)
    low = await add(session)
    high = await append(database)
    assert high == low + 1
    for _ in range(3):
        assert not await follower.advance()
        assert follower.is_in_doubt
        assert follower.settled < low
    await slow.__aexit__(*((None, None, None) if kept else (KeyError, KeyError(), None)))
    while await follower.advance():
        pass
    assert follower.settled == high
    assert not follower.is_in_doubt


@on_postgresql
async def test_a_follower_begins_when_no_lower_number_may_come_any_more(database: Database, other: Database):
    follower = Follower(database, ChangeRow)
    async with asyncio.TaskGroup() as tasks, other.append() as session:
        await announce(session)
        low = await add(session)
        high = await append(database)
        starting = tasks.create_task(follower.start())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(starting)
    assert follower.settled == high > low


async def test_whoever_waits_is_woken_by_an_append_of_another_process(database: Database, other: Database):
    async with waking(database) as waker:
        # The first one returns at once: nobody knows what was before.
        await waker.wait(1000)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(waker.wait(1000))
            await append(other)
            async with asyncio.timeout(60):
                await waiting


async def test_an_append_between_two_waits_is_not_slept_over(database: Database, other: Database):
    async with waking(database) as waker:
        await waker.wait(1000)
        await append(other)
        async with asyncio.timeout(60):
            await waker.wait(1000)
