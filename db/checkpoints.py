"""What was written to a SQLite file's log is moved to the file beside everybody, and not by who wrote last.

SQLite does it when somebody has kept something and the log is long: he and all who wait behind him then wait
for some ten milliseconds of the disk's work, which nobody else is in need of
(https://www.sqlite.org/wal.html, 2.3).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor

logger = logging.getLogger(__name__)

PAUSE_S = 0.5
"From a commit to the checkpoint that is for it, and for all in between."
_ROUNDS = 5
"Who writes meanwhile makes the log longer; only one that was moved to its end begins anew."


class Checkpoints:
    """Of one process; others may do the same."""

    def __init__(self, file: str) -> None:
        """Begins nothing, and opens nothing."""
        self._file = file
        self._timer: asyncio.TimerHandle | None = None
        self._running: asyncio.Future[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    def soon(self) -> None:
        """Something was kept."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._begin)

    async def close(self) -> None:
        """Ends the connection and the thread; who closes a database last moves the rest."""
        if self._timer is not None:
            self._timer.cancel()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._end)
            thread.shutdown()

    def _begin(self) -> None:
        self._timer = None
        if self._running is not None and not self._running.done():
            self.soon()
            return
        self._thread = self._thread or ThreadPoolExecutor(1, "SQLite checkpoints")
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._do)

    def _do(self) -> None:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"file:{self._file}?mode=rw", uri=True, isolation_level=None, timeout=0
                )
            for _ in range(_ROUNDS):
                # It waits for nobody, and nobody waits for it.
                query = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                is_busy, written, moved = query.fetchone()
                if is_busy or moved == written:
                    return
        except sqlite3.Error as error:
            # Nothing is lost: it stays in the log.
            logger.warning("no checkpoint error=%s", error)
            self._end()

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
