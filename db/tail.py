"""Following tables to which rows are appended: hearing of new ones, and how far they may be read.

Whoever follows a log remembers the number of the last row. SQLite keeps rows in the order of their numbers.
On PostgreSQL a transaction takes its numbers when it writes and shows them when it commits, so 8 may be there
before 7: a reader that has gone on to 8 would never see 7. A gap is therefore passed only when every
transaction that may still fill it has ended.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import psycopg
from sqlalchemy import func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from db import changes
from db.engine import Database
from db.errors import DatabaseUnavailable
from db.schema.base import Numbered
from db.watched import WatchedConnection, watched
from db.writing import Writer, writer_of

logger = logging.getLogger(__name__)

CHANNEL = "centralka_events"
"Of PostgreSQL's NOTIFY."
PAGE = 500
"Rows of a log that are read at a time."
POLL_S = 0.05
"How often a SQLite file is asked whether anybody has written, and a gap on PostgreSQL whether it stays."

_APPENDING = 0x43656E7472616C01
"The advisory lock that appending transactions share on PostgreSQL; nobody ever takes it for itself."
_RETRY_S = 0.5
_CONNECT_S = 2


async def announce(session: AsyncSession) -> None:
    """Says that this transaction appends to a log that is followed; to be called before it writes.

    Followers are woken when the transaction is kept. SQLite needs no telling.
    """
    if session.get_bind().dialect.name == "postgresql":
        await announce_by(await writer_of(session))


async def announce_by(writer: Writer) -> None:
    """`announce`, for a transaction in plain SQL."""
    if writer.database == "postgresql":
        await writer.rows("SELECT pg_advisory_xact_lock_shared(?), pg_notify(?, '')", (_APPENDING, CHANNEL))


async def _appending(database: Database) -> frozenset[str]:
    """The transactions that have announced themselves and have not ended; none on SQLite.

    One that is not among them is seen by every look at the database that begins from now on.
    """
    if database.url.drivername == "sqlite":
        return frozenset()
    query = text(
        "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        " AND classid::bigint = :high AND objid::bigint = :low"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    parameters = {"high": _APPENDING >> 32, "low": _APPENDING & 0xFFFFFFFF}
    async with database.read() as session:
        return frozenset(await session.scalars(query, parameters))


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A lower number may still come."""

    up_to: int
    "Rows up to here have been seen."
    appending: frozenset[str]
    "Who may still show a lower one."


class Follower:
    """How far one log may be read so that nothing is missed."""

    def __init__(self, database: Database, log: type[Numbered]) -> None:
        self._database = database
        self._log = log
        self._doubt: _Doubt | None = None
        self.settled = 0
        "No row up to this number will come any more."

    async def start(self) -> None:
        """Begins behind all that is there, when nothing lower is under way any more."""
        newest = await self.newest()
        under_way = await _appending(self._database)
        while under_way:
            await asyncio.sleep(POLL_S)
            under_way &= await _appending(self._database)
        self._doubt, self.settled = None, newest

    async def newest(self) -> int:
        """The highest number that can be seen; 0 for none."""
        async with self._database.read() as session:
            return await session.scalar(select(func.max(self._log.id))) or 0

    @property
    def is_in_doubt(self) -> bool:
        """Rows are there that may not be read yet; nobody may say when they may."""
        return self._doubt is not None

    async def advance(self) -> bool:
        """Moves `settled` on by one page at most. Returns whether it pays to look again at once."""
        doubt = self._doubt
        # Before the look: whoever has ended by now is seen by it.
        if doubt is not None and doubt.appending and doubt.appending & await _appending(self._database):
            return False
        async with self._database.read() as session:
            later = select(self._log.id).where(self._log.id > self.settled)
            numbers = list(await session.scalars(later.order_by(self._log.id).limit(PAGE)))
        self._doubt = None
        for number in numbers:
            if number > self.settled + 1 and (doubt is None or number > doubt.up_to):
                # After the look: whoever took a number below the last one seen is under way, or is seen next.
                self._doubt = _Doubt(numbers[-1], await _appending(self._database))
                return not self._doubt.appending
            self.settled = number
        return len(numbers) == PAGE


class Waker(Protocol):
    """Tells when it is time to look."""

    async def wait(self, longest_s: float) -> None:
        """Returns when somebody has written since the last call, or may have; after `longest_s` anyway."""


@asynccontextmanager
async def waking(database: Database) -> AsyncIterator[Waker]:
    """What wakes followers for as long as the context lasts. Raises `DatabaseUnavailable`."""
    if database.url.drivername == "sqlite":
        try:
            file = sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise DatabaseUnavailable(f"can't open the database: {error}") from error
        try:
            yield _SqliteWaker(file)
        finally:
            file.close()
        return
    waker = _PostgresWaker(database.url)
    try:
        yield waker
    finally:
        await waker.close()


class _SqliteWaker:
    """Asks the file, in the event loop's thread: that takes two microseconds."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._version: int | None = None

    async def wait(self, longest_s: float) -> None:
        """See `Waker`."""
        looks = max(1, round(longest_s / POLL_S))
        for _ in range(looks):
            # While the file can't be asked, the reader that looks after `longest_s` says what is wrong.
            version = None
            with suppress(sqlite3.Error):
                version = int(self._file.execute("PRAGMA data_version").fetchone()[0])
            if version is not None and version != self._version:
                self._version = version
                return
            await asyncio.sleep(POLL_S)


class _PostgresWaker:
    """Listens; after a lost connection it listens again."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: WatchedConnection | None = None

    async def wait(self, longest_s: float) -> None:
        """See `Waker`."""
        try:
            if self._connection is None:
                self._connection = await watched(
                    self._conninfo, autocommit=True, connect_timeout=_CONNECT_S
                )
                # A change may take a customer away, and with it who may read.
                for channel in (CHANNEL, changes.CHANNEL):
                    await self._connection.execute(f"LISTEN {channel}")
                return
            async for _ in self._connection.notifies(timeout=longest_s, stop_after=1):
                pass
        except (psycopg.Error, OSError) as error:
            logger.warning("no news from the database error=%s", error)
            await self.close()
            await asyncio.sleep(_RETRY_S)

    async def close(self) -> None:
        """Ends the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
