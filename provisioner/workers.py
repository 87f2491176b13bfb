"""Several processes that serve phones: their parent keeps them up, and they end when it does.

Every worker accepts from the same sockets, which the parent holds: a connection that no worker has accepted
yet waits for the next one, and a port that the system chose stays the same. A worker is told what it needs
over its standard input, where no other user of the machine can read it, and ends when nobody holds the other
end of that.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from socket import socket
from typing import cast

from pydantic import BaseModel, ConfigDict

from provisioner.settings import Settings

logger = logging.getLogger(__name__)

READY = b"ready\n"
"What a worker says on its standard output once it accepts connections."

_MODULE = "provisioner.worker"
_END_S = 10.0
"How long a worker may take to answer what it has begun, and to write what it remembers."
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 30.0


class Orders(BaseModel):
    """What a worker is told, in one line of JSON."""

    model_config = ConfigDict(frozen=True)

    data_dir: Path
    settings: Settings
    sockets: dict[str, int]
    "File descriptors of the listening sockets, by the name of their listener."


@asynccontextmanager
async def working(
    count: int, data_dir: Path, settings: Settings, sockets: Mapping[str, socket], missing: set[str]
) -> AsyncIterator[None]:
    """`count` workers that serve phones from `sockets`, up while the context lasts.

    `missing` holds the names of those that are not up at the moment.
    """
    orders = Orders(
        data_dir=data_dir,
        settings=settings,
        sockets={name: each.fileno() for name, each in sockets.items()},
    )
    workers = [_Worker(name, orders, missing) for name in worker_names(count)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(worker.keep_up(), name=worker.name) for worker in workers]
        try:
            for worker in workers:
                await worker.was_up.wait()
            yield
        finally:
            for each in running:
                each.cancel()


def worker_names(count: int) -> list[str]:
    """What the log and `/healthz` call them."""
    return [f"worker {number}" for number in range(1, count + 1)]


def wait_s(last_s: float, up_s: float) -> float:
    """How long to wait before a worker that was up for `up_s` is started again, in seconds.

    Twice as long as before it (`last_s`), up to a bound; one that had lasted begins anew.
    """
    if up_s > _LONGEST_WAIT_S:
        return _FIRST_WAIT_S
    return min(max(_FIRST_WAIT_S, 2 * last_s), _LONGEST_WAIT_S)


class _Worker:
    """One of them: a process, and the next one when that has died."""

    def __init__(self, name: str, orders: Orders, missing: set[str]) -> None:
        self.name = name
        self.was_up = asyncio.Event()
        "Set when it was up for the first time."
        self._orders = orders
        self._missing = missing
        missing.add(self.name)

    async def keep_up(self) -> None:
        """Starts it again whenever it ends, until cancelled: then it is ended in order."""
        clock = asyncio.get_running_loop().time
        wait = 0.0
        while True:
            began = clock()
            try:
                why = _in_words(await self._run())
            except OSError as error:
                # The system is short of something: of memory, of processes, of open files.
                why = f"it could not be started: {error}"
            wait = wait_s(wait, clock() - began)
            logger.warning("%s ended, %s; started again in %g s", self.name, why, wait)
            await asyncio.sleep(wait)

    async def _run(self) -> int:
        """One process from start to end; returns its exit status, a signal's number below zero."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Nothing of the folder that we were started in is taken for a part of the program.
            *("-P", "-m", _MODULE),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=tuple(self._orders.sockets.values()),
            # Ctrl-C in a terminal goes to a whole session, and a worker's end is for us to order.
            start_new_session=True,
        )
        try:
            # uvloop refuses where the process has ended already, which its status tells as well.
            with suppress(RuntimeError):
                _input(process).write(self._orders.model_dump_json().encode() + b"\n")
            if await cast(asyncio.StreamReader, process.stdout).readline() == READY:
                logger.info("%s is up pid=%d", self.name, process.pid)
                self._missing.discard(self.name)
                self.was_up.set()
            return await process.wait()
        finally:
            self._missing.add(self.name)
            await _end(process, self.name)


async def _end(process: Process, name: str) -> None:
    """Lets go of a worker, which ends by that, and makes sure of it."""
    _input(process).close()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        logger.warning("%s did not end within %g s and is killed", name, _END_S)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _input(process: Process) -> asyncio.StreamWriter:
    """It was made a pipe."""
    return cast(asyncio.StreamWriter, process.stdin)


def _in_words(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
