"""One statement of plain SQL, read as fast as the driver goes: for what every phone asks.

A statement is one moment of the database. Parameters are written `:name` for both databases.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
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
_PAUSE_S = 0.05
"After a failure nobody tries again for so long, and not for as long as it took."
_CONNECT_S = 2.0
_ANSWER_S = 2.0
"What takes longer is no answer: a server that hangs looks like one that is slow."
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
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            # A damaged file is not among the operational errors.
            raise DatabaseUnavailable(f"the database can't be used now: {error}") from error

    async def close(self) -> None:
        """See `PlainReader`."""
        if self._connection is not None:
            self._connection.close()


class PostgresPlainReader:
    """A few connections of its own, each opened when it is needed and again after a failure.

    While the server can't be reached, one request at a time tries, and all others are told at once.
    """

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._idle: list[psycopg.AsyncConnection[tuple[Any, ...]]] = []
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self._next_try: float | None = None
        "After a failure; None: the last look was answered."

    async def rows(self, statement: str, parameters: Mapping[str, object]) -> Rows:
        """See `PlainReader`."""
        self._refuse_while_away()
        async with self._places:
            # Whoever waited for a place may have waited for those who found that nobody is there.
            self._refuse_while_away()
            began = time.monotonic()
            if self._next_try is not None:
                self._next_try = began + _CONNECT_S + _ANSWER_S
            # An idle connection may be dead without anybody knowing, as after a restart of the server.
            for is_last in (not self._idle, True):
                try:
                    found = await self._ask(_for_psycopg(statement), parameters)
                except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                    await self.close()
                    if is_last or self._next_try is not None:
                        now = time.monotonic()
                        self._next_try = now + max(_PAUSE_S, now - began)
                        raise DatabaseUnavailable(f"the database can't be used now: {error}") from error
                else:
                    self._next_try = None
                    return found
        raise AssertionError("the last try returns or raises")

    def _refuse_while_away(self) -> None:
        if self._next_try is not None and time.monotonic() < self._next_try:
            raise DatabaseUnavailable("the database could not be used a moment ago: try again")

    async def _ask(self, statement: bytes, parameters: Mapping[str, object]) -> Rows:
        connection = self._idle.pop() if self._idle else await self._connect()
        silence = asyncio.get_running_loop().call_later(_ANSWER_S, self._cut, connection)
        try:
            found = await connection.execute(statement, parameters)
            rows = await found.fetchall()
        except BaseException:
            # Cut short, it may have half an answer in it.
            await connection.close()
            raise
        finally:
            silence.cancel()
        self._idle.append(connection)
        return rows

    def _cut(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        """Ends a connection at which nothing comes. To cancel the query would be to ask the server again."""
        self._next_try = time.monotonic() + _PAUSE_S
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)

    async def _connect(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        async with asyncio.timeout(_CONNECT_S):
            return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)

    async def close(self) -> None:
        """See `PlainReader`."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


@lru_cache(256)
def _for_psycopg(statement: str) -> bytes:
    return _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%")).encode()
