"""Opening a database, and the ways to work with it: read (or `rows`, for speed), change, append.

SQLite: the driver's own transactions are switched off (it would begin late, and deferred), so that
`BEGIN IMMEDIATE` is what the database sees. One connection writes; the others can't.
PostgreSQL: a change takes one advisory lock, so that changes are serial there, too.
"""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import TextClause, event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from db import changes
from db.errors import BadDatabaseUrl, DatabaseBusy, DatabaseUnavailable
from db.plain import PlainReader, PostgresPlainReader, Rows, SqlitePlainReader
from db.stops_once import Connecting
from db.uncollected import uncollected
from db.watched import watched
from db.writing import SqliteTransactions, Work, Writer, writer_of

T = TypeVar("T")

BUSY_S = 10.0
"Seconds that anything waits for another writer, a connection or a lock, unless told otherwise."

_TRY_AGAIN_S = 0.003
"Seconds between two tries to begin while another process writes to the SQLite file."

_ALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"A PostgreSQL whose machine is gone without a word is noticed in seconds, not in TCP's quarter of an hour."

_APPEND_LOCK_S = 0.2
"""How long an append waits for a row that a change holds, before it gives up and is tried again.

PostgreSQL looks for a deadlock after a second, and ends whoever looks: an append that has let go by then
never costs a change.
"""

CHANGE_LOCK = 0x43656E7472616C6B
"The advisory lock of changes and migrations on PostgreSQL: `Centralk`."

# https://www.sqlite.org/rescode.html: what passes or is repaired outside, as opposed to our own mistakes,
# for which sqlite3 raises the same class.
_SQLITE_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


