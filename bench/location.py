"""What a binding costs in memory, and what each step costs, with few and with many phones registered.

Run it with `.venv/bin/python bench/location.py`. Phones register, each on a line of its own; then some of
them, picked at random, are refreshed, looked for, asked whether they answer, and so on. What counts is that a
column says much the same in each row: somewhat more with many phones is what the processor's caches cost.

Bytes are what the process grew by, all that is kept of a phone included; times are of the CPU, the median of
rounds. Python's cyclic garbage collector rests meanwhile: what it costs depends on what else a process holds.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sip_messages import REGISTER

from sip.location import Location
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.probing import Probes
from sip.registrar import Decision, Origin, register
from sip.registrar_contact import Limits
from sip.transport.flow import Address, Transport

SERVER = Address("192.0.2.1", 5060)
LIMITS = Limits()
SAMPLES, ROUNDS = 1_000, 11
STARTED, REFRESHED, ALL_LAPSED = 0.0, 1_000.0, 10_000.0
DATE = datetime(2026, 11, 23, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, nargs="*", default=[1_000, 20_000, 200_000])
    table = Table(title="One core; microseconds of CPU for each")
    for column in ("phones", "bytes", "register", "200", "apply", "find", "heard", "probe", "expire"):
        table.add_column(column, justify="right")
    for phones in parser.parse_args().phones:
        table.add_row(f"{phones:,}", *measured(phones))
    Console().print(table)


def measured(phones: int) -> Iterable[str]:
    chance = random.Random(phones)  # noqa: S311
    location, probes = Location(), Probes(chance.random, rate=1e6)
    gc.collect()
    before = grown()
    for phone in range(phones):
        decision = register(
            a_register(phone, 1), number(phone), origin(phone), (), STARTED, LIMITS, chance.random
        )
        location.apply(decision.changes)
        for change in decision.changes:
            probes.note(change)
    gc.collect()
    yield f"{(grown() - before) // phones:,}"

    gc.disable()
    columns: list[list[float]] = [[] for _ in range(5)]
    for turn in range(ROUNDS):
        some = [chance.randrange(phones) for _ in range(SAMPLES)]
        for column, each in zip(columns, refreshed(location, some, turn, chance), strict=True):
            column.append(each)
    yield from (f"{statistics.median(column):.1f}" for column in columns)
    began, asked = time.process_time(), 0
    now = REFRESHED
    while asked < 10 * SAMPLES and probes.deadline is not None:
        now = max(now, probes.deadline)
        asked += len(probes.take(now))
    yield f"{(time.process_time() - began) / asked * 1e6:.1f}"
    began, ended = time.process_time(), 0
    while location.deadline is not None:
        ended += len(location.expire(ALL_LAPSED))
    gc.enable()
    yield f"{(time.process_time() - began) / ended * 1e6:.1f}"


def refreshed(location: Location, some: Sequence[int], turn: int, chance: random.Random) -> list[float]:
    """Some phones refresh themselves: what it takes to decide, answer, apply, find and hear one."""
    now = REFRESHED + turn
    messages = [a_register(phone, 2 + turn) for phone in some]
    lines, origins = [number(phone) for phone in some], [origin(phone) for phone in some]
    held = [location.bindings(line, now) for line in lines]
    keys = [each[0].key for each in held]
    decisions: list[Decision] = []

    def decide(i: int) -> None:
        decisions.append(register(messages[i], lines[i], origins[i], held[i], now, LIMITS, chance.random))

    return [
        timed(decide),
        timed(lambda i: decisions[i].response(messages[i], DATE, "3b7a0d7a4f1c9e55")),
        timed(lambda i: location.apply(decisions[i].changes)),
        timed(lambda i: location.bindings(lines[i], now)),
        timed(lambda i: location.heard(lines[i], keys[i], now, 0.02)),
    ]


def timed(step: Callable[[int], object]) -> float:
    """Microseconds of one step."""
    began = time.process_time()
    for i in range(SAMPLES):
        step(i)
    return (time.process_time() - began) / SAMPLES * 1e6


def grown() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def number(phone: int) -> str:
    return f"48{phone:09d}"


def origin(phone: int) -> Origin:
    return Origin(Transport.UDP, Address(f"10.{phone >> 16}.{phone >> 8 & 255}.{phone & 255}", 5062), SERVER)


def a_register(phone: int, cseq: int) -> Request:
    """What `phone` sends, read as far as the transaction reads it."""
    host = origin(phone).remote.host.encode()
    data = REGISTER.replace(b"48223809887", number(phone).encode()).replace(b"192.168.1.20", host)
    message = parse_datagram(data.replace(b"CSeq: 2 ", b"CSeq: %d " % cseq))
    if not isinstance(message, Request):
        raise AssertionError("it is a REGISTER")
    return message


if __name__ == "__main__":
    main()
