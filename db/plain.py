"""One statement of plain SQL, read as fast as the driver goes: for what every phone asks.

A statement is one moment of the database. Parameters are written `:name` for both databases.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import URL

from db.errors import DatabaseUnavailable

Rows = list[tuple[Any, ...]]

_CONNECTIONS = 4
"To PostgreSQL, of each process."
_PAUSE_S = 0.5
"After a failure nobody waits for the same one again for so long."
_CONNECT_S = 2
_ANSWER_S = 5.0
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class PlainReader(Protocol):
    """Reads rows by plain SQL."""

    async def rows(self, statement: str, parameters: Mapping[str, object]) -> Rows:
        """All rows of a SELECT. Raises `DatabaseUnavailable`."""

    async def close(self) -> None:
        """Ends the connections."""


class SqlitePlainReader:
    """Reads the file from the event loop's thread: a look is shorter than a hop to another thread."""

    def __init__(self, url: URL) -> None:
        self._file = url.database
        self._connection: sqlite3.Connection | None = None

    async def rows(self, statement: str, parameters: Mapping[str, object]) -> Rows:
        """See `PlainReader`."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"file:{self._file}?mode=ro", uri=True, isolation_level=None, timeout=0.1
                )
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise DatabaseUnavailable(f"the database can't be used now: {error}") from error

    async def close(self) -> None:
        """See `PlainReader`."""
        if self._connection is not None:
            self._connection.close()


class PostgresPlainReader:
    """A few connections of its own, each opened when it is needed and again after a failure."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._idle: list[psycopg.AsyncConnection[tuple[Any, ...]]] = []
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self._down_until = 0.0

    async def rows(self, statement: str, parameters: Mapping[str, object]) -> Rows:
        """See `PlainReader`."""
        async with self._places:
            # An idle connection may be dead without anybody knowing, as after a restart of the server.
            for is_last in (not self._idle, True):
                try:
                    async with asyncio.timeout(_ANSWER_S):
                        return await self._ask(_for_psycopg(statement), parameters)
                except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                    await self.close()
                    if is_last:
                        self._down_until = time.monotonic() + _PAUSE_S
                        raise DatabaseUnavailable(f"the database can't be used now: {error}") from error
        raise AssertionError("the last try returns or raises")

    async def _ask(self, statement: bytes, parameters: Mapping[str, object]) -> Rows:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            found = await connection.execute(statement, parameters)
            rows = await found.fetchall()
        except BaseException:
            # Cut short, it may have half an answer in it.
            await connection.close()
            raise
        self._idle.append(connection)
        return rows

    async def _connect(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        if time.monotonic() < self._down_until:
            raise psycopg.OperationalError("it could not be reached a moment ago")
        return await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=_CONNECT_S
        )

    async def close(self) -> None:
        """See `PlainReader`."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


@lru_cache(256)
def _for_psycopg(statement: str) -> bytes:
    return _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%")).encode()
