"""A transaction in plain SQL is kept whole or not at all, on both databases, whatever goes wrong with it."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.writing import Writer

KEEP = "INSERT INTO instance (key, value) VALUES (?, ?)"
SAY = "UPDATE instance SET value = ? WHERE key = ?"


async def kept(database: Database) -> dict[str, str]:
    return dict(await database.rows("SELECT key, value FROM instance WHERE key LIKE 'test %'"))


async def keep_two(writer: Writer) -> int:
    await writer.rows(KEEP, ("test 1", "one"))
    return await writer.many(KEEP, [("test 2", "two"), ("test 3", "three")])


async def test_what_was_done_is_kept_and_told(database: Database):
    assert await database.appended(keep_two) == 2
    assert await kept(database) == {"test 1": "one", "test 2": "two", "test 3": "three"}
    found = await database.appended(
        lambda writer: writer.rows("SELECT value FROM instance WHERE key = ?", ("test 2",))
    )
    assert found == [("two",)]


async def test_no_collection_begins_while_others_are_kept_from_writing(database: Database):
    is_collecting: list[bool] = []

    async def look(writer: Writer) -> None:
        await writer.rows("SELECT 1")
        is_collecting.append(gc.isenabled())

    async def fail(writer: Writer) -> None:
        await look(writer)
        raise ValueError("poison")

    await database.changed(look, ())
    assert gc.isenabled()
    with pytest.raises(ValueError, match="poison"):
        await database.changed(fail, ())
    assert gc.isenabled()
    assert is_collecting == [False, False]


async def test_an_update_says_how_many_rows_it_has_met(database: Database):
    await database.appended(keep_two)
    said = [("1", "test 1"), ("2", "test 2"), ("4", "test 4")]
    assert await database.appended(lambda writer: writer.many(SAY, said)) == 2
    assert await database.appended(lambda writer: writer.many(SAY, [])) == 0
    assert await kept(database) == {"test 1": "1", "test 2": "2", "test 3": "three"}


async def test_what_fails_leaves_nothing_and_costs_no_other(database: Database):
    async def fail(writer: Writer) -> None:
        await keep_two(writer)
        raise ValueError("poison")

    async def twice(writer: Writer) -> None:
        await keep_two(writer)
        await writer.rows(KEEP, ("test 1", "again"))

    for _ in range(2):
        with pytest.raises(ValueError, match="poison"):
            await database.appended(fail)
        with pytest.raises((IntegrityError, sqlite3.IntegrityError)):
            await database.appended(twice)
    assert await kept(database) == {}
    assert await database.appended(keep_two) == 2


async def test_many_at_once_and_changes_beside_them_are_all_kept(database: Database):
    async def change(number: int) -> None:
        async with database.change() as session:
            said = {"key": f"test {number}", "value": "changed"}
            await session.execute(text("INSERT INTO instance (key, value) VALUES (:key, :value)"), said)

    def append(number: int) -> object:
        return database.appended(lambda writer: writer.many(KEEP, [(f"test {number}", "appended")]))

    await asyncio.gather(*(append(n) if n % 2 else change(n) for n in range(20)))
    assert len(await kept(database)) == 20


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whoever_else_writes_is_waited_for_and_no_longer(database_url: str, database: Database):
    impatient = await Database.open(database_url, busy_s=0.05)
    async with database.change():
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await impatient.appended(keep_two)
        waits = asyncio.create_task(database_of(database_url))
    patient = await waits
    assert await patient.appended(keep_two) == 2
    assert await impatient.appended(lambda writer: writer.many(SAY, [("1", "test 1")])) == 1
    await patient.close()
    await impatient.close()


async def database_of(url: str) -> Database:
    """Another process's."""
    return await Database.open(url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_transaction_that_waits_for_something_else_is_refused(database: Database):
    async def wait(writer: Writer) -> None:
        await keep_two(writer)
        await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="waits for its writer alone"):
        await database.appended(wait)
    assert await kept(database) == {}


async def test_on_sqlite_it_is_durable_and_keeps_foreign_keys(tmp_path: Path):
    database = await Database.open(f"sqlite:///{tmp_path / 'x.db'}")

    async def settings(writer: Writer) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        return [(await writer.rows(f"PRAGMA {name}"))[0][0] for name in names]

    assert await database.appended(settings) == ["wal", 2, 1, 1]
    await database.close()


async def test_a_file_that_is_damaged_is_a_database_that_is_not_there(tmp_path: Path):
    file = tmp_path / "x.db"
    database = await Database.open(f"sqlite:///{file}")
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(DatabaseUnavailable):
        await database.appended(keep_two)
    await database.close()
