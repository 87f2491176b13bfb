"""The process of the test phones (`python -m sip.testcall`): started for who wants some first, and shared."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, Popen

from sip.testcall.agents import Pipe, TestPhones

logger = logging.getLogger(__name__)

_MODULE = "sip.testcall"
_END_S = 5.0
"In which phones are gone, or their process has ended, when they are told to."


class PhonesProcess:
    """One process for all who have test phones at a time, and none where nobody has.

    Each has phones of his own. To start it is more work than a test call, and several that have as much to do
    as they please leave no processor to who is not to notice.
    """

    def __init__(self) -> None:
        self._process: _Process | None = None

    @asynccontextmanager
    async def phones(self) -> AsyncIterator[TestPhones]:
        """Test phones, gone when the context is: no port or registration of theirs is left.

        Raises `OSError` where no process can be started.
        """
        if self._process is None or self._process.is_over.is_set():
            self._process = _Process()
        process = self._process
        process.users += 1
        try:
            async with process.phones() as phones:
                yield phones
        finally:
            process.users -= 1
            if not process.users:
                if self._process is process:
                    self._process = None
                await process.end()


@asynccontextmanager
async def test_phones() -> AsyncIterator[TestPhones]:
    """Test phones in a process of their own; as `PhonesProcess.phones` otherwise."""
    async with PhonesProcess().phones() as phones:
        yield phones


class _Process:
    """One that was started."""

    def __init__(self) -> None:
        """Raises `OSError`."""
        self.users = 0
        "Who has phones in it."
        self.is_over = asyncio.Event()
        "Set when it has ended."
        self._door, theirs = socket.socketpair()
        self._door.setblocking(False)
        try:
            with theirs:
                # An event loop's own way copies the whole server first, and all calls wait for that.
                self._popen = Popen(  # noqa: S603 - a part of ours
                    # Nothing of the folder that we were started in is taken for a part of the program.
                    (sys.executable, "-P", "-m", _MODULE),
                    stdin=theirs.fileno(),
                    stdout=DEVNULL,
                    # Ctrl-C in a terminal goes to a whole session, and their end is for us to order.
                    start_new_session=True,
                )
        except BaseException:
            self._door.close()
            raise
        self._watched = os.pidfd_open(self._popen.pid)
        asyncio.get_running_loop().add_reader(self._watched, self._ended)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watched)
        os.close(self._watched)
        self._popen.wait()
        self.is_over.set()

    @asynccontextmanager
    async def phones(self) -> AsyncIterator[TestPhones]:
        """Some of its phones. Raises `OSError` where it has ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._door, [b"+"], [theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        loop = asyncio.get_running_loop()
        orders, pipe = await loop.create_unix_connection(Pipe, sock=ours)
        try:
            yield TestPhones(self._popen.pid, orders, pipe)
        finally:
            if not orders.is_closing():
                orders.write_eof()
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_END_S):
                        await pipe.is_over.wait()
            finally:
                orders.abort()

    async def end(self) -> None:
        """Waits for its end, which nobody having phones is, and makes sure of it."""
        self._door.close()
        try:
            async with asyncio.timeout(_END_S):
                await self.is_over.wait()
        except TimeoutError:
            pid = self._popen.pid
            logger.warning("the test phones did not end within %g s and are killed pid=%d", _END_S, pid)
        finally:
            if not self.is_over.is_set():
                self._popen.kill()
                await self.is_over.wait()
