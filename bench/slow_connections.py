"""What a good phone notices of 2 000 slow connections.

Run it with `.venv/bin/python bench/slow_connections.py`. A server runs in a process of its own. A phone
fetches its own file, over a new connection each time, by turns alone and beside 2 000 connections from 200
addresses that are silent, stop within their headers, or send a byte of them each second; those that are
dropped come back. It prints how long the phone waited, how much of a processor the server used meanwhile, and
how many of the slow ones were dropped.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import stock
import uvloop
from rich.console import Console
from rich.table import Table
from servers import Server, centralka

SLOW, SOURCES, ROUNDS = 2_000, 200, 3
BEGINNINGS = (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"G")
"The last one goes on with a byte each second."


class Siege:
    """The slow ones, in a process of their own, and what it tells of them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.up = multiprocessing.Value("i", 0)
        "Slow ones that have been connected at least once."
        self.dropped = multiprocessing.Value("i", 0)

    def run(self) -> None:
        """Without an end."""
        uvloop.run(self._all())

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(SLOW):
                tasks.create_task(self._again_and_again(number))

    async def _again_and_again(self, number: int) -> None:
        source, beginning = f"127.0.5.{number % SOURCES + 1}", BEGINNINGS[number % len(BEGINNINGS)]
        is_known = False
        while True:
            # What uvloop raises where a connection has just been dropped is no OSError.
            with suppress(OSError, RuntimeError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
                self.up.value += not is_known
                is_known = True
                writer.write(beginning)
                while not reader.at_eof():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(1):
                            await reader.read(1)
                    if len(beginning) == 1:
                        writer.write(b"G")
                writer.close()
            self.dropped.value += 1


@contextmanager
def besieged(port: int) -> Iterator[Siege]:
    """When all of them are there."""
    siege = Siege(port)
    process = multiprocessing.Process(target=siege.run)
    process.start()
    try:
        while siege.up.value < SLOW:
            time.sleep(0.05)
        yield siege
        assert process.is_alive(), "the slow ones are gone"
    finally:
        process.kill()
        process.join()


def waited_ms(port: int, path: str) -> float:
    """From the phone's first packet to the last byte of its file."""
    question = f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as phone:
        phone.sendall(question)
        answer = b"".join(iter(lambda: phone.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:80]
    return 1000 * (time.perf_counter() - began)


def measure(server: Server, seconds: float) -> tuple[list[float], float]:
    """How long each request waited, and how much of a processor the server used."""
    port, waits = int(server.base.rpartition(":")[2]), list[float]()
    used_s, began = server.cpu_s(), time.monotonic()
    while time.monotonic() - began < seconds:
        waits.append(waited_ms(port, stock.path(0)))
        time.sleep(0.005)
    return waits, (server.cpu_s() - used_s) / (time.monotonic() - began)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15, help="of each turn")
    options = parser.parse_args()
    table = Table("slow ones", "requests", "median, ms", "p99, ms", "longest, ms", "CPU", "dropped")
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        data = Path(folder) / "data"
        asyncio.run(stock.make(data, 10))
        with centralka(data, stock.PUBLIC) as server:
            port = int(server.base.rpartition(":")[2])
            for turn in range(2 * ROUNDS):
                with besieged(port) if turn % 2 else nullcontext() as siege:
                    before = siege.dropped.value if siege else 0
                    waits, cpu = measure(server, options.seconds)
                    dropped = siege.dropped.value - before if siege else 0
                cut = statistics.quantiles(waits, n=100)
                numbers = [f"{each:.2f}" for each in (cut[49], cut[98], max(waits))]
                slow = str(SLOW if siege else 0)
                table.add_row(slow, str(len(waits)), *numbers, f"{cpu:.0%}", str(dropped))
    Console().print(table)


if __name__ == "__main__":
    main()
