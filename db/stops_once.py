"""SQLite connections that can be told twice to end, and whose cursors ask their thread once.

SQLAlchemy closes a connection whose user is cancelled, and stops it at once where that is cancelled, too;
then aiosqlite waits for a thread that has ended already, and with it the whole process, for ever.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from threading import Thread
from typing import Any
from weakref import WeakSet

import aiosqlite

from db.read_ahead import ReadAheadCursor

_ROWS_AT_ONCE = 64
_LOOK_S, _ENDS_S = 0.001, 5.0


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


class Connecting:
    """What `async_creator_fn` is to be, which leaves a connection's thread to its maker."""

    def __init__(self) -> None:
        self._threads: WeakSet[Thread] = WeakSet()

    def __call__(self, database: str, **options: Any) -> aiosqlite.Connection:
        """As `aiosqlite.connect`."""
        made = _StopsOnce(lambda: sqlite3.connect(database, **options), _ROWS_AT_ONCE)
        # Or a connection that nobody has closed would keep the process up.
        made._thread.daemon = True
        self._threads.add(made._thread)
        return made

    async def ended(self) -> None:
        """Returns when the threads of all connections have ended, which are all closed, or after `_ENDS_S`.

        Nobody waits for the thread of a connection whose user was cancelled while it was being made, and it
        would have something to tell a loop that is no more.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDS_S):
                while True:
                    if not any(thread.is_alive() for thread in self._threads):
                        return
                    await asyncio.sleep(_LOOK_S)
