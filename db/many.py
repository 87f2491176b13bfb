"""Many rows by one statement of plain SQL: SQLAlchemy's own takes several times as long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection


async def write_many(connection: AsyncConnection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Runs `statement`, whose parameters are written `?`, once for each row; nothing for no row."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(statement, [tuple(map(_as_sqlite_keeps_it, row)) for row in rows])
    else:
        await connection.exec_driver_sql(statement.replace("?", "%s"), [tuple(row) for row in rows])


def _as_sqlite_keeps_it(value: object) -> object:
    """SQLAlchemy keeps moments there as text without a zone."""
    return value.isoformat(" ", "microseconds")[:26] if type(value) is datetime else value
