"""A SQLite file that is read into the machine's memory when its server starts.

A phone's file is put together from some ten places of the database. After a restart of the machine each of
them comes from the disk by itself, while nobody else is served. Read from its begin to its end, the file is
there before many phones have asked. It is read slowly (`db.read_slowly`): phones ask meanwhile. PostgreSQL
has a memory of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL

logger = logging.getLogger(__name__)

_READER = "db.read_slowly"
_LEAST = 32 << 20
"Bytes; less than these are there soon enough without being read for it."
_LONGEST_S = 600.0
"A disk that takes longer has other work to do."


@asynccontextmanager
async def warming(url: URL) -> AsyncIterator[None]:
    """Reads the file of a SQLite database, beside whatever is done while the context lasts."""
    if url.drivername == "sqlite" and is_worth_it(_size(file := Path(url.database or "")), _available()):
        async with reading(file):
            yield
    else:
        yield


def is_worth_it(size: int, available: int) -> bool:
    """Whether to read a file of `size` bytes where programs could still get `available` bytes of memory.

    Most of what does not fit would be gone again before it is asked for.
    """
    return _LEAST <= size <= available // 2


@asynccontextmanager
async def reading(file: Path) -> AsyncIterator[None]:
    """Reads a file once; if the context ends before that, no further."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_read(file), name="warming")
        try:
            yield
        finally:
            task.cancel()


async def _read(file: Path) -> None:
    began = time.monotonic()
    # In another process: to close the file here would take back the locks that SQLite has on it, for all
    # connections of this one (https://www.sqlite.org/howtocorrupt.html, 2.2).
    command = (sys.executable, "-P", "-m", _READER, str(file), str(os.getpid()))
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
    except OSError as error:
        logger.warning("the database is not read ahead error=%s", error)
        return
    try:
        async with asyncio.timeout(_LONGEST_S):
            status = await process.wait()
        logger.info("the database was read ahead status=%d took_s=%.1f", status, time.monotonic() - began)
    except TimeoutError:
        logger.info("the database is read no further ahead after_s=%.0f", _LONGEST_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _size(file: Path) -> int:
    """Bytes."""
    return file.stat().st_size


def _available() -> int:
    """Bytes of memory that programs could still get, by Linux' own guess; 0 where nobody says."""
    try:
        told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(told["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return 0
