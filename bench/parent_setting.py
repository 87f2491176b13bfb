"""How long phones, and other changes, wait while one setting of a customer touches 10 000 phones.

Run it with `.venv/bin/python bench/parent_setting.py`. A server runs; another process applies one option of
the customer. Meanwhile four clients ask, each for one kind of thing: a file that is in memory (so long the
server's event loop stood still), one that is not, a first contact, the first use of a token. Another change
is begun again and again, in a third process. The same is measured without the change. `refused` counts the
answers that were no file (503: the database did not come free in time). PostgreSQL: `--database URL`, of an
empty one.

The clients are of one process, and how late that was itself is a row of the table: nothing was measured
that is shorter. On a machine that has other things to do every figure is mostly the wait for a processor;
`--at-once` (root) lets no other process come before the clients, and these before the rest, on Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import stock
from rich.console import Console
from rich.table import Table
from servers import centralka
from sqlalchemy import func, select, update

from db.engine import Database
from db.schema import ClaimRow, DeviceRow, DeviceTokenRow, ProvisioningRequestRow
from provisioner.operations.installation import opened, utc_now
from provisioner.settings import Settings, read_settings

KINDS = ("in memory", "not in memory", "first contact", "first use of a token")
ANOTHER_CHANGE = "another change"
THE_CLIENTS = "(the clients' own delay)"
PAUSE_S = 0.03
"Between two requests of one kind: each phone can ask but once, and the change takes a minute or two."
QUIET_S = 8.0
SETTLED_S = 1.0
"After it is up, a server tidies its memory once."
TICK_S = 0.002


async def prepare(data_dir: Path, phones: int, database: str | None) -> tuple[Path, dict[str, list[str]]]:
    """The installation's configuration, and for each kind the paths to ask for (but the first: each once)."""
    config = await stock.make(data_dir, phones, database)
    third = phones // 3
    used, claimed, fresh = (range(n * third, (n + 1) * third) for n in range(3))
    async with opened(data_dir, read_settings(config)) as installation:
        now = utc_now()
        async with installation.database.change() as session:
            query = select(DeviceRow.id).order_by(DeviceRow.id)
            ids = (await session.scalars(query)).all()
            await session.execute(
                update(DeviceTokenRow)
                .where(DeviceTokenRow.device_id >= ids[claimed[0]])
                .values(first_used_at=None)
            )
            session.add_all(
                ClaimRow(
                    device_id=ids[n], opened_at=now, expires_at=now + timedelta(hours=24), token_version=1
                )
                for n in claimed
            )
    return config, {
        "in memory": [stock.path(used[0])],
        "not in memory": [stock.path(n) for n in used[1:]],
        "first contact": [stock.path(n).partition("/")[2] for n in claimed],
        "first use of a token": [stock.path(n) for n in fresh],
    }


async def traces(data_dir: Path, settings: Settings, without: str) -> int:
    """How many requests the server has stored, but for those of the file with the path `without`."""
    query = select(func.count(ProvisioningRequestRow.id))
    query = query.where(ProvisioningRequestRow.file_name != without.rpartition("/")[2])
    async with opened(data_dir, settings) as installation, installation.database.read() as session:
        return await session.scalar(query) or 0


@dataclass
class Answers:
    """What one client got."""

    took_ms: list[float] = field(default_factory=list)
    refused: int = 0


async def ask(base: str, paths: Iterator[str], ended: asyncio.Event) -> Answers:
    """Asks for one after the other until `ended`."""
    answers = Answers()
    async with aiohttp.ClientSession() as session:
        for path in paths:
            began = time.perf_counter()
            async with session.get(f"{base}/{path}") as response:
                answers.refused += response.status != 200
                await response.read()
            answers.took_ms.append((time.perf_counter() - began) * 1000)
            if ended.is_set():
                break
            await asyncio.sleep(PAUSE_S)
    return answers


async def change(database: Database, ended: asyncio.Event) -> Answers:
    """Begins a change and ends it, again and again until `ended`."""
    answers = Answers()
    while not ended.is_set():
        began = time.perf_counter()
        async with database.change():
            pass
        answers.took_ms.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_S)
    return answers


