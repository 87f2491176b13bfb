"""The oldest rows go, so that a table stays within its bound."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema.base import Numbered
from db.writing import Writer

_ALL = 1 << 31
"Rows; SQLite knows no OFFSET without a LIMIT."


async def prune(
    writer: Writer, table: str, owner: str, owners: Collection[int], kept: int, *, only: str = ""
) -> None:
    """Forgets the oldest rows of each of `owners`, whom the column `owner` names, beyond so many of each.

    `only`: a condition; of those beyond, rows that don't meet it stay.
    """
    taken = f" AND {only}" if only else ""
    # A list, which is made once for each owner: SQLite would look for a limit anew for each row beside it.
    statement = (
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {owner} = ?"  # noqa: S608 - ours
        f" ORDER BY id DESC LIMIT {_ALL} OFFSET {kept:d}){taken}"
    )
    await writer.many(statement, [(each,) for each in sorted(owners)])


async def forget_oldest(
    session: AsyncSession, row: type[Numbered], which: Collection[ColumnElement[bool]], kept: int
) -> None:
    """Forgets the oldest of those rows that meet `which` beyond so many."""
    newest = select(row.id).where(*which).order_by(row.id.desc()).offset(kept).limit(1)
    await session.execute(delete(row).where(*which, row.id <= newest.scalar_subquery()))
