"""An open database, and the ways to work with it: read (or `rows`, for speed), change, append."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self, TypeVar

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import changes
from db.checkpoints import Checkpoints
from db.errors import DatabaseUnavailable
from db.plain import PlainReader, PostgresPlainReader, Rows, SqlitePlainReader
from db.postgresql import APPEND_LOCK_S, lock_changes, lock_timeout, open_postgresql
from db.sqlite import TRY_AGAIN_S, make_private, open_sqlite, open_transactions
from db.stops_once import Connecting
from db.unavailable import BUSY_S, is_locked, unavailable
from db.uncollected import uncollected
from db.urls import parse_url
from db.writing import SqliteTransactions, Work, Writer, writer_of

T = TypeVar("T")


class Database:
    """An open database. Sessions are one task's, and short."""

    def __init__(self, url: URL, busy_s: float) -> None:
        """See `open`, which also looks whether the database is there."""
        self.url = url
        self._busy_s = busy_s
        self._connecting: Connecting | None = None
        self._transactions: SqliteTransactions | None = None
        self._checkpoints: Checkpoints | None = None
        self._plain: PlainReader
        if url.drivername == "sqlite":
            make_private(url)
            self._connecting = Connecting()
            self._reader, self._writer = open_sqlite(url, busy_s, self._connecting)
            self._transactions = open_transactions(url)
            self._checkpoints = Checkpoints(str(url.database))
            self._plain = SqlitePlainReader(url)
        else:
            self._reader, self._writer = open_postgresql(url, busy_s)
            self._plain = PostgresPlainReader(url)
        options: dict[str, Any] = {"expire_on_commit": False}
        self._reads = async_sessionmaker(self._reader, autoflush=False, **options)
        self._writes = async_sessionmaker(self._writer, **options)
        # Waiting here costs no thread, and waiters are served in the order in which they came.
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, *, busy_s: float = BUSY_S) -> Self:
        """Open the database at `url`: `sqlite:///PATH` or `postgresql://…`.

        `busy_s` is how long anything waits for its turn, a lock or a connection before it raises
        `DatabaseUnavailable`; a PostgreSQL that hangs meanwhile costs some seconds more (`db.watched`).
        Raises `BadDatabaseUrl`, and `DatabaseUnavailable` where the database can't be reached.
        """
        database = cls(parse_url(url), busy_s)
        try:
            with unavailable():
                async with database._reader.connect() as connection:
                    await connection.execute(text("SELECT 1"))
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close all connections; sessions still open break."""
        await self._plain.close()
        if self._transactions is not None:
            await self._transactions.close()
        if self._checkpoints is not None:
            await self._checkpoints.close()
        for engine in (self._reader, self._writer):
            await engine.dispose()
        if self._connecting is not None:
            await self._connecting.ended()

    async def rows(self, statement: str, **parameters: object) -> Rows:
        """All rows of one SELECT in plain SQL (`db.plain`), several times faster than a session.

        Raises `DatabaseUnavailable`.
        """
        return await self._plain.rows(statement, parameters)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one moment of the database, from its first query on, and can't write."""
        with unavailable():
            async with self._reads.begin() as session:
                yield session

    @asynccontextmanager
    async def change(self, *, confirm: bool = True) -> AsyncIterator[AsyncSession]:
        """The only change of configuration under way, in any process: one transaction, kept on success.

        Where it touched files that phones get (`db.changes.touch`), it ends when no process serves the old
        ones any more; without `confirm` that is left to `confirmed`, once for many changes. Raises
        `DatabaseUnavailable` when the turn does not come in time; then nothing was changed.
        """
        number: int | None = None
        async with self._turn(), self._writing_session() as session:
            for statement in lock_changes(self.url.drivername, self._busy_s):
                await session.execute(statement)
            yield session
            await session.flush()
            number = await changes.record(await writer_of(session), changes.taken(session))
        if number is not None and confirm:
            await self._confirmed(number)

    async def confirmed(self) -> None:
        """Returns when no process serves anything that is older than the changes so far."""
        if self._is_to_be_heard:
            ((number,),) = await self.rows("SELECT coalesce(max(id), 0) FROM changes")
            await self._confirmed(number)

    async def _confirmed(self, number: int) -> None:
        if self._is_to_be_heard:
            await changes.confirmed(number, self.rows)

    @property
    def _is_to_be_heard(self) -> bool:
        """Readers of a SQLite file see a change by themselves (`db.freshness`)."""
        return self.url.drivername == "postgresql"

    @asynccontextmanager
    async def append(self) -> AsyncIterator[AsyncSession]:
        """A short write that leans on nothing it read, such as a trace; PostgreSQL takes many at once.

        Raises `DatabaseBusy` where a change holds a row that it needs: then it is to be tried again.
        """
        async with AsyncExitStack() as stack:
            if self._transactions is not None:
                await stack.enter_async_context(self._turn())
            session = await stack.enter_async_context(self._writing_session())
            if self._transactions is None:
                await session.execute(lock_timeout(APPEND_LOCK_S))
            yield session

    async def appended(self, work: Work[T]) -> T:
        """What `work` returns, done in a transaction like that of `append`, and kept: for plain SQL.

        Raises what `append` does, and what `work` raises: then nothing was changed.
        """
        if self._transactions is None:
            async with self.append() as session:
                return await work(await writer_of(session))
        return await self._done(self._transactions, work)

    async def changed(self, work: Work[T], scopes: Collection[str]) -> T:
        """What `work` returns, done in a transaction like that of `change`, and kept: for plain SQL.

        Where it returns what is true, it has touched these scopes; `confirmed` is left to the caller. Raises
        what `change` does, and what `work` raises: then nothing was changed.
        """

        async def recorded(writer: Writer) -> T:
            done = await work(writer)
            if done:
                await changes.record(writer, scopes)
            return done

        if self._transactions is None:
            with uncollected():
                async with self.change(confirm=False) as session:
                    return await recorded(await writer_of(session))
        return await self._done(self._transactions, recorded)

    async def _done(self, transactions: SqliteTransactions, work: Work[T]) -> T:
        """Does it when nobody else writes."""
        give_up_at = time.monotonic() + self._busy_s
        async with self._turn():
            while True:
                with unavailable():
                    try:
                        result = await transactions.done(work)
                    except sqlite3.Error as error:
                        if not is_locked(error) or time.monotonic() > give_up_at:
                            raise
                    else:
                        self._kept()
                        return result
                await asyncio.sleep(TRY_AGAIN_S)

    @asynccontextmanager
    async def _writing_session(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction that may write from the start, kept on success."""
        with unavailable():
            async with self._writes() as session:
                await self._begin(session)
                yield session
                await session.commit()
                self._kept()

    def _kept(self) -> None:
        """A transaction has ended."""
        if self._checkpoints is not None:
            self._checkpoints.soon()

    async def _begin(self, session: AsyncSession) -> None:
        """Begins at once, not with the first query.

        While another process writes, SQLite's own waiting sleeps up to 100 ms between two tries, and whoever
        writes often would keep others out for seconds.
        """
        give_up_at = time.monotonic() + self._busy_s
        while True:
            try:
                await session.connection()
            except OperationalError as error:
                if not is_locked(error) or time.monotonic() > give_up_at:
                    raise
                await session.rollback()
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                return

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._busy_s):
                await self._writing.acquire()
        except TimeoutError:
            raise DatabaseUnavailable(
                f"another change has been running for {self._busy_s:g} s: try again"
            ) from None
        try:
            yield
        finally:
            self._writing.release()