async def tick(ended: asyncio.Event) -> Answers:
    """How late this process is when it wants to do something."""
    answers = Answers()
    while not ended.is_set():
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        answers.took_ms.append((time.perf_counter() - due) * 1000)
    return answers


async def measured(
    base: str, paths: dict[str, Iterator[str]], database: Database, command: Sequence[str] | None
) -> tuple[dict[str, Answers], float]:
    """What each kind got while `command` ran (or for `QUIET_S`), and how long that was."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        asking = {kind: tasks.create_task(ask(base, paths[kind], ended)) for kind in KINDS}
        asking[ANOTHER_CHANGE] = tasks.create_task(change(database, ended))
        asking[THE_CLIENTS] = tasks.create_task(tick(ended))
        began = time.perf_counter()
        if command is None:
            await asyncio.sleep(QUIET_S)
        else:
            child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
            if os.sched_getscheduler(0) == os.SCHED_FIFO:
                first(child.pid, 1)
            assert await child.wait() == 0
        lasted = time.perf_counter() - began
        ended.set()
    return {kind: task.result() for kind, task in asking.items()}, lasted


def row(kind: str, when: str, answers: Answers) -> tuple[str, ...]:
    """A row of the table."""
    ordered = sorted(answers.took_ms)
    if not ordered:
        return kind, when, "0", str(answers.refused), "", "", ""
    p99 = ordered[int(len(ordered) * 0.99)]
    figures = [f"{value:,.1f}" for value in (statistics.median(ordered), p99, ordered[-1])]
    return kind, when, str(len(ordered)), str(answers.refused), *figures


async def both(
    base: str, paths: dict[str, list[str]], data_dir: Path, settings: Settings, command: Sequence[str]
) -> tuple[dict[str, Answers], dict[str, Answers], float]:
    """What each kind got while nothing changed, and while `command` ran, and how long that was."""
    # Of all that was made before, so that the clients' collector has nothing to look through.
    gc.collect()
    gc.freeze()
    turns = {kind: itertools.cycle(each) if kind == KINDS[0] else iter(each) for kind, each in paths.items()}
    async with opened(data_dir, settings) as installation:
        await asyncio.sleep(SETTLED_S)
        quiet, _ = await measured(base, turns, installation.database, None)
        busy, lasted = await measured(base, turns, installation.database, command)
    return quiet, busy, lasted


def first(pid: int, priority: int) -> None:
    """Lets all threads of a process, and those that it begins, come before whoever has a lower priority."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--database", help="URL of an empty database.")
    parser.add_argument("--at-once", action="store_true", help="Before all other processes of the machine.")
    options = parser.parse_args()
    console = Console(width=110)
    if options.at_once:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        data_dir, file = Path(folder) / "data", Path(folder) / "change.yaml"
        began = time.perf_counter()
        config, paths = asyncio.run(prepare(data_dir, options.phones, options.database))
        console.print(f"{options.phones} phones made in {time.perf_counter() - began:.0f} s")
        file.write_text("customers:\n  - login: bench\n    phone: {nat_keepalive_s: 25}\n")
        where = ["--data-dir", str(data_dir), "--config", str(config)]
        command = [str(Path(sys.executable).parent / "centralka"), "apply", str(file), *where]
        settings = read_settings(config)
        with centralka(data_dir, config.read_text()) as server:
            if options.at_once:
                for pid in server.pids:
                    first(pid, 2)
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(3))
            quiet, busy, lasted = asyncio.run(both(server.base, paths, data_dir, settings, command))
        # Of the phone that asks all the time only the newest are kept.
        asked = sum(len(answers[kind].took_ms) for answers in (quiet, busy) for kind in KINDS[1:])
        lost = asked - asyncio.run(traces(data_dir, settings, paths[KINDS[0]][0]))
    table = Table("asked for", "while", "answers", "refused", "median ms", "p99 ms", "longest ms")
    for kind in quiet:
        table.add_row(*row(kind, "nothing changes", quiet[kind]))
        table.add_row(*row("", "the setting changes", busy[kind]))
    console.print(f"the change was acknowledged after {lasted:.1f} s; of {asked} traces {lost} were lost")
    console.print(table)


if __name__ == "__main__":
    main()
