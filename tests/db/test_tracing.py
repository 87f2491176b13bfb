"""Traces that several processes write at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import select, text, update

from db import engine
from db.engine import Database
from db.plain import Rows
from db.queries.tracing import Progress, note_progress, prune_strangers
from db.schema import DeviceRow
from db.writing import Writer
from tests.db.conftest import insert_sample

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%'"
    " AND datname = current_database()"
)


async def noted(database: Database, devices: Sequence[int], now: datetime, source: str) -> None:
    progress = [Progress(now, source, None, None, device) for device in devices]
    await database.appended(lambda writer: note_progress(writer, progress))


async def until_waiting(database: Database, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.read() as session:
                if await session.scalar(WAITING) == count:
                    return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_processes_may_write_of_the_same_phones_in_any_order(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    # Who waits is seen to wait before it gives up.
    monkeypatch.setattr(engine, "APPEND_LOCK_S", 60.0)
    async with database.change() as session:
        await insert_sample(session, "one", "48223809887", "0015654aa937", str.encode)
        one = (await session.execute(select(DeviceRow.__table__))).mappings().one()
        session.add(DeviceRow(**dict(one) | {"id": None, "mac": "0015654aa938", "service_token_hash": "two"}))
    async with database.read() as session:
        first, second = await session.scalars(select(DeviceRow.id).order_by(DeviceRow.id))
    # Both wait for the first phone; had one of them the second already, neither could go on.
    async with asyncio.TaskGroup() as tasks, database.append() as session:
        await session.execute(update(DeviceRow).where(DeviceRow.id == first).values(name="held"))
        tasks.create_task(noted(database, [first, second], now, "192.0.2.1"))
        await until_waiting(database, 1)
        tasks.create_task(noted(database, [second, first], now, "192.0.2.2"))
        await until_waiting(database, 2)
    # PostgreSQL may let either go first, but not each with one of the phones.
    async with database.read() as session:
        sources = (await session.scalars(select(DeviceRow.contacted_from))).all()
    assert sources in (["192.0.2.1"] * 2, ["192.0.2.2"] * 2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_oldest_requests_of_strangers_are_found_without_sorting_them(database: Database):
    asked: list[str] = []

    async def plan(writer: Writer) -> None:
        class Explaining:
            database = writer.database
            many = writer.many

            async def rows(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
                rows = await writer.rows(f"EXPLAIN QUERY PLAN {statement}", parameters)
                asked.extend(row[3] for row in rows)
                return []

        await prune_strangers(Explaining(), 10_000)

    await database.appended(plan)
    assert [line for line in asked if "ix_provisioning_requests_strangers" in line]
    assert [line for line in asked if "ORDER BY" in line] == []
