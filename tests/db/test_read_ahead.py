"""How SQLite is asked: seldom, and with the same answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from db import read_ahead, stops_once
from db.engine import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path}/centralka.db")
    async with opened.change() as session:
        await session.execute(text("CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)"))
    yield opened
    await opened.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the threads of connections are asked to do."""
    calls: list[str] = []
    original = stops_once._StopsOnce._execute

    async def _execute(self: Any, fn: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(fn.__name__)
        return await original(self, fn, *args, **kwargs)

    monkeypatch.setattr(stops_once._StopsOnce, "_execute", _execute)
    return calls


async def fill(session: AsyncSession, count: int) -> None:
    rows = [{"value": value} for value in range(count)]
    if rows:
        await session.execute(text("INSERT INTO numbers (value) VALUES (:value)"), rows)


async def test_a_statement_asks_the_thread_once_whether_it_reads_or_writes(
    database: Database, asked: list[str]
):
    async with database.change() as session:
        await fill(session, 3)
        asked.clear()
        await session.execute(text("UPDATE numbers SET value = value + 1"))
        assert len(asked) == 1
        assert len((await session.execute(text("SELECT value FROM numbers"))).all()) == 3
        assert len(asked) == 2
        await fill(session, 2)
        assert len(asked) == 3


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
async def test_all_rows_come_however_they_are_fetched(
    database: Database, monkeypatch: pytest.MonkeyPatch, count: int
):
    monkeypatch.setattr(read_ahead, "_AHEAD", 10)
    async with database.change() as session:
        await fill(session, count)
    query = text("SELECT value FROM numbers ORDER BY id")
    async with database.read() as session:
        assert list(await session.scalars(query)) == list(range(count))
        assert (await session.execute(query)).fetchmany(15) == [(each,) for each in range(min(count, 15))]
        streamed = await session.stream(query.execution_options(yield_per=7))
        assert [value async for (value,) in streamed] == list(range(count))
        streamed = await session.stream(query)
        first = await streamed.fetchone()
        assert first == ((0,) if count else None)
        assert [value async for (value,) in streamed] == list(range(1, count))


async def test_what_is_left_unread_holds_nothing_up(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(read_ahead, "_AHEAD", 2)
    async with database.change() as session:
        await fill(session, 10)
        streamed = await session.stream(text("SELECT value FROM numbers"))
        await streamed.fetchone()
        await streamed.close()
        # SQLite refuses that while anybody reads the table.
        await session.execute(text("DROP TABLE numbers"))


async def test_what_a_statement_did_is_known_after_it(database: Database):
    async with database.change() as session:
        await fill(session, 4)
        done: Any = await session.execute(text("UPDATE numbers SET value = 7 WHERE id > 1"))
        assert done.rowcount == 3
        added: Any = await session.execute(text("INSERT INTO numbers (value) VALUES (9)"))
        assert added.lastrowid == 5
        returned = await session.execute(text("DELETE FROM numbers WHERE value = 7 RETURNING id"))
        assert sorted(returned.scalars()) == [2, 3, 4]


async def test_after_a_statement_that_fails_the_next_one_is_served(database: Database):
    async with database.change() as session:
        with pytest.raises(OperationalError):
            await session.execute(text("SELECT nothing FROM nowhere"))
        assert await session.scalar(text("SELECT count(*) FROM numbers")) == 0
