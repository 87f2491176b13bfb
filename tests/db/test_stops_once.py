"""A process ends, whatever its database was doing."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
