from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.errors import BadDatabaseUrl, DatabaseBusy, DatabaseUnavailable
from db.plain import SqlitePlainReader
from db.schema import InstanceRow, LineRow

COUNT_UP = """
import asyncio, sys
from db.engine import Database
from db.schema import InstanceRow

async def count(database, times):
    for _ in range(times):
        async with database.change() as session:
            row = await session.get_one(InstanceRow, "count")
            row.value = str(int(row.value) + 1)

async def main(url):
    database = await Database.open(url)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(count(database, 20))
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


async def set_count(database: Database, value: str) -> None:
    async with database.change() as session:
        await session.merge(InstanceRow(key="count", value=value))


async def get_count(database: Database) -> str | None:
    async with database.read() as session:
        row = await session.get(InstanceRow, "count")
        return row.value if row else None


async def test_changes_of_several_tasks_in_several_processes_lose_nothing(
    database: Database, database_url: str
) -> None:
    await set_count(database, "0")
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", COUNT_UP, database_url) for _ in range(2)
    ]
    assert [await process.wait() for process in processes] == [0, 0]
    assert await get_count(database) == "120"


async def insert_twice(database: Database) -> None:
    async with database.change() as session:
        for _ in range(2):
            await session.execute(text("INSERT INTO instance (key, value) VALUES ('count', '1')"))


async def test_a_change_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await insert_twice(database)
    assert await get_count(database) is None
    await set_count(database, "2")
    assert await get_count(database) == "2"


async def test_a_reader_sees_one_moment_however_long_it_reads(database: Database) -> None:
    await set_count(database, "old")
    async with database.read() as session:
        query = text("SELECT value FROM instance")
        assert await session.scalar(query) == "old"
        await set_count(database, "new")
        assert await session.scalar(query) == "old"
    assert await get_count(database) == "new"


async def test_a_reader_can_not_write(database: Database) -> None:
    await set_count(database, "1")
    with pytest.raises((DBAPIError, DatabaseUnavailable), match=r"(?i)read.?only"):
        async with database.read() as session:
            await session.execute(text("DELETE FROM instance"))
    assert await get_count(database) == "1"


async def test_a_change_gives_up_clearly_when_another_one_does_not_end(database_url: str) -> None:
    database = await Database.open(database_url, busy_s=0.1)
    other_process = await Database.open(database_url)
    async with other_process.change():
        with pytest.raises(DatabaseUnavailable):
            await set_count(database, "1")
    async with database.change():
        with pytest.raises(DatabaseUnavailable, match="another change"):
            await set_count(database, "1")
    await set_count(database, "2")
    assert await get_count(other_process) == "2"
    await database.close()
    await other_process.close()


async def test_a_change_that_is_cancelled_while_it_waits_or_works_frees_its_turn(database_url: str) -> None:
    # SQLite waits in a thread, which hears of the cancelling when its own patience ends.
    database = await Database.open(database_url, busy_s=0.5)
    other_process = await Database.open(database_url)
    async with other_process.change():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await set_count(database, "1")
    with pytest.raises(TimeoutError):
        await never_end(database)
    await set_count(other_process, "2")
    assert await get_count(database) == "2"
    await set_count(database, "3")
    assert await get_count(other_process) == "3"
    await database.close()
    await other_process.close()


async def never_end(database: Database) -> None:
    async with asyncio.timeout(0.1), database.change() as session:
        session.add(InstanceRow(key="count", value="1"))
        await session.flush()
        await asyncio.Event().wait()


# SQLite has one writer.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_traces_are_appended_while_a_change_runs(database: Database) -> None:
    async with database.change(), database.append() as session:
        session.add(InstanceRow(key="count", value="1"))
    assert await get_count(database) == "1"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_change_and_an_append_that_wait_for_each_other_end_with_the_change_kept(database: Database):
    async with database.change() as session:
        session.add_all([InstanceRow(key=key, value="0") for key in ("one", "two")])
    has_two = asyncio.Event()

    async def append() -> None:
        async with database.append() as session:
            await set_value(session, "two", "appended")
            has_two.set()
            await set_value(session, "one", "appended")

    async with database.change() as session:
        await set_value(session, "one", "changed")
        appending = asyncio.create_task(append())
        await has_two.wait()
        await set_value(session, "two", "changed")
    with pytest.raises(DatabaseBusy):
        await appending
    async with database.read() as session:
        assert set(await session.scalars(text("SELECT value FROM instance"))) >= {"changed"}
        assert not await session.scalar(text("SELECT count(*) FROM instance WHERE value = 'appended'"))


async def set_value(session: AsyncSession, key: str, value: str) -> None:
    statement = text("UPDATE instance SET value = :value WHERE key = :key")
    await session.execute(statement, {"key": key, "value": value})


async def test_an_appended_row_is_there_afterwards(database: Database) -> None:
    async with database.append() as session:
        session.add(InstanceRow(key="count", value="1"))
    assert await get_count(database) == "1"


async def test_a_broken_rule_of_the_schema_is_not_called_unavailable(database: Database, now: Any) -> None:
    with pytest.raises(IntegrityError):
        async with database.change() as session:
            session.add(LineRow(customer_id=7, number="1", product_id=1, password_sealed=b"", created_at=now))


@pytest.mark.parametrize(
    "make_url",
    [
        lambda path: f"sqlite:///{path}/missing/centralka.db",
        lambda path: f"sqlite:///{path}",
        lambda path: f"postgresql://postgres@/centralka?host={path}",
    ],
    ids=["missing directory", "a directory", "no server"],
)
async def test_a_database_out_of_reach_is_called_unavailable(
    tmp_path: Path, make_url: Callable[[Path], str]
) -> None:
    with pytest.raises(DatabaseUnavailable):
        await Database.open(make_url(tmp_path), busy_s=1)


async def test_a_file_that_is_no_database_is_called_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"something else" * 100)
    with pytest.raises(DatabaseUnavailable):
        await Database.open(f"sqlite:///{tmp_path / 'x.db'}")


@pytest.mark.parametrize(
    "url", ["mysql://u:hemlig@h/d", "sqlite://", "u:hemlig@h", "postgresql://u:hemlig@h:x/d"]
)
async def test_a_url_of_another_kind_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        await Database.open(url)
    assert "hemlig" not in str(refused.value)


async def test_every_sqlite_connection_is_durable_private_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    for begin in (database.read, database.change, database.append):
        async with begin() as session:
            answers = [
                await session.scalar(text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            ]
        assert answers == ["wal", 2, 1, 1]
    async with database.change() as session:
        await session.execute(text("CREATE TABLE x (y INTEGER)"))
    assert modes(tmp_path) == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
    await database.close()


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


async def test_a_file_that_is_damaged_is_a_database_that_is_not_there(tmp_path: Path):
    (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
    reader = SqlitePlainReader(make_url(f"sqlite:///{tmp_path / 'damaged.db'}"))
    with pytest.raises(DatabaseUnavailable, match="not a database"):
        await reader.rows("SELECT 1 FROM devices", {})
    await reader.close()
