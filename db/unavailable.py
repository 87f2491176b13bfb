"""What a database that can't be used now raises, and how long one that is busy is waited for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.errors import DatabaseBusy, DatabaseUnavailable

BUSY_S = 10.0
"Seconds that anything waits for another writer, a connection or a lock, unless told otherwise."

Failed: TypeAlias = DBAPIError | sqlite3.Error
"What SQLAlchemy raises, or SQLite's driver itself."

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


def is_locked(error: Failed) -> bool:
    """Whether another process writes to the SQLite file."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def _cause(error: Failed) -> BaseException | None:
    """What the driver raised."""
    return error.orig if isinstance(error, DBAPIError) else error


def _sqlite_code(error: Failed) -> int:
    """The primary code, which extended ones keep in the low byte; 0 for another database's error."""
    return int(getattr(_cause(error), "sqlite_errorcode", 0)) & 0xFF


def _passes(error: Failed) -> bool:
    """Whether the database, not the statement, is at fault."""
    if isinstance(_cause(error), sqlite3.Error):
        return _sqlite_code(error) in _SQLITE_UNAVAILABLE
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    )
