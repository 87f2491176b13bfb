"""A night's run of test calls over many groups: `.venv/bin/python bench/night.py`.

Made-up companies, each with its lines, and groups of all strategies with three members. All their numbers are
tested once, as at night; printed is how long that took, what the server and its test phones used of a
processor, and whether anything is left of it: rows of any table but the results, threads, processes, open
files (sockets among them), bindings, calls.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
import yaml
from registrars import HOST, free_port
from rich.console import Console
from rich.progress import Progress

from provisioner.control.client import ask
from provisioner.operations.proof_runs import ProofRun, run_of

CONSOLE = Console(width=110)
GROUPS_OF_ONE, LINES_OF_ONE = 20, 12
STRATEGIES = ("order", "simultaneous", "random", "least_used")
FIRST = {
    "login": "rozgrzewka",
    "name": "Rozgrzewka",
    "lines": [{"number": f"4822999{each:04}", "product": "telefonia-ip-plus"} for each in range(20)],
}
"A company that is tested before anything is counted."
_RESULTS = {"proofs", "proof_runs", "sqlite_sequence"}
"Tables that are to have more rows afterwards."
_LIVES = {"nodes", "instance"}
"Tables in which a server says that it lives."


def companies(groups: int) -> Iterator[dict[str, Any]]:
    """As company files have them."""
    for number in range(-(-groups // GROUPS_OF_ONE)):
        lines = [f"4822{number:03}{each:04}" for each in range(LINES_OF_ONE)]
        own = min(GROUPS_OF_ONE, groups - number * GROUPS_OF_ONE)
        yield {
            "login": f"firma{number}",
            "name": f"Firma {number}",
            "lines": [{"number": each, "product": "telefonia-ip-plus"} for each in lines],
            "extensions": [
                {"number": str(201 + place), "line": line, "name": f"Osoba {place}"}
                for place, line in enumerate(lines)
            ],
            "hunt_groups": [_group(place) for place in range(own)],
        }


def _group(place: int) -> dict[str, Any]:
    members = [{"extension": str(201 + (place + each) % LINES_OF_ONE), "ring_time": 15} for each in range(3)]
    return {
        "number": str(600 + place),
        "name": f"Grupa {place}",
        "strategy": STRATEGIES[place % len(STRATEGIES)],
        "members": members,
        **({"overflow": str(201 + (place + 5) % LINES_OF_ONE)} if place % 5 == 0 else {}),
    }


@dataclass(frozen=True)
class Traces:
    """What a server holds at a moment."""

    rows: dict[str, int]
    threads: int
    children: int
    files: int

    @classmethod
    def of(cls, pid: int, data: Path) -> Traces:
        """Those of the process."""
        with closing(sqlite3.connect(f"file:{data}/centralka.db?mode=ro", uri=True)) as database:
            named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in named}
            rows = {
                each: database.execute(f"SELECT count(*) FROM {each}").fetchone()[0]
                for each in sorted(tables - _RESULTS - _LIVES)
            }
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = sum(len((each / "children").read_text().split()) for each in tasks)
        return cls(rows, len(tasks), children, len(list(Path(f"/proc/{pid}/fd").iterdir())))

    def left(self, before: Traces) -> list[str]:
        """What there is more of than before."""
        more_rows = {name: count - before.rows[name] for name, count in self.rows.items()}
        found = [f"{more} rows of {name}" for name, more in more_rows.items() if more]
        for name in ("threads", "children", "files"):
            more = getattr(self, name) - getattr(before, name)
            found += [f"{more} {name}"] if more > 0 else []
        return found


def used_s(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that have ended."""
    fields = list(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return (fields[0] + fields[1]) / servers.CLOCK_TICKS, (fields[2] + fields[3]) / servers.CLOCK_TICKS


async def tested(data: Path, question: dict[str, Any]) -> ProofRun:
    """A run of all numbers, from its order to its end."""
    run: ProofRun | None = None
    with Progress(console=CONSOLE) as progress:
        bar = progress.add_task("numbers", total=None)
        async with aclosing(ask(data, "test-run", question)) as answers:
            async for said in answers:
                run = run_of(said["run"])
                progress.update(bar, total=run.numbers or None, completed=run.tested + run.untested)
    assert run is not None
    return run


def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place:
        data, file = Path(place) / "data", Path(place) / "company.yaml"
        made = {"customers": [FIRST, *companies(options.groups)]}
        file.write_text(yaml.safe_dump(made, allow_unicode=True))
        command = [str(Path(sys.executable).with_name("centralka"))]
        for each in (["init"], ["apply", str(file)]):
            subprocess.run([*command, *each, "--data-dir", str(data)], check=True, stdout=subprocess.DEVNULL)
        config = f'[listen]\nsip = "{HOST}:{free_port()}"\n[test_calls]\nat_once = {options.at_once}\n'
        with servers.centralka(data, config) as server:
            (pid,) = server.pids
            # What is opened once and kept is no trace.
            asyncio.run(tested(data, {"customer": FIRST["login"], "speed": 20}))
            before, cpu, began = Traces.of(pid, data), used_s(pid), time.monotonic()
            run = asyncio.run(tested(data, {"speed": options.speed}))
            took_s = time.monotonic() - began
            own, phones = (after - then for after, then in zip(used_s(pid), cpu, strict=True))
            time.sleep(3)
            left = Traces.of(pid, data).left(before)
        CONSOLE.print(
            f"{run.numbers} numbers, {options.groups} of them groups, {options.at_once} at a time, ring times"
            f" divided by {options.speed}: {took_s:.0f} s; {run.green} green, {run.red} red, {run.untested}"
            f" not tested. CPU of the server {own:.1f} s, of the test phones {phones:.1f} s. Left:"
            f" {', '.join(left) or 'nothing'}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--speed", type=int, default=4)
    main(parser.parse_args())
