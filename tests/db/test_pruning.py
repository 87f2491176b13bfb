"""What forgetting the oldest rows of some owners leaves, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.engine import Database
from db.queries.pruning import prune
from db.writing import writer_of

KEPT = 50


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """With notes of owners, which are found by an index that doesn't put an owner's notes in their order."""
    async with database.change() as session:
        columns = "id INTEGER PRIMARY KEY, owner INTEGER, kind INTEGER"
        await session.execute(text(f"CREATE TABLE notes ({columns})"))
        await session.execute(text("CREATE INDEX ix_notes ON notes (owner, kind, id)"))
        yield session


async def put(session: AsyncSession, rows: int, owners: Collection[int]) -> None:
    """So many notes of each owner, by turns."""
    taken = len(owners)
    values = [
        {"id": at * taken + place, "owner": owner, "kind": at % 3}
        for at in range(1, rows + 1)
        for place, owner in enumerate(owners)
    ]
    await session.execute(text("INSERT INTO notes (id, owner, kind) VALUES (:id, :owner, :kind)"), values)


async def left(session: AsyncSession, owner: int) -> list[int]:
    query = text("SELECT id FROM notes WHERE owner = :owner ORDER BY id")
    return list(await session.scalars(query, {"owner": owner}))


async def test_the_newest_of_each_owner_stay(session: AsyncSession):
    await put(session, KEPT + 20, (1, 2, 3))
    before = {owner: await left(session, owner) for owner in (1, 2, 3)}
    await prune(await writer_of(session), "notes", "owner", {1, 3}, KEPT)
    assert await left(session, 1) == before[1][-KEPT:]
    assert await left(session, 2) == before[2]
    assert await left(session, 3) == before[3][-KEPT:]


async def test_what_is_under_the_bound_stays(session: AsyncSession):
    await put(session, KEPT, (1,))
    await prune(await writer_of(session), "notes", "owner", {1, 7}, KEPT)
    assert len(await left(session, 1)) == KEPT


async def test_of_those_beyond_only_what_meets_the_condition_goes(session: AsyncSession):
    await put(session, KEPT + 30, (1,))
    before = await left(session, 1)
    await prune(await writer_of(session), "notes", "owner", {1}, KEPT, only="kind <> 1")
    assert await left(session, 1) == [each for each in before[:30] if each % 3 == 1] + before[30:]


async def steps(session: AsyncSession, connection: AsyncConnection, owners: Collection[int]) -> int:
    """How much SQLite does to forget the oldest of these."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await raw.driver_connection.set_progress_handler(step, 1)
    try:
        await prune(await writer_of(session), "notes", "owner", owners, KEPT)
    finally:
        await raw.driver_connection.set_progress_handler(None, 0)
    return taken


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_twice_the_rows_cost_twice_as_much_and_not_four_times(session: AsyncSession):
    connection = await session.connection()
    await put(session, 500, (1, 2))
    of_few = await steps(session, connection, {1, 2})
    await session.execute(text("DELETE FROM notes"))
    await put(session, 1000, (1, 2))
    assert await steps(session, connection, {1, 2}) < 3 * of_few
