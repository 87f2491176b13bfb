"""Changing the key that secrets are sealed with, without ever being unable to open one.

First a new key joins the file, then every secret is sealed with it in one change, then the old keys go. A
crash between any two steps leaves a file whose keys open everything; the next rotation starts over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Column, LargeBinary, Row, Table, bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.errors import VaultError
from db.schema import metadata
from db.vault import Vault

BATCH = 500
"Rows held in memory at once."


async def rotate(database: Database, vault: Vault) -> int:
    """Seal every secret with a new key and drop the old ones; how many secrets there were.

    Raises `VaultError`, before anything is changed for good, where one can't be opened.
    """
    async with database.change() as session:
        vault.add_key()
        count = await reseal(session, vault)
    async with database.change() as session:
        await drop_old_keys(session, vault)
    return count


async def reseal(session: AsyncSession, vault: Vault) -> int:
    """Seal every secret of the database with the vault's first key; how many there were."""
    count = 0
    for table, columns in sealed_columns().items():
        keys = list(table.primary_key)
        store = (
            update(table)
            .where(*(key == bindparam(f"key_{key.name}") for key in keys))
            .values({column: bindparam(f"new_{column.name}") for column in columns})
        )
        async for rows in _batches(session, table, columns):
            # Half a millisecond a row is too long for the loop.
            changes = await asyncio.to_thread(_resealed, vault, rows, keys, columns)
            await (await session.connection()).execute(store, changes)
            count += sum(row._mapping[column] is not None for row in rows for column in columns)
    return count


async def drop_old_keys(session: AsyncSession, vault: Vault) -> None:
    """Drop all keys but the first, once it is certain that no secret of the database needs them.

    Raises `VaultError` where one does; no key is dropped then.
    """
    for table, columns in sealed_columns().items():
        async for rows in _batches(session, table, columns):
            if not await asyncio.to_thread(_all_new, vault, rows, columns):
                raise VaultError(f"secrets of {table.name} still need an old key: rotate the keys again")
    vault.drop_old_keys()


def sealed_columns() -> dict[Table, list[Column[Any]]]:
    """Every column that holds secrets, by table: they are named `*_sealed`."""
    found = {
        table: [column for column in table.columns if column.name.endswith("_sealed")]
        for table in metadata.sorted_tables
    }
    assert all(isinstance(c.type, LargeBinary) for columns in found.values() for c in columns)  # noqa: S101
    return {table: columns for table, columns in found.items() if columns}


async def _batches(
    session: AsyncSession, table: Table, columns: list[Column[Any]]
) -> AsyncIterator[Sequence[Row[Any]]]:
    keys = list(table.primary_key)
    query = select(*keys, *columns).order_by(*keys).limit(BATCH)
    rows = (await session.execute(query)).all()
    while rows:
        yield rows
        last = [rows[-1]._mapping[key] for key in keys]
        rows = (await session.execute(query.where(tuple_(*keys) > tuple_(*last)))).all()


def _resealed(
    vault: Vault, rows: Sequence[Row[Any]], keys: list[Column[Any]], columns: list[Column[Any]]
) -> list[dict[str, Any]]:
    return [
        {f"key_{key.name}": row._mapping[key] for key in keys}
        | {
            f"new_{column.name}": None if row._mapping[column] is None else vault.reseal(row._mapping[column])
            for column in columns
        }
        for row in rows
    ]


def _all_new(vault: Vault, rows: Sequence[Row[Any]], columns: list[Column[Any]]) -> bool:
    return all(
        row._mapping[column] is None or vault.opens_with_first_key(row._mapping[column])
        for row in rows
        for column in columns
    )
