"""One statement for many rows does what it does for each of them, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import Database
from db.many import _for_many
from db.writing import ConnectionWriter

PUT = (
    "INSERT INTO numbers (number, kind, said, at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (number, kind) DO UPDATE SET said = excluded.said"
)
SAY = "UPDATE numbers SET said = ?, at = coalesce(?, at) WHERE number = ? AND kind = ?"
REMOVE = "DELETE FROM numbers WHERE number = ? AND kind = ?"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANY = 1_500
"More than one statement takes."


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.change() as session:
        made = await session.connection()
        moment = "TIMESTAMP WITH TIME ZONE" if made.dialect.name == "postgresql" else "TEXT"
        await made.exec_driver_sql(
            f"CREATE TABLE numbers (number INTEGER, kind TEXT, said TEXT, at {moment},"
            " PRIMARY KEY (number, kind))"
        )
        yield made


async def write_many(
    connection: AsyncConnection, statement: str, rows: Sequence[tuple[object, ...]]
) -> None:
    await ConnectionWriter(connection).many(statement, rows)


async def kept(connection: AsyncConnection) -> dict[int, str | None]:
    found = await connection.execute(text("SELECT number, said FROM numbers WHERE kind = 'a'"))
    return {row.number: row.said for row in found}


async def test_each_row_is_inserted_or_put_over_the_one_that_is_the_same(connection: AsyncConnection):
    await write_many(connection, PUT, [(number, "a", "old", NOON) for number in range(3)])
    await write_many(connection, PUT, [(number, "a", f"{number}; ' ?", None) for number in range(2, MANY)])
    assert await kept(connection) == {0: "old", 1: "old"} | {n: f"{n}; ' ?" for n in range(2, MANY)}


async def test_each_row_is_updated_and_no_other(connection: AsyncConnection):
    await write_many(connection, PUT, [(number, "a", "old", NOON) for number in range(MANY)])
    await write_many(connection, SAY, [(None, None, number, "a") for number in range(7, MANY)])
    await write_many(connection, SAY, [("of another kind", NOON, 1, "b")])
    assert await kept(connection) == dict.fromkeys(range(7), "old") | dict.fromkeys(range(7, MANY))
    without = await connection.scalar(text("SELECT count(*) FROM numbers WHERE at IS NULL"))
    assert without == 0, "what is None is no news"


async def test_each_row_is_deleted_and_no_other(connection: AsyncConnection):
    await write_many(connection, PUT, [(number, "a", "old", None) for number in range(MANY)])
    await write_many(connection, REMOVE, [(number, "a") for number in range(5, MANY)] + [(1, "b")])
    assert await kept(connection) == dict.fromkeys(range(5), "old")


async def test_nothing_is_done_for_no_row(connection: AsyncConnection):
    await write_many(connection, PUT, [])
    assert await kept(connection) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", [SAY, REMOVE])
async def test_rows_are_looked_up_and_the_table_is_not_walked_through(
    connection: AsyncConnection, statement: str
):
    plan = await connection.exec_driver_sql(
        f"EXPLAIN QUERY PLAN {_for_many(statement, 64)}", (None,) * (64 * statement.count("?"))
    )
    steps = [row[3] for row in plan]
    assert any(step.startswith("SEARCH numbers USING") for step in steps), steps
    assert not any(step.startswith("SCAN numbers") for step in steps), steps


async def test_what_is_no_statement_for_many_rows_is_refused():
    with pytest.raises(ValueError, match="many rows"):
        _for_many("SELECT ?", 2)
