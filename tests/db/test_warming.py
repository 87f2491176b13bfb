"""A database's file is in the machine's memory soon after its server has started."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

from db.read_slowly import read_slowly
from db.urls import parse_url
from db.warming import is_worth_it, reading, warming

MIB = 1 << 20
ENDS_S = 60


async def test_the_file_is_read_from_its_begin_to_its_end(tmp_path: Path):
    pipe = tmp_path / "centralka.db"
    os.mkfifo(pipe)
    # Whoever writes to a pipe of 64 KiB is done when all but the last of it was read.
    written = asyncio.create_task(asyncio.to_thread(pipe.write_bytes, bytes(MIB)))
    async with asyncio.timeout(ENDS_S), reading(pipe):
        assert await written == MIB


async def test_a_server_that_ends_does_not_wait_for_the_rest(tmp_path: Path):
    pipe = tmp_path / "centralka.db"
    os.mkfifo(pipe)
    # Both its ends: nobody who reads it waits to open it, and none is ever told that it ends.
    held = os.open(pipe, os.O_RDWR)
    try:
        async with asyncio.timeout(ENDS_S), reading(pipe):
            pass
    finally:
        os.close(held)


async def test_a_file_that_can_not_be_read_stops_nobody(tmp_path: Path):
    async with asyncio.timeout(ENDS_S), reading(tmp_path / "none.db"):
        pass


async def test_postgresql_and_small_files_are_left_alone(tmp_path: Path):
    small = tmp_path / "centralka.db"
    small.touch()
    for url in ("postgresql://127.0.0.1/centralka", f"sqlite:///{small}"):
        async with warming(parse_url(url)):
            assert "warming" not in {task.get_name() for task in asyncio.all_tasks()}


def test_only_what_fits_into_memory_beside_everything_else_is_read():
    assert is_worth_it(600 * MIB, available=2000 * MIB)
    assert not is_worth_it(1200 * MIB, available=2000 * MIB)
    assert not is_worth_it(MIB, available=2000 * MIB)


def test_most_of_the_disks_time_is_left_to_those_who_ask_meanwhile(tmp_path: Path):
    file = tmp_path / "centralka.db"
    file.write_bytes(bytes(MIB))
    opened = os.open(file, os.O_RDONLY)
    # A read takes a second, from one look at the clock to the next.
    seconds, pauses_s = itertools.count(), list[float]()
    try:
        read_slowly(opened, lambda: True, lambda: float(next(seconds)), pauses_s.append)
        assert os.lseek(opened, 0, os.SEEK_CUR) == MIB
    finally:
        os.close(opened)
    assert len(pauses_s) >= 4
    assert min(pauses_s) >= 2


def test_nothing_is_read_for_a_server_that_is_gone(tmp_path: Path):
    pipe = tmp_path / "centralka.db"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)
    try:
        # Whoever reads the empty pipe waits for good. No process has number 0.
        command = (sys.executable, "-m", "db.read_slowly", str(pipe), "0")
        subprocess.run(command, check=True, timeout=ENDS_S)
    finally:
        os.close(held)
