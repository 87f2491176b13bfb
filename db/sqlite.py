"""A SQLite file and its connections.

The driver's own transactions are switched off (it would begin late, and deferred), so that `BEGIN IMMEDIATE`
is what the database sees. One connection writes; the others can't.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.errors import DatabaseUnavailable
from db.stops_once import Connecting
from db.writing import SqliteTransactions

TRY_AGAIN_S = 0.003
"Seconds between two tries to begin while another process writes to the SQLite file."

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
"The last one writes zeros over what is deleted: a secret that was sealed with a dropped key is gone."

_WRITES_MANY = ("temp_store=MEMORY", "cache_size=-8192")
"""Of the connection that writes: a statement of many rows touches more pages than SQLite holds in memory by
itself, and what it may have to take back would go through a temporary file.

Five hundred traces touch some 1,500 pages, which are 6 MB. More would only fill up: with the records of
24,000 calls, 16 MB did.
"""

_LOG = "wal_autocheckpoint=16384"
"Pages, which are 64 MB: only where `db.checkpoints` does not come through does a commit wait for one."


def make_private(url: URL) -> None:
    """Create the file of a SQLite database, readable by its owner alone; its -wal and -shm take after it."""
    file = Path(url.database or "")
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(f"can't open the database {file}: {error.strerror}") from error


def open_sqlite(url: URL, busy_s: float, connecting: Connecting) -> tuple[AsyncEngine, AsyncEngine]:
    """What reads one moment of the database, and what writes. `connecting` makes their connections."""

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
    return reader, engine("BEGIN IMMEDIATE", 1, TRY_AGAIN_S, *_WRITES_MANY, _LOG)


def open_transactions(url: URL) -> SqliteTransactions:
    """The connection by which short transactions in plain SQL are written."""
    return SqliteTransactions(str(url.database), TRY_AGAIN_S, (*_PRAGMAS, *_WRITES_MANY, _LOG))


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
