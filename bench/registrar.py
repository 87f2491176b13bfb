"""How many phones register, side by side in one run with Debian's Kamailio (auth_db, usrloc).

    .venv/bin/python bench/registrar.py compare     registrations a second: REGISTER, 401, REGISTER, 200
    .venv/bin/python bench/registrar.py overload    ten times what can be served, and what comes after
    .venv/bin/python bench/registrar.py bindings    memory and cost of a phone, 1 000 to 200 000 of them

Ours is durable: a 200 means that the binding is stored, on SQLite. Kamailio has two rows: durable, too
(`db_mode=1`, on PostgreSQL as it comes: on SQLite its processes lock each other out), and in memory alone.
CPU is that of the registrar's processes and its database's.

The closed loop is driven by Debian's sipp; `--by own` takes `register_load.py`, which agrees with it and
costs as much. A row says what of a core the load itself took: near 100 % it was the bottleneck. The open loop
of the overload is our own, for sipp's phones do not send again as phones do.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from kamailio import Keeps, kamailio
from our_registrar import our_registrar, stored
from overload_bound import overloaded
from register_runs import Run, by_own, by_sipp, load, percentile
from registrars import Registrar, wanted
from rich.console import Console
from rich.table import Table

CONSOLE = Console(width=130)
WARM = 5_000
"Registrations before memory is measured."
REMEMBERED_S = 35.0
"Answers are remembered for 32 s (timer J, RFC 3261 §17.2.2), and are no binding's."
NORMAL_MS = 500.0
"A phone that registers within that has noticed nothing: it has not even sent again."


def compare(options: argparse.Namespace, place: Path) -> None:
    """All of them are up, and take turns."""
    if options.by == "sipp":
        wanted("sipp")
    phones = options.phones
    with ExitStack() as stack:
        ours = stack.enter_context(our_registrar(place / "ours", phones))
        peers = [
            stack.enter_context(kamailio(place / f"kamailio-{keeps}", keeps, phones, options.children))
            for keeps in Keeps
        ]
        registrars = [ours, *peers]
        for each in registrars:
            # From now on each phone is known: what is measured is a refresh.
            first = _one(each, options, place / f"sipp-{each.port}", phones)
            assert first.failed == 0, f"{each.name}: {first}"
        assert stored(place / "ours") == phones
        rounds = [
            [_one(each, options, place / f"sipp-{each.port}", options.count) for each in registrars]
            for _ in range(options.rounds)
        ]
        assert stored(place / "ours") == phones
    columns = ("registrar", "per second", "CPU of each", "p50", "p99", "failed", "sent again", "load's CPU")
    table = Table(*columns)
    for number, each in enumerate(registrars):
        runs = [runs[number] for runs in rounds]
        table.add_row(
            each.name,
            f"{_median(runs, lambda run: run.per_second):,.0f}",
            f"{_median(runs, lambda run: run.cpu_us):,.0f} µs",
            f"{_median(runs, lambda run: run.p50_ms):,.1f} ms",
            f"{_median(runs, lambda run: run.p99_ms):,.1f} ms",
            f"{sum(run.failed for run in runs):,}",
            f"{sum(run.resent for run in runs):,}",
            f"{_median(runs, lambda run: run.client_cpu_s / run.seconds):.0%}",
        )
    CONSOLE.print(
        f"{phones:,} phones, {options.at_once} at once, {options.count:,} registrations a run by "
        f"{options.by}, medians of {options.rounds} rounds; Kamailio has {options.children} processes for UDP"
        f"\nOurs runs on Python {platform.python_version()} of {sys.base_prefix}"
    )
    CONSOLE.print(table)
    for number, peer in enumerate(peers, start=1):
        faster = statistics.median(runs[0].per_second / runs[number].per_second for runs in rounds)
        cheaper = statistics.median(runs[number].cpu_us / runs[0].cpu_us for runs in rounds)
        CONSOLE.print(f"ours / {peer.name}: {faster:.2f} × a second, {cheaper:.2f} × for each CPU-second")


def _one(registrar: Registrar, options: argparse.Namespace, folder: Path, count: int) -> Run:
    if options.by == "own":
        return by_own(registrar, options.phones, count, options.at_once)
    return by_sipp(registrar, options.phones, count, options.at_once, folder)


def _median(runs: list[Run], of: Callable[[Run], float]) -> float:
    return statistics.median(map(of, runs))


def _makers(
    options: argparse.Namespace, place: Path
) -> list[Callable[[], AbstractContextManager[Registrar]]]:
    """What starts each registrar: they are not up together."""
    return [
        partial(our_registrar, place / "ours", options.phones),
        *(
            partial(kamailio, place / f"kamailio-{keeps}", keeps, options.phones, options.children)
            for keeps in Keeps
        ),
    ]


def overload(options: argparse.Namespace, place: Path) -> None:
    """Phones begin at ten times the rate that was reached in a closed loop, then at half of it."""
    columns = ("registrar", "peak", "begun", "requests", "done", "of peak", "p50", "p99", "normal again")
    table = Table(*columns)
    for make in _makers(options, place):
        with make() as registrar:
            by_own(registrar, options.phones, options.phones, options.at_once)
            peak = by_own(registrar, options.phones, options.count, options.at_once).per_second
            said = load(
                registrar,
                phones=options.phones,
                rate=int(peak * options.times),
                seconds=options.seconds,
                then_rate=int(peak / 2),
                then_seconds=options.seconds * 2,
                addresses=True,
            )
            table.add_row(registrar.name, f"{peak:,.0f}/s", *_borne(said, options.seconds, peak))
    # Phones send again after the overload: so soon could be back who wastes nothing.
    counted = overloaded(peak, options.times, options.seconds, options.seconds * 2)
    table.add_row("wastes nothing (counted)", f"{peak:,.0f}/s", *_borne(counted, options.seconds, peak))
    CONSOLE.print(
        f"{options.phones:,} phones, {options.times} × the peak for {options.seconds} s, each phone at an "
        "address of its own. The first second is left out."
    )
    CONSOLE.print(table)


def _borne(said: dict[str, dict[str, int]], seconds: int, peak: float) -> list[str]:
    """The cells of a row, from what the load said."""
    measured = [str(second) for second in range(1, seconds)]
    begun, done = (
        sum(said[what].get(second, 0) for second in measured) / len(measured) for what in ("begun", "done")
    )
    took = sorted(each for second in measured for each in said["took_ms"].get(second, []))
    return [
        f"{begun:,.0f}/s",
        f"{sum(said['sent'].get(second, 0) for second in measured) / len(measured):,.0f}/s",
        f"{done:,.0f}/s",
        f"{done / peak:.0%}",
        f"{percentile(took, 0.5):,.0f} ms",
        f"{percentile(took, 0.99):,.0f} ms",
        _normal_again(said, seconds),
    ]


def _normal_again(said: dict[str, dict[str, int]], seconds: int) -> str:
    """Since when all phones that begin have been served as if nothing had been."""
    bad = [
        int(second)
        for second in said["begun"]
        if said["lost"].get(second)
        or percentile(sorted(said["took_ms"].get(second, [])), 0.99) > NORMAL_MS
    ]
    last = max(map(int, said["begun"]))
    after = max(bad, default=-1) + 1 - seconds
    return "never" if max(bad, default=-1) >= last else f"after {max(0, after)} s"


def bindings(options: argparse.Namespace, place: Path) -> None:
    """A new server for each number of phones; each phone registers once, then some refresh."""
    table = Table("registrar", "phones", "memory of each", "first", "CPU of each refresh", "p99", "failed")
    cost: dict[str, list[tuple[float, float]]] = {}
    for phones in options.numbers:
        options.phones = phones
        for make in _makers(options, place / str(phones)):
            with make() as registrar:
                # What a registrar takes for the first ones, it takes whatever their number: pages of its
                # database, statements, code. A few phones register again and again until it has all that.
                few = phones // 10
                by_own(registrar, few, WARM, options.at_once, addresses=True)
                time.sleep(REMEMBERED_S)
                before = registrar.memory()
                first = by_own(registrar, phones, phones, options.at_once, addresses=True)
                time.sleep(REMEMBERED_S)
                grown = registrar.memory() - before
                again = by_own(registrar, phones, options.count, options.at_once, addresses=True)
                cost.setdefault(registrar.name, []).append((grown / (phones - few), again.cpu_us))
                table.add_row(
                    registrar.name,
                    f"{phones:,}",
                    f"{grown / (phones - few):,.0f} bytes",
                    f"{first.per_second:,.0f}/s",
                    f"{again.cpu_us:,.0f} µs",
                    f"{again.p99_ms:,.1f} ms",
                    f"{first.failed + again.failed:,}",
                )
    CONSOLE.print(f"{options.count:,} refreshes, {options.at_once} at once, a loop of our own")
    CONSOLE.print(table)
    for name, each in cost.items():
        memory, cpu = (last / first for first, last in zip(each[0], each[-1], strict=True))
        CONSOLE.print(f"{name}: from the first to the last, memory of each {memory:.2f} x, CPU {cpu:.2f} x")


def main() -> None:
    """Parses what is asked for, and does it in a temporary directory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("compare", "overload", "bindings"))
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--numbers", type=int, nargs="*", default=[1_000, 10_000, 200_000], help="bindings")
    parser.add_argument("--count", type=int, default=50_000, help="registrations of a run")
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--by", choices=("sipp", "own"), default="sipp")
    parser.add_argument("--children", type=int, default=4, help="Kamailio's processes for UDP")
    parser.add_argument("--times", type=int, default=10, help="the peak, in the overload")
    parser.add_argument("--seconds", type=int, default=10, help="of the overload")
    options = parser.parse_args()
    wanted("kamailio", "psql")
    runs = {"compare": compare, "overload": overload, "bindings": bindings}
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        runs[options.what](options, Path(folder))


if __name__ == "__main__":
    main()
