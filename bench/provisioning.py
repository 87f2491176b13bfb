"""How phones are served, per CPU-second of the server, side by side with nginx serving the same bytes.

    .venv/bin/python bench/provisioning.py cached    a phone's own file from memory, 1, 32 and 256 connections
    .venv/bin/python bench/provisioning.py storm     10 000 phones boot at once: 5 requests each, all on new
                                                     connections, over HTTP and TLS
    .venv/bin/python bench/provisioning.py cold      files that are in no memory, 100 to 100 000 phones
                                                     (--stock 1000000 for a million: 6 GB of disk)

All checks, traces and limits are on; what was answered and not traced is counted as lost. It wants Debian's
wrk, nginx-light and openssl. Figures are medians of several rounds; CPU is what the server used, so that a
noisy machine shows in neither.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import stock
from rich.console import Console
from rich.table import Table
from servers import Load, Server, centralka, certificate, load, nginx, paths, wanted
from servers import storm as storm_of

from provisioner.centrex.mac import MacAddress
from provisioner.operations.device_files import render_device
from provisioner.operations.installation import opened
from provisioner.settings import read_settings

CONSOLE = Console()
FEW = 50
"Phones whose files stay in memory."
STORM = 10_000
LIMITS = f"{stock.PUBLIC}[limits]\nconnections = 16000\nconnections_per_source = 16000\n"
"All of wrk's connections come from one address."


def cached(options: argparse.Namespace, place: Path) -> None:
    """The same few files again and again."""
    files = prepare(place / "data", FEW)
    table = Table("connections", "server", "per CPU-second", "per second", "of nginx", "lost traces")
    for connections in (1, 32, 256):
        with centralka(place / "data", LIMITS) as ours, nginx(place / "nginx", files) as peer:
            script = paths(list(files))
            rounds = [
                (
                    load(ours, ours.base, script, place, connections, options.seconds),
                    load(peer, peer.base, script, place, connections, options.seconds),
                )
                for _ in range(options.rounds)
            ]
        add(table, str(connections), ours, peer, rounds)
    CONSOLE.print(f"{FEW} phones, {size_of(files):,.0f} bytes a file, medians of {options.rounds} rounds")
    CONSOLE.print(table)


def storm(options: argparse.Namespace, place: Path) -> None:
    """Each phone asks for its boot file (missing), model file, own file, contacts (missing), own file."""
    asyncio.run(stock.make(place / "data", STORM))
    tls = certificate(place)
    table = Table(
        "door", "server", "per CPU-second", "per second", "of nginx", "lost traces", "longest", "lost"
    )
    files = {f"{each}.cfg": b"x" * 3900 for each in ("own", "model")}
    own, model = "/{token}/{mac}.cfg", "/{token}/y000000000066.cfg"
    boot = ("/{token}/{mac}.boot", model, own, "/{token}/{mac}-contact.xml", own)
    same = ("/missing", "/model.cfg", "/own.cfg", "/missing", "/own.cfg")
    for door in ("HTTP", "TLS"):
        rounds = []
        for _ in range(options.rounds):
            with (
                centralka(place / "data", LIMITS, tls=tls) as ours,
                nginx(place / "nginx", files, tls=tls) as peer,
            ):
                bases = [each.secure if door == "TLS" else each.base for each in (ours, peer)]
                rounds.append(
                    (storm_of(ours, bases[0], STORM, 256, boot), storm_of(peer, bases[1], STORM, 256, same))
                )
        add(table, door, ours, peer, rounds, storm=True)
    CONSOLE.print(f"{STORM:,} phones boot at once, 256 at a time, medians of {options.rounds} rounds")
    CONSOLE.print(table)


def cold(options: argparse.Namespace, place: Path) -> None:
    """Phones in random order, with a memory that holds hardly any of them."""
    table = Table("phones", "per CPU-second", "per second", "longest", "lost traces")
    for phones in options.stock or (100, 10_000, 100_000):
        data = place / f"data-{phones}"
        asyncio.run(stock.make(data, phones))
        script = f"""
math.randomseed(7)
request = function()
  local phone = math.random(0, {phones - 1})
  return wrk.format("GET", string.format("/%032x/%012x.cfg", phone, {stock.FIRST_MAC} + phone))
end
"""
        # Otherwise a hundred phones fit into the least memory.
        config = LIMITS + "[memory]\nfiles_mib = 0\n"
        with centralka(data, config) as ours:
            load(ours, ours.base, script, place, 32, 1)
            rounds = [
                load(ours, ours.base, script, place, 32, options.seconds) for _ in range(options.rounds)
            ]
        table.add_row(
            f"{phones:,}",
            f"{median(rounds, 'per_cpu_second'):,.0f}",
            f"{median(rounds, 'per_second'):,.0f}",
            f"{median(rounds, 'longest_ms'):,.0f} ms",
            f"{ours.lost_traces:,}",
        )
    CONSOLE.print(f"every request reads the database, medians of {options.rounds} rounds")
    CONSOLE.print(table)


def prepare(data_dir: Path, phones: int) -> dict[str, bytes]:
    """The installation, and the files of its first phones by path."""

    async def made() -> dict[str, bytes]:
        await stock.make(data_dir, phones)
        async with opened(data_dir, read_settings(None)) as installation:
            return {
                stock.path(n): (
                    await render_device(installation, MacAddress(f"{stock.FIRST_MAC + n:012x}"))
                ).encode()
                for n in range(min(phones, FEW))
            }

    return asyncio.run(made())


def add(
    table: Table,
    what: str,
    ours: Server,
    peer: Server,
    rounds: Sequence[tuple[Load, Load]],
    *,
    storm: bool = False,
) -> None:
    """A row for each server."""
    ratio = statistics.median(each.per_cpu_second / other.per_cpu_second for each, other in rounds)
    for side, server in enumerate((ours, peer)):
        own = [each[side] for each in rounds]
        row = [
            what if side == 0 else "",
            server.name,
            f"{median(own, 'per_cpu_second'):,.0f}",
            f"{median(own, 'per_second'):,.0f}",
            f"{ratio:.3f}" if side == 0 else "1",
            f"{server.lost_traces:,}" if side == 0 else "",
        ]
        if storm:
            row += [f"{median(own, 'longest_ms'):,.0f} ms", f"{sum(each.lost for each in own):,}"]
        table.add_row(*row)


def median(rounds: Sequence[Load], figure: str) -> float:
    return statistics.median(getattr(each, figure) for each in rounds)


def size_of(files: dict[str, bytes]) -> float:
    return statistics.median(len(content) for content in files.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cached", "storm", "cold"))
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stock", type=int, nargs="*")
    options = parser.parse_args()
    wanted("wrk", "nginx", "openssl")
    random.seed(7)
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        {"cached": cached, "storm": storm, "cold": cold}[options.what](options, Path(folder))


if __name__ == "__main__":
    main()
