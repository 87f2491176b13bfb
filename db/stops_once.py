"""SQLite connections that can be told twice to end, and whose cursors ask their thread once.

SQLAlchemy closes a connection whose user is cancelled, and stops it at once where that is cancelled, too;
then aiosqlite waits for a thread that has ended already, and with it the whole process, for ever.
"""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import aiosqlite

from db.read_ahead import ReadAheadCursor

_ROWS_AT_ONCE = 64


class _StopsOnce(aiosqlite.Connection):
    _is_stopping = False
    _ends: asyncio.Future[Any] | None = None

    def cursor(self) -> ReadAheadCursor:  # type: ignore[override] # for SQLAlchemy, which awaits no more of it
        """A cursor that has not done anything yet."""
        return ReadAheadCursor(self)

    def stop(self) -> asyncio.Future[Any] | None:
        """What tells that the thread ends, which is begun by the first call; None: nobody is left to tell."""
        if not self._is_stopping:
            self._is_stopping = True
            self._ends = super().stop()
        return None if self._ends is None else asyncio.shield(self._ends)


def connecting(database: str, **options: Any) -> aiosqlite.Connection:
    """As `aiosqlite.connect`; for `async_creator_fn`, which leaves the thread to its maker."""
    made = _StopsOnce(lambda: sqlite3.connect(database, **options), _ROWS_AT_ONCE)
    # Or a connection that nobody has closed would keep the process up.
    made._thread.daemon = True
    return made
