"""Whether the time of a closed answer tells if a MAC is listed.

Run it with `.venv/bin/python bench/scan_times.py`. A server runs in a process of its own with bans off. For
three seeds a scanner asks 1 000 times for `<mac>.cfg` of listed phones and 1 000 times of MACs that nobody
has heard of, in random order over one connection, and compares the times by Mann and Whitney's U test. The
same once more under a token that was made up. It ends with 1 where p is 0.01 or less in two of the three.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import stock
from mann_whitney import p_of
from rich.console import Console
from rich.table import Table
from servers import centralka

LISTED = 100
SUSPICIOUS = 0.01
BANS_OFF = f"{stock.PUBLIC}[security]\nscan_misses = 0\n"
WAYS: dict[str, Callable[[str], str]] = {
    "/MAC.cfg": lambda mac: f"/{mac}.cfg",
    "/MADE-UP-TOKEN/MAC.cfg": lambda mac: f"/{'0123456789abcdef' * 2}/{mac}.cfg",
}


class Scanner:
    """One connection."""

    def __init__(self, base: str) -> None:
        host, _, port = base.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def took(self, path: str) -> int:
        """Nanoseconds from the question to the answer, which must be the closed one."""
        question = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: Yealink SIP-T46S 66.86.0.15\r\n\r\n".encode()
        )
        began = time.perf_counter_ns()
        self._socket.sendall(question)
        answer = self._socket.recv(65536)
        taken = time.perf_counter_ns() - began
        assert answer.startswith(b"HTTP/1.1 404"), answer
        assert answer.endswith(b"Not found.\n"), answer
        return taken


def measure(base: str, seed: int, samples: int, path: Callable[[str], str]) -> tuple[list[int], list[int]]:
    """Times of listed and of unlisted MACs."""
    chance = random.Random(seed)  # noqa: S311
    scanner = Scanner(base)
    listed = [f"{stock.FIRST_MAC + n:012x}" for n in range(LISTED)]
    unlisted = [f"{stock.FIRST_MAC + 0x10000 + n:012x}" for n in range(LISTED)]
    for mac in chance.choices(listed + unlisted, k=200):
        scanner.took(path(mac))
    taken: dict[bool, list[int]] = {True: [], False: []}
    order = [True, False] * samples
    chance.shuffle(order)
    for is_listed in order:
        taken[is_listed].append(scanner.took(path(chance.choice(listed if is_listed else unlisted))))
    return taken[True], taken[False]


def main() -> int:
    """Measures, prints, and says whether the times tell anything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1000, help="of each kind and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    table = Table("asked for", "seed", "listed, µs", "unlisted, µs", "p")
    tells = False
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        data = Path(folder) / "data"
        asyncio.run(stock.make(data, LISTED))
        with centralka(data, BANS_OFF) as server:
            for way, path in WAYS.items():
                suspicious = 0
                for seed in options.seeds:
                    listed, unlisted = measure(server.base, seed, options.samples, path)
                    p = p_of(listed, unlisted)
                    suspicious += p <= SUSPICIOUS
                    medians = [f"{statistics.median(each) / 1000:.1f}" for each in (listed, unlisted)]
                    table.add_row(way, str(seed), *medians, f"{p:.3f}")
                tells = tells or suspicious * 2 > len(options.seeds)
    Console().print(table)
    return int(tells)


if __name__ == "__main__":
    sys.exit(main())
