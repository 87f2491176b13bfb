"""What is written to a SQLite file's log gets into the file behind those who write."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from db import checkpoints
from db.engine import Database
from db.writing import Writer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAGE = 4096
MUCH = 1_500
"Pages; from 1,000 on SQLite would have who keeps something move all of them."
NEVER_S = 3600.0


@pytest.fixture
def file(database: Database) -> Path:
    return Path(str(database.url.database))


async def write(database: Database, pages: int) -> None:
    """Keeps so many pages in the log, by both ways to write."""

    async def written(writer: Writer) -> None:
        await writer.rows("CREATE TABLE IF NOT EXISTS much (said BLOB)")
        await writer.rows("INSERT INTO much VALUES (zeroblob(?))", (pages * PAGE,))

    await database.appended(written)
    async with database.change() as session:
        await (await session.connection()).exec_driver_sql("DELETE FROM much")


def size(file: Path) -> int:
    """Bytes."""
    return file.stat().st_size


def left(file: Path) -> int:
    """Pages in the log that nobody has moved yet; none are after it."""
    with sqlite3.connect(file) as connection:
        _, written, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    connection.close()
    return int(written)


async def test_who_keeps_something_does_not_move_what_was_written(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "PAUSE_S", NEVER_S)
    await write(database, 1)
    before = size(file)
    await write(database, MUCH)
    assert size(file) == before
    assert left(file) >= MUCH


async def test_it_is_moved_soon_after_and_the_log_begins_anew(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0)
    times = 5
    for _ in range(times):
        await write(database, MUCH)
        await moved(database)
        assert size(file) >= MUCH * PAGE
    assert size(file.with_name(f"{file.name}-wal")) < times * MUCH * PAGE / 2


async def moved(database: Database) -> None:
    """Returns when nothing is to be moved any more."""
    moving = database._checkpoints
    assert moving is not None
    while moving._timer is not None or not (moving._running is None or moving._running.done()):
        await (moving._running or asyncio.sleep(0))
        await asyncio.sleep(0)
