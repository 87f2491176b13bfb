"""How long phones wait while one setting of their customer touches 10 000 of them.

Run it with `.venv/bin/python bench/parent_setting.py`. A server runs; another process applies one option of
the customer. Meanwhile four clients ask, each for one kind of thing: a file that is in memory, one that is
not, a first contact, the first use of a token. The same is measured without the change. `refused` counts the
answers that were no file (503: the database did not come free in time). PostgreSQL: `--config FILE`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row, func, select, update

from db.schema import ClaimRow, DeviceRow, DeviceTokenRow, ProvisioningRequestRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import initialise, opened, utc_now
from provisioner.settings import Settings, read_settings

KINDS = ("in memory", "not in memory", "first contact", "first use of a token")
PAUSE_S = 0.02
"Between two requests of one kind."
QUIET_S = 8.0
LISTEN = ("--provisioning", "127.0.0.1:0", "--portal", "127.0.0.1:0")


def company(phones: int) -> bytes:
    """A customer with that many phones of one model, each with a line of its own."""
    product = "product: telefonia-ip-standard"
    lines = "".join(f'      - {{number: "4822{n:07d}", {product}}}\n' for n in range(phones))
    devices = "".join(
        f'      - {{mac: "805ec0{n:06x}", model: T46S, accounts: [{{account: 1, line: "4822{n:07d}"}}]}}\n'
        for n in range(phones)
    )
    head = "customers:\n  - login: bench\n    name: Bench\n"
    return f"{head}    lines:\n{lines}    devices:\n{devices}".encode()


async def prepare(data_dir: Path, settings: Settings, phones: int) -> dict[str, list[str]]:
    """The installation, and for each kind the paths to ask for; but for the first, each path once."""
    await initialise(data_dir, settings)
    async with opened(data_dir, settings) as installation:
        await apply(installation, read_company_file(company(phones)), COMMAND_LINE)
        now = utc_now()
        async with installation.database.change() as session:
            query = (
                select(DeviceRow.id, DeviceRow.mac, DeviceTokenRow.token_sealed)
                .join(DeviceTokenRow, DeviceTokenRow.device_id == DeviceRow.id)
                .order_by(DeviceRow.id)
            )
            rows = (await session.execute(query)).all()
            third = len(rows) // 3
            used, claimed, fresh = rows[:third], rows[third : 2 * third], rows[2 * third :]
            await session.execute(
                update(DeviceTokenRow)
                .where(DeviceTokenRow.device_id <= used[-1].id)
                .values(first_used_at=now)
            )
            session.add_all(
                ClaimRow(
                    device_id=row.id, opened_at=now, expires_at=now + timedelta(hours=24), token_version=1
                )
                for row in claimed
            )

        def under_token(row: Row[int, str, bytes]) -> str:
            return f"{installation.vault.open(row.token_sealed)}/{row.mac}.cfg"

        return {
            "in memory": [under_token(used[0])],
            "not in memory": [under_token(row) for row in used[1:]],
            "first contact": [f"{row.mac}.cfg" for row in claimed],
            "first use of a token": [under_token(row) for row in fresh],
        }


async def traces(data_dir: Path, settings: Settings, without: str) -> int:
    """How many requests the server has stored, but for those of the file with the path `without`."""
    query = select(func.count(ProvisioningRequestRow.id))
    query = query.where(ProvisioningRequestRow.file_name != without.rpartition("/")[2])
    async with opened(data_dir, settings) as installation, installation.database.read() as session:
        return await session.scalar(query) or 0


@contextmanager
def serving(arguments: Sequence[str]) -> Iterator[str]:
    """A server; the address that phones ask."""
    command = [str(Path(sys.executable).parent / "centralka"), "serve", *arguments, *LISTEN]
    # A server that can't write says so at length; how often is counted here.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        base = process.stdout.readline().split()[-1]
        process.stdout.readline()
        try:
            yield base
        finally:
            process.terminate()


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


async def measured(
    base: str, paths: dict[str, Iterator[str]], command: Sequence[str] | None
) -> tuple[dict[str, Answers], float]:
    """What each kind got while `command` ran (or for `QUIET_S`), and how long that was."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        asking = {kind: tasks.create_task(ask(base, paths[kind], ended)) for kind in KINDS}
        began = time.perf_counter()
        if command is None:
            await asyncio.sleep(QUIET_S)
        else:
            child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
            assert await child.wait() == 0
        lasted = time.perf_counter() - began
        ended.set()
    return {kind: task.result() for kind, task in asking.items()}, lasted


def row(kind: str, when: str, answers: Answers) -> tuple[str, ...]:
    """A row of the table."""
    ordered = sorted(answers.took_ms)
    p99 = ordered[int(len(ordered) * 0.99)]
    figures = [f"{value:,.1f}" for value in (statistics.median(ordered), p99, ordered[-1])]
    return kind, when, str(len(ordered)), str(answers.refused), *figures


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--config", type=Path, default=None, help="TOML file that names an empty database.")
    options = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        data_dir, change = Path(folder) / "data", Path(folder) / "change.yaml"
        settings = read_settings(options.config, provisioning="127.0.0.1:0", portal="127.0.0.1:0")
        began = time.perf_counter()
        paths = asyncio.run(prepare(data_dir, settings, options.phones))
        console.print(f"{options.phones} phones made in {time.perf_counter() - began:.0f} s")
        change.write_text("customers:\n  - login: bench\n    phone: {nat_keepalive_s: 25}\n")
        where = ["--data-dir", str(data_dir)]
        if options.config is not None:
            where += ["--config", str(options.config)]
        command = [str(Path(sys.executable).parent / "centralka"), "apply", str(change), *where]
        turns = {
            kind: itertools.cycle(each) if kind == KINDS[0] else iter(each) for kind, each in paths.items()
        }
        with serving(where) as base:
            quiet, _ = asyncio.run(measured(base, turns, None))
            busy, lasted = asyncio.run(measured(base, turns, command))
        # Of the phone that asks all the time only the newest are kept.
        asked = sum(len(answers[kind].took_ms) for answers in (quiet, busy) for kind in KINDS[1:])
        lost = asked - asyncio.run(traces(data_dir, settings, paths[KINDS[0]][0]))
    table = Table("asked for", "while", "answers", "refused", "median ms", "p99 ms", "longest ms")
    for kind in KINDS:
        table.add_row(*row(kind, "nothing changes", quiet[kind]))
        table.add_row(*row("", "the setting changes", busy[kind]))
    console.print(f"the change was acknowledged after {lasted:.1f} s; of {asked} traces {lost} were lost")
    console.print(table)


if __name__ == "__main__":
    main()
