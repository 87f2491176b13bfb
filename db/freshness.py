"""What has changed since one looked last: how a process that keeps files in memory never serves an old one.

SQLite tells a connection in about two microseconds whether anybody else has written (`PRAGMA data_version`),
so each look asks. On PostgreSQL a node hears of changes by NOTIFY and holds a lease while it does; a writer
waits until every node with a lease has confirmed its change (`db.changes.confirmed`).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import psycopg
from sqlalchemy.engine import URL

from db.changes import ALL, CHANNEL, LEASE_S
from db.engine import Database
from db.watched import WatchedConnection, watched

logger = logging.getLogger(__name__)

_RENEW_S = 0.4
_RETRY_S = 0.5
_MARGIN_S = 0.2
"A node stops trusting itself this long before writers stop waiting for it."


class Watcher(Protocol):
    """Tells what has changed."""

    def news(self) -> Sequence[str]:
        """The scopes touched since the last call, `all` among them where it can't say; costs microseconds.

        What was read from the database before a call, and kept, is good after it unless it was named.
        """

    @property
    def trusts(self) -> bool:
        """Whether silence means that nothing has changed. False: ask the database, or say that you can't."""


@asynccontextmanager
async def watching(database: Database) -> AsyncIterator[Watcher]:
    """A watcher of the database for as long as the context lasts; it has its lease, if one can be had."""
    if database.url.drivername == "sqlite":
        watcher = SqliteWatcher(database.url)
        try:
            yield watcher
        finally:
            watcher.close()
        return
    async with asyncio.TaskGroup() as tasks:
        node = PostgresWatcher(database.url)
        running = tasks.create_task(node.run(), name="freshness")
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE_S):
                await node.first_lease.wait()
        try:
            yield node
        finally:
            running.cancel()


class SqliteWatcher:
    """Looks into the file itself."""

    def __init__(self, url: URL) -> None:
        # Of one thread, the event loop's: a look is shorter than a hop to another thread.
        self._connection = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True, isolation_level=None)
        self._version = self._data_version()
        self._number = self._newest()
        self._trusts = True

    @property
    def trusts(self) -> bool:
        """Whether the last look could be taken."""
        return self._trusts

    def news(self) -> Sequence[str]:
        """See `Watcher`."""
        try:
            version = self._data_version()
            if version == self._version:
                self._trusts = True
                return ()
            rows = self._connection.execute(
                "SELECT id, scope FROM changes WHERE id > ? ORDER BY id", (self._number,)
            ).fetchall()
        except sqlite3.Error:
            logger.exception("the database could not be asked for changes")
            self._trusts = False
            return ()
        self._version, self._trusts = version, True
        return self._taken(rows)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _taken(self, rows: list[tuple[int, str]]) -> Sequence[str]:
        if not rows:
            return ()
        # Old numbers are forgotten: a gap may have held anything.
        gap = rows[0][0] > self._number + 1
        self._number = rows[-1][0]
        return (ALL,) if gap else tuple(scope for _, scope in rows)

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _newest(self) -> int:
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM changes").fetchone()[0])


class PostgresWatcher:
    """A node: hears changes, confirms them, and holds a lease for as long as it does."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._id = uuid.uuid4().hex
        self._number: int | None = None
        self._pending: list[str] = [ALL]
        self._trusted_until = 0.0
        self.first_lease = asyncio.Event()
        "Set when it was trusted for the first time."

    @property
    def trusts(self) -> bool:
        """Only under a lease."""
        return time.monotonic() < self._trusted_until

    def news(self) -> Sequence[str]:
        """See `Watcher`."""
        pending, self._pending = self._pending, []
        return pending

    async def run(self) -> None:
        """Holds the lease until it is cancelled; takes it up again when the database comes back."""
        while True:
            try:
                await self._hold()
            except (psycopg.Error, OSError) as error:
                logger.warning("lease lost node=%s error=%s", self._id, error)
            # What happens meanwhile is unknown; with the next lease everything is news.
            self._trusted_until, self._number = 0.0, None
            await asyncio.sleep(_RETRY_S)

    async def _hold(self) -> None:
        connection = await watched(self._conninfo, autocommit=True, connect_timeout=int(LEASE_S) or 1)
        async with connection:
            try:
                await connection.execute(f"LISTEN {CHANNEL}")
                await connection.execute("DELETE FROM nodes WHERE lease_until < now() - interval '1 hour'")
                # To hear that a change is known nobody waits for the disk: after a crash less may be
                # confirmed than was, and not more.
                await connection.execute("SET synchronous_commit = off")
                while True:
                    await self._renew(connection)
                    renew_at = time.monotonic() + _RENEW_S
                    while (left_s := renew_at - time.monotonic()) > 0:
                        if [each async for each in connection.notifies(timeout=left_s, stop_after=1)]:
                            await self._confirm(connection)
            finally:
                with suppress(psycopg.Error, OSError):
                    await connection.execute("DELETE FROM nodes WHERE id = %s", (self._id,))

    async def _renew(self, connection: WatchedConnection) -> None:
        """Reads what is new, and only then confirms it together with the lease."""
        began = time.monotonic()
        async with asyncio.timeout(LEASE_S):
            await self._read(connection)
            async with connection.transaction():
                # A lease that was forgotten in a crash would not be waited for.
                await connection.execute("SET LOCAL synchronous_commit TO DEFAULT")
                await connection.execute(
                    "INSERT INTO nodes (id, lease_until, confirmed)"
                    " VALUES (%s, clock_timestamp() + %s * interval '1 s', %s)"
                    " ON CONFLICT (id)"
                    " DO UPDATE SET lease_until = excluded.lease_until, confirmed = excluded.confirmed",
                    (self._id, LEASE_S, self._number),
                )
            if not self.trusts:
                # Nobody has waited for a node without a lease: what came before this one is read, too.
                await self._read(connection)
        self._trusted_until = began + LEASE_S - _MARGIN_S
        self.first_lease.set()

    async def _confirm(self, connection: WatchedConnection) -> None:
        """Reads what is new and confirms it; the lease ends when it did."""
        async with asyncio.timeout(LEASE_S):
            await self._read(connection)
            await connection.execute(
                "UPDATE nodes SET confirmed = %s WHERE id = %s", (self._number, self._id)
            )

    async def _read(self, connection: WatchedConnection) -> None:
        if self._number is None:
            found = await connection.execute("SELECT coalesce(max(id), 0) FROM changes")
            newest = await found.fetchone()
            self._number = int(str(newest[0])) if newest else 0
            self._pending.append(ALL)
            return
        found = await connection.execute(
            "SELECT id, scope FROM changes WHERE id > %s ORDER BY id", (self._number,)
        )
        rows = [(int(str(row[0])), str(row[1])) for row in await found.fetchall()]
        if rows:
            self._pending += [scope for _, scope in rows]
            self._number = rows[-1][0]
