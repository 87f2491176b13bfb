"""A process that keeps files in memory hears of every change before the change counts as made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from db.changes import ALL, touch
from db.engine import Database
from db.freshness import Watcher, watching
from db.schema import InstanceRow, NodeRow


async def change(database: Database, *scopes: str) -> None:
    async with database.change() as session:
        for scope in scopes:
            touch(session, scope)


@pytest.fixture
async def watcher(database: Database) -> AsyncIterator[Watcher]:
    async with watching(database) as made:
        made.news()
        yield made


async def test_nothing_is_news_while_nothing_changes(watcher: Watcher):
    assert list(watcher.news()) == []
    assert watcher.trusts


async def test_a_change_is_news_as_soon_as_it_is_made(database: Database, watcher: Watcher):
    for number in range(20):
        await change(database, f"device:{number}")
        assert list(watcher.news()) == [f"device:{number}"]
        assert list(watcher.news()) == []


async def test_changes_of_other_processes_are_news_too(
    database: Database, database_url: str, watcher: Watcher
):
    other = await Database.open(database_url)
    try:
        await change(other, "customer:7", "device:3")
        assert list(watcher.news()) == ["customer:7", "device:3"]
    finally:
        await other.close()


async def test_a_change_that_touches_no_file_is_no_news(database: Database, watcher: Watcher):
    async with database.change() as session:
        session.add(InstanceRow(key="unrelated", value="x"))
    assert list(watcher.news()) == []


async def test_a_change_that_fails_is_no_news(database: Database, watcher: Watcher):
    async def fails() -> None:
        async with database.change() as session:
            touch(session, "device:1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert list(watcher.news()) == []
    await change(database, "device:2")
    assert list(watcher.news()) == ["device:2"]


async def test_a_change_of_very_many_files_is_told_in_one_word(database: Database, watcher: Watcher):
    await change(database, *(f"device:{number}" for number in range(1000)))
    assert list(watcher.news()) == [ALL]


async def test_two_watchers_hear_the_same(database: Database, watcher: Watcher):
    async with watching(database) as second:
        second.news()
        await change(database, "device:9")
        assert list(watcher.news()) == list(second.news()) == ["device:9"]


async def test_a_node_that_ends_is_not_waited_for(database: Database):
    async with watching(database) as node:
        assert node.trusts
    await change(database, "device:1")
    async with database.read() as session:
        assert (await session.scalars(select(NodeRow))).all() == []
