"""SQLite cursors that ask their thread once for a statement.

aiosqlite asks it to make a cursor, to execute, to fetch and to close. Each time the event loop goes round, so
a transaction of a dozen statements kept other writers out for fifty rounds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

_AHEAD = 1000
"Rows that are fetched with the statement. What has more of them is read on when it is asked for."


class ReadAheadCursor(aiosqlite.Cursor):
    """As far as SQLAlchemy uses it: a statement, its rows once, and an end."""

    _cursor: sqlite3.Cursor | None  # type: ignore[assignment] # none before the first statement

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.iter_chunk_size = _AHEAD
        self._conn = connection
        self._cursor = None
        self._rows: list[Any] = []
        "What was fetched and not asked for yet."
        self._is_open = False
        "There may be more rows."

    async def execute(self, sql: str, parameters: Any = None) -> ReadAheadCursor:
        """Runs the statement, and fetches."""
        await self._in_thread(self._do, sql, () if parameters is None else parameters)
        return self

    async def executemany(self, sql: str, parameters: Any) -> ReadAheadCursor:
        """Runs the statement for each."""
        await self._in_thread(self._do_many, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        """The next row; None: there is none."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Up to so many of the next rows; fewer do not mean that there are no more."""
        if not self._rows and self._is_open:
            await self._in_thread(self._fetch, _AHEAD)
        rows, self._rows = self._rows[:size], self._rows[size:] if size is not None else []
        return rows

    async def fetchall(self) -> list[Any]:
        """All further rows."""
        if self._is_open:
            await self._in_thread(self._fetch, None)
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Lets go of what was not fetched."""
        if self._is_open:
            await self._in_thread(self._end)

    @property
    def description(self) -> Any:
        """See PEP 249, as the others."""
        return None if self._cursor is None else self._cursor.description

    @property
    def rowcount(self) -> int:
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return None if self._cursor is None else self._cursor.lastrowid

    async def _in_thread(self, do: Callable[..., None], *arguments: Any) -> None:
        await self._conn._execute(do, *arguments)  # type: ignore[no-untyped-call]

    # In the thread of the connection

    def _do(self, sql: str, parameters: Any) -> None:
        self._begin().execute(sql, parameters)
        self._fetch(_AHEAD)

    def _do_many(self, sql: str, parameters: Any) -> None:
        self._begin().executemany(sql, parameters)
        self._end()

    def _begin(self) -> sqlite3.Cursor:
        if self._is_open:
            self._end()
        self._cursor = self._conn._conn.cursor()
        self._is_open, self._rows = True, []
        return self._cursor

    def _fetch(self, size: int | None) -> None:
        assert self._cursor is not None  # noqa: S101 - it is open
        rows = self._cursor.fetchall() if size is None else self._cursor.fetchmany(size)
        self._rows += rows
        if size is None or len(rows) < size:
            self._end()

    def _end(self) -> None:
        assert self._cursor is not None  # noqa: S101 - it is open
        self._is_open = False
        self._cursor.close()
