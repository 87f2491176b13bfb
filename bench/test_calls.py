"""What test calls add to the latency of real calls: `.venv/bin/python bench/test_calls.py`.

Rounds of real calls at a rate that is given, each round twice alone, which shows what is noise, and once
beside test calls: so many at a time, each in a twin and with phones of its own, and another begins where one
ends. Printed is how much later an INVITE leaves than it came, as `calls.py added` says it, and the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import calls
from rich.console import Console
from rich.table import Table

from provisioner.control.client import ask

CONSOLE = Console(width=120)
_FEWEST = 3
"Test calls of one run: its phones are started, make so many, and end."


@dataclass
class Tests:
    """The test calls that were made beside real ones."""

    going: int = 0
    passed: Counter[bool] = field(default_factory=Counter)
    all_go: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def tested(data: Path, at_once: int) -> AsyncIterator[Tests]:
    """So many test calls at a time, while the context lasts; it begins when the first of each has begun."""
    tests = Tests()

    async def lane(place: int) -> None:
        question = {"number": str(1000 + place), "customer": "bench", "calls": _FEWEST}
        is_first = True
        while True:
            async with aclosing(ask(data, "test-call", question)) as answers:
                async for said in answers:
                    if "begun" in said and is_first:
                        is_first = False
                        tests.going += 1
                        if tests.going == at_once:
                            tests.all_go.set()
                    elif "call" in said:
                        tests.passed[said["call"]["passed"]] += 1

    async with asyncio.TaskGroup() as tasks:
        lanes = [tasks.create_task(lane(place)) for place in range(at_once)]
        async with asyncio.timeout(60):
            await tests.all_go.wait()
        tests.passed.clear()
        try:
            yield tests
        finally:
            for each in lanes:
                each.cancel()


@dataclass(frozen=True)
class Round:
    """Real calls, once or beside test calls."""

    p50: float
    p99: float
    failed: int


async def real(options: argparse.Namespace, server: calls.Registrar) -> Round:
    found = await asyncio.to_thread(calls.run, server, rate=options.rate, seconds=options.seconds)
    late = found.tally["to_callee_ms"]
    return Round(
        calls.percentile(late, 50),
        calls.percentile(late, 99),
        found.tally["failed"],
    )


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place, calls.our_server(Path(place) / "ours") as server:
        data = Path(place) / "ours" / "data"
        # Phones have registered then, and nothing is read for the first time.
        await real(options, server)
        table = Table("round", "alone p50", "p99", "again p99", "beside p50", "p99", "ratio", "failed")
        ratios: list[float] = []
        noise: list[float] = []
        passed = Counter[bool]()
        for number in range(1, options.rounds + 1):
            alone, again = await real(options, server), await real(options, server)
            async with tested(data, options.at_once) as tests:
                beside = await real(options, server)
                passed += tests.passed
            base = statistics.mean((alone.p99, again.p99))
            ratios.append(beside.p99 / base)
            noise.append(again.p99 / alone.p99)
            table.add_row(
                str(number),
                *(f"{each:.2f} ms" for each in (alone.p50, alone.p99, again.p99, beside.p50, beside.p99)),
                f"{ratios[-1]:.2f}",
                f"{alone.failed + again.failed} → {beside.failed}",
            )
        CONSOLE.print(table)
        CONSOLE.print(
            f"{options.rate} real calls a second beside {options.at_once} test calls at a time: p99 "
            f"{statistics.median(ratios):.2f} × of that alone (median of {options.rounds} rounds, "
            f"{min(ratios):.2f}–{max(ratios):.2f}); alone again {statistics.median(noise):.2f} × "
            f"({min(noise):.2f}–{max(noise):.2f}); test calls: {passed[True]} passed, {passed[False]} did not"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8)
    asyncio.run(main(parser.parse_args()))