def parse_url(url: str) -> URL:
    """`sqlite:///PATH` or `postgresql://…` as SQLAlchemy's URL, without a driver.

    Raises `BadDatabaseUrl`.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise BadDatabaseUrl(
            "the database URL can't be read: write sqlite:///PATH or postgresql://…"
        ) from None
    if parsed.drivername not in ("sqlite", "postgresql"):
        raise BadDatabaseUrl(f"no database {parsed.drivername!r}: write sqlite:///PATH or postgresql://…")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDatabaseUrl("the SQLite database needs a file: write sqlite:///PATH")
    return parsed


def make_private(url: URL) -> None:
    """Create the file of a SQLite database, readable by its owner alone; its -wal and -shm take after it."""
    file = Path(url.database or "")
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(f"can't open the database {file}: {error.strerror}") from error


class Database:
    """An open database. Sessions are one task's, and short."""

    def __init__(
        self,
        url: URL,
        reader: AsyncEngine,
        writer: AsyncEngine,
        busy_s: float,
        connecting: Connecting | None = None,
    ) -> None:
        """`connecting` makes the connections of both engines, on SQLite."""
        self.url = url
        self._connecting = connecting
        self._busy_s = busy_s
        self._reader = reader
        self._engines = (reader, writer)
        options: dict[str, Any] = {"expire_on_commit": False}
        self._reads = async_sessionmaker(reader, autoflush=False, **options)
        self._writes = async_sessionmaker(writer, **options)
        # Waiting here costs no thread, and waiters are served in the order in which they came.
        self._writing = asyncio.Lock()
        self._transactions: SqliteTransactions | None = None
        self._plain: PlainReader
        if url.drivername == "sqlite":
            self._transactions = SqliteTransactions(str(url.database), _TRY_AGAIN_S, _PRAGMAS + _WRITES_MANY)
            self._plain = SqlitePlainReader(url)
        else:
            self._plain = PostgresPlainReader(url)

    @classmethod
    async def open(cls, url: str, *, busy_s: float = BUSY_S) -> Self:
        """Open the database at `url`: `sqlite:///PATH` or `postgresql://…`.

        `busy_s` is how long anything waits for its turn, a lock or a connection before it raises
        `DatabaseUnavailable`; a PostgreSQL that hangs meanwhile costs some seconds more (`db.watched`).
        Raises `BadDatabaseUrl`, and `DatabaseUnavailable` where the database can't be reached.
        """
        parsed = parse_url(url)
        make = cls._sqlite if parsed.drivername == "sqlite" else cls._postgresql
        database = make(parsed, busy_s)
        try:
            with unavailable():
                async with database._reader.connect() as connection:
                    await connection.execute(text("SELECT 1"))
        except BaseException:
            await database.close()
            raise
        return database

    @classmethod
    def _sqlite(cls, url: URL, busy_s: float) -> Self:
        make_private(url)
        connecting = Connecting()

        def engine(begin: str, pool_size: int, waits_s: float, *pragmas: str) -> AsyncEngine:
            made = create_async_engine(
                url.set(drivername="sqlite+aiosqlite"),
                connect_args={"isolation_level": None, "timeout": waits_s, "async_creator_fn": connecting},
                # Parameters hold sealed secrets, and errors are logged.
                hide_parameters=True,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=busy_s,
            )
            prepare_sqlite(made.sync_engine, begin, *pragmas)
            return made

        reader = engine("BEGIN", 8, busy_s, "query_only=ON")
        writer = engine("BEGIN IMMEDIATE", 1, _TRY_AGAIN_S, *_WRITES_MANY)
        return cls(url, reader, writer, busy_s, connecting)

    @classmethod
    def _postgresql(cls, url: URL, busy_s: float) -> Self:
        engine = create_async_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": math.ceil(busy_s), "async_creator_fn": watched, **_ALIVE},
            hide_parameters=True,
            pool_size=8,
            max_overflow=8,
            pool_timeout=busy_s,
            pool_pre_ping=True,
        )
        reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return cls(url, reader, engine, busy_s)

    async def close(self) -> None:
        """Close all connections; sessions still open break."""
        await self._plain.close()
        if self._transactions is not None:
            await self._transactions.close()
        for engine in self._engines:
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
            async with self.read() as session:
                number = await changes.newest(session)
            await self._confirmed(number)

    async def _confirmed(self, number: int) -> None:
        if self._is_to_be_heard:
            await changes.confirmed(number, self.read)

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
                await session.execute(_lock_timeout(_APPEND_LOCK_S))
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
                        return await transactions.done(work)
                    except sqlite3.Error as error:
                        if not _is_locked(error) or time.monotonic() > give_up_at:
                            raise
                await asyncio.sleep(_TRY_AGAIN_S)

    @asynccontextmanager
    async def _writing_session(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction that may write from the start, kept on success."""
        with unavailable():
            async with self._writes() as session:
                await self._begin(session)
                yield session
                await session.commit()

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
                if not _is_locked(error) or time.monotonic() > give_up_at:
                    raise
                await session.rollback()
                await asyncio.sleep(_TRY_AGAIN_S)
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


def lock_changes(database: str, busy_s: float = BUSY_S) -> tuple[TextClause, ...]:
    """What a transaction runs first so that no other change runs beside it (SQLite: `BEGIN` did that)."""
    if database == "sqlite":
        return ()
    return (_lock_timeout(busy_s), text(f"SELECT pg_advisory_xact_lock({CHANGE_LOCK})"))


def _lock_timeout(longest_s: float) -> TextClause:
    """How long each statement of this transaction waits for a lock on PostgreSQL."""
    return text(f"SELECT set_config('lock_timeout', '{longest_s * 1000:.0f}ms', true)")


_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
"The last one writes zeros over what is deleted: a secret that was sealed with a dropped key is gone."

_WRITES_MANY = ("temp_store=MEMORY", "cache_size=-8192")
"""Of the connection that writes: a statement of many rows touches more pages than SQLite holds in memory by
itself, and what it may have to take back would go through a temporary file.

Five hundred traces touch some 1,500 pages, which are 6 MB. More would only fill up: with the records of
24,000 calls, 16 MB did.
"""


def prepare_sqlite(engine: Any, begin: str, *pragmas: str) -> None:
    """Make `engine` (synchronous side) open every connection alike, and begin with `begin`."""

    def connected(connection: Any, record: Any) -> None:
        try:
            cursor = connection.cursor()
            for pragma in _PRAGMAS + pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:
            # The pool forgets a connection that failed here, and its thread would outlive the loop.
            connection.close()
            raise

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what a busy, full or unreachable database raises into `DatabaseUnavailable`."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("no database connection became free in time: try again") from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = _cause(error)
        if _sqlite_code(error) == sqlite3.SQLITE_FULL:
            raise DatabaseUnavailable(
                "the disk that holds the database is full: make room on it and try again; nothing was changed"
            ) from error
        if isinstance(cause, LockNotAvailable | DeadlockDetected):
            raise DatabaseBusy("another change holds what this one needs: try again") from error
        if _passes(error):
            raise DatabaseUnavailable(f"the database can't be used now: {cause}") from error
        raise


_Failed: TypeAlias = DBAPIError | sqlite3.Error
"What SQLAlchemy raises, or SQLite's driver itself."


def _cause(error: _Failed) -> BaseException | None:
    """What the driver raised."""
    return error.orig if isinstance(error, DBAPIError) else error


def _is_locked(error: _Failed) -> bool:
    """Whether another process writes to the SQLite file."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def _sqlite_code(error: _Failed) -> int:
    """The primary code, which extended ones keep in the low byte; 0 for another database's error."""
    return int(getattr(_cause(error), "sqlite_errorcode", 0)) & 0xFF


def _passes(error: _Failed) -> bool:
    """Whether the database, not the statement, is at fault."""
    if isinstance(_cause(error), sqlite3.Error):
        return _sqlite_code(error) in _SQLITE_UNAVAILABLE
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    )
