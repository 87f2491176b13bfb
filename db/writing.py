"""Short transactions in plain SQL, for what is written all the time.

For each statement on SQLite, SQLAlchemy and its driver ask another thread three or four times, which costs as
much as writing some forty rows. So such a transaction is a coroutine that waits for its `Writer` alone: on
SQLite, where that answers at once, a thread does all of it in one go.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.many import as_sqlite_keeps_them, in_parts
from db.plain import Rows
from db.uncollected import uncollected

T = TypeVar("T")


class Writer(Protocol):
    """What a transaction is written by. Parameters are written `?`."""

    database: str
    "`sqlite` or `postgresql`."

    async def rows(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
        """Runs one statement; returns the rows that it gives, if it gives any."""

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Runs `statement` once for each row (`db.many`); returns how many rows an UPDATE has met."""


Work: TypeAlias = Callable[[Writer], Coroutine[Any, Any, T]]
"What is done in a transaction. It awaits nothing but its writer."


class ConnectionWriter:
    """Writes by a connection of SQLAlchemy's: on PostgreSQL, and beside what a session does."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.database = connection.dialect.name

    async def rows(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
        """See `Writer`."""
        given = as_sqlite_keeps_them(parameters) if self.database == "sqlite" else tuple(parameters)
        found = await self._connection.exec_driver_sql(self._worded(statement), given)
        return [tuple(row) for row in found] if found.returns_rows else []

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        """See `Writer`."""
        if not rows:
            return 0
        if self.database == "sqlite":
            met = 0
            for part, values in in_parts(statement, rows):
                await self._connection.exec_driver_sql(part, values)
                # The driver counts what begins with UPDATE alone.
                met += int((await self.rows("SELECT changes()"))[0][0])
            return met
        done = await self._connection.exec_driver_sql(self._worded(statement), list(map(tuple, rows)))
        return done.rowcount

    def _worded(self, statement: str) -> str:
        return statement if self.database == "sqlite" else statement.replace("?", "%s")


async def writer_of(session: AsyncSession) -> Writer:
    """Writes in the transaction of a session; what the session itself holds is to be flushed before."""
    return ConnectionWriter(await session.connection())


class SqliteTransactions:
    """A connection with a thread of its own."""

    def __init__(self, file: str, waits_s: float, pragmas: Sequence[str]) -> None:
        """`waits_s` is how long a try waits for who else writes."""
        self._file, self._waits_s, self._pragmas = file, waits_s, pragmas
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def done(self, work: Work[T]) -> T:
        """What `work` returns, once it is kept. Raises `sqlite3.Error`, and then nothing was changed."""
        self._thread = self._thread or ThreadPoolExecutor(1, "SQLite writer")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    async def close(self) -> None:
        """Ends the connection and the thread, when what is under way has been done."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._end)
            thread.shutdown()

    def _do(self, work: Work[T]) -> T:
        # From before the lock is asked for: who has it goes on only when the collector is done.
        with uncollected():
            return self._do_now(work)

    def _do_now(self, work: Work[T]) -> T:
        connection = self._connection = self._connection or self._connect()
        # Whoever else is writing leaves nothing to be taken back.
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = _at_once(work(_SqliteWriter(connection)))
            connection.execute("COMMIT")
        except BaseException:
            # Whatever it is, the next one begins anew; to close is to take back.
            self._end()
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{self._file}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=self._waits_s,
        )
        try:
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _SqliteWriter:
    """Answers at once."""

    database = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, parameters: Sequence[object] = ()) -> Rows:
        """See `Writer`."""
        return self._connection.execute(statement, as_sqlite_keeps_them(parameters)).fetchall()

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        """See `Writer`."""
        before = self._connection.total_changes
        for part, values in in_parts(statement, rows):
            self._connection.execute(part, values)
        return self._connection.total_changes - before


def _at_once(doing: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that waits for nothing."""
    try:
        doing.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    doing.close()
    raise AssertionError("a transaction waits for its writer alone")
