"""Connections at which nobody waits for a PostgreSQL that hangs.

A machine that is gone is noticed by TCP. A server that hangs (stopped, or waiting for its own disk) keeps its
sockets open, and a local socket has no keep-alive. How long a statement takes tells nothing: a backup or a
large change may rightly take minutes. So while a statement is silent, somebody else knocks every now and
then: as long as the server answers there, the statement is waited for, and else the connection is cut.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

SILENCE_S = 2.0
"How long a statement may be silent before somebody knocks, and how long after each answer it is done again."
ANSWER_S = 3.0
"How long a server may take to let somebody in; one that is busy to the brim takes a second."

_LOOK_S = 0.1
"How often psycopg looks for interrupts while it waits: its own default."

RV = TypeVar("RV")


async def watched(conninfo: str = "", **options: Any) -> WatchedConnection:
    """A connection, opened with these options of psycopg's. Raises what its `connect` does."""
    connection = await WatchedConnection.connect(conninfo, **options)
    connection.knock = partial(_is_answered, conninfo, options)
    return connection


class WatchedConnection(psycopg.AsyncConnection[TupleRow]):
    """Its statements raise `psycopg.OperationalError` when the server hangs."""

    knock: Callable[[], Awaitable[bool]]
    "Whether the server answers to somebody else."

    async def wait(self, gen: PQGen[RV], interval: float = _LOOK_S, timeout: float | None = None) -> RV:  # noqa: ASYNC109
        """Waits as psycopg does, which comes here with each statement."""
        if timeout is not None:
            # Whoever waits for notifications expects silence, and has a deadline.
            return await super().wait(gen, interval, timeout)
        watch = _Watch(self)
        silence = asyncio.get_running_loop().call_later(SILENCE_S, watch.begin)
        try:
            return await super().wait(gen, interval)
        except psycopg.OperationalError as error:
            if watch.has_cut:
                raise psycopg.OperationalError("the server hangs: it answers nobody") from error
            raise
        finally:
            silence.cancel()
            await watch.end()


class _Watch:
    """Over one statement that has been silent for a while."""

    def __init__(self, connection: WatchedConnection) -> None:
        self._connection = connection
        self._knocking: asyncio.Task[None] | None = None
        self.has_cut = False

    def begin(self) -> None:
        self._knocking = asyncio.get_running_loop().create_task(self._knock(), name="knocking at PostgreSQL")

    async def end(self) -> None:
        if self._knocking is not None:
            self._knocking.cancel()
            await asyncio.wait([self._knocking])

    async def _knock(self) -> None:
        while await self._connection.knock():  # noqa: ASYNC110
            await asyncio.sleep(SILENCE_S)
        self.has_cut = True
        # To cancel the statement would be to ask the server again.
        with socket.socket(fileno=os.dup(self._connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)


async def _is_answered(conninfo: str, options: dict[str, Any]) -> bool:
    """Whether the server says anything to a new client; to turn it away is an answer, too."""
    try:
        async with asyncio.timeout(ANSWER_S):
            connection = await psycopg.AsyncConnection.connect(conninfo, **options)
    except (TimeoutError, psycopg.errors.ConnectionTimeout):
        return False
    except (psycopg.Error, OSError):
        return True
    await connection.close()
    return True
