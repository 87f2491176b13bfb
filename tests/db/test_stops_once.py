"""A process ends, whatever its database was doing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.engine import Database

LONG = """
WITH RECURSIVE counted(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < 3000000)
SELECT count(*) FROM counted
"""


async def test_who_is_cancelled_twice_while_it_reads_leaves_nothing_that_waits_for_ever(tmp_path: Path):
    database = await Database.open(f"sqlite:///{tmp_path}/centralka.db")
    begun = asyncio.Event()

    async def reads() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
            begun.set()
            await session.execute(text(LONG))

    reading = asyncio.create_task(reads())
    await begun.wait()
    while not reading.done():
        # It reads; and then it closes what it read by, as long as the statement takes.
        await asyncio.sleep(0.05)
        reading.cancel()
    await database.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, hanging = await asyncio.wait(left, timeout=60)
        assert not hanging


async def test_a_database_that_is_closed_has_no_thread_left_though_a_connection_was_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It would have something to tell a loop that is no more."""
    others = set(threading.enumerate())
    database = await Database.open(f"sqlite:///{tmp_path}/centralka.db")
    loop, begun, connect = asyncio.get_running_loop(), asyncio.Event(), sqlite3.connect

    def slow(*arguments: Any, **options: Any) -> sqlite3.Connection:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.1)
        return connect(*arguments, **options)

    async def writes() -> None:
        async with database.append():
            raise AssertionError("it is cancelled before")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", slow)
        writing = asyncio.create_task(writes())
        await begun.wait()
        writing.cancel()
        await asyncio.wait([writing])
        await database.close()
    assert set(threading.enumerate()) <= others
