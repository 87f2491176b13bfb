"""What a line's registrations are judged by, by plain SQL (`Database.rows`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import Database

_OF_NUMBER = """
SELECT l.id, l.number, l.password_version, l.password_sealed, l.ha1_sealed FROM lines l
WHERE l.id = coalesce((SELECT n.id FROM lines n WHERE n.number = :number), :stand_in)
"""
_STORE = text("UPDATE lines SET ha1_sealed = :sealed WHERE id = :id AND password_version = :version")


class LineSecrets(NamedTuple):
    """A line's password, and what it became."""

    line_id: int
    number: str
    password_version: int
    password_sealed: bytes
    ha1_sealed: bytes | None


async def secrets_of_line(database: Database, number: str, stand_in: int) -> LineSecrets | None:
    """Of the line with that number, or where there is none of the line `stand_in`: both are as much work.

    None: the stand-in isn't there, either.
    """
    rows = await database.rows(_OF_NUMBER, number=number, stand_in=stand_in)
    return LineSecrets(*rows[0]) if rows else None


async def some_line_ids(database: Database, most: int) -> list[int]:
    """Lines that may stand in for others."""
    return [row[0] for row in await database.rows("SELECT id FROM lines LIMIT :most", most=most)]


async def store_ha1s(connection: AsyncConnection, rows: Sequence[tuple[bytes, int, int]]) -> None:
    """Keeps sealed HA1s, each with its line and the version of the password that it was made of.

    Where the line has another password by now, or is gone, its own is dropped.
    """
    named = [{"sealed": sealed, "id": line_id, "version": version} for sealed, line_id, version in rows]
    await connection.execute(_STORE, named)
