"""A process that keeps files in memory hears of every change before the change counts as made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from db import freshness
from db.changes import ALL, touch
from db.engine import Database
from db.freshness import PostgresWatcher, Watcher, watching
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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_change_just_before_a_node_has_its_lease_is_news_when_it_has_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """Whoever made it found nobody to wait for."""
    node = PostgresWatcher(database.url)
    execute = psycopg.AsyncConnection.execute

    async def executed(connection: Any, query: Any, *rest: Any) -> Any:
        if "INSERT INTO nodes" in str(query) and not node.first_lease.is_set():
            # A request read what was there before, and keeps it.
            assert list(node.news()) != []
            await change(database, "device:1")
        return await execute(connection, query, *rest)

    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        monkeypatch.setattr(psycopg.AsyncConnection, "execute", executed)
        await node._renew(connection)
    assert node.trusts
    assert list(node.news()) == ["device:1"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_change_is_confirmed_without_a_new_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(freshness, "LEASE_S", 7200.0)
    monkeypatch.setattr(freshness, "_RENEW_S", 3600.0)
    async with watching(database) as watcher:
        before = await node(database)
        for number in range(3):
            await change(database, f"device:{number}")
        after = await node(database)
        assert after.confirmed == before.confirmed + 3
        assert after.lease_until == before.lease_until
        assert watcher.trusts


async def node(database: Database) -> NodeRow:
    """The only one."""
    async with database.read() as session:
        return (await session.scalars(select(NodeRow))).one()
