"""The oldest rows go, so that a table stays within its bound."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema.base import Numbered
from db.writing import Writer


async def prune(
    writer: Writer, table: str, owner: str, owners: Collection[int], kept: int, *, only: str = ""
) -> None:
    """Forgets the oldest rows of each of `owners`, whom the column `owner` names, beyond so many of each.

    `only`: a condition; of those beyond, rows that don't meet it stay.
    """
    taken = f" AND {only}" if only else ""
    statement = (
        f"DELETE FROM {table} WHERE {owner} = ?{taken} AND id <= (SELECT id FROM {table}"  # noqa: S608 - ours
        f" WHERE {owner} = ? ORDER BY id DESC LIMIT 1 OFFSET {kept:d})"
    )
    await writer.many(statement, [(each, each) for each in sorted(owners)])


async def forget_oldest(
    session: AsyncSession, row: type[Numbered], which: Collection[ColumnElement[bool]], kept: int
) -> None:
    """Forgets the oldest of those rows that meet `which` beyond so many."""
    newest = select(row.id).where(*which).order_by(row.id.desc()).offset(kept).limit(1)
    await session.execute(delete(row).where(*which, row.id <= newest.scalar_subquery()))
