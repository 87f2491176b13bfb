"""The command, again and again in processes forked from one that has loaded the program, and killed in them.

A start of Python costs more than most commands; so what is killed at random is killed in its own work.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from provisioner.cli import main as command

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended."""

    status: int
    "Its exit status; minus the signal's number where it was killed."
    lasted_s: float
    said: str
    "Standard output and standard error."

    @property
    def was_killed(self) -> bool:
        return self.status == -signal.SIGKILL

    @property
    def was_acknowledged(self) -> bool:
        return self.status == 0


class Forking:
    """The process that has loaded the program."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers

    def run(self, *arguments: str | Path, killed_after_s: float | None = None) -> Run:
        """`centralka` with these arguments, killed (SIGKILL) if it runs longer than that."""
        self._orders.write(json.dumps([[str(each) for each in arguments], killed_after_s]) + "\n")
        self._orders.flush()
        return Run(**json.loads(self._answers.readline()))


@contextmanager
def forking() -> Iterator[Forking]:
    """Its process, for as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.forked"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Forking(process.stdin, process.stdout)


class Moments:
    """Random moments over the whole duration of a command, as many as are asked for, the same in each run."""

    def __init__(self, rounds: int, whole_s: float) -> None:
        self._random = random.Random(rounds)  # noqa: S311
        self._rounds = rounds
        self._whole_s = whole_s

    def of(self, turn: int) -> float:
        """A moment in the turn-th part of the duration."""
        return self._whole_s * (turn + self._random.random()) / self._rounds

    def measured(self, run: Run) -> None:
        """Takes a run that ended by itself: how fast a machine is differs from one minute to the next."""
        self._whole_s = (self._whole_s + run.lasted_s) / 2


def main() -> None:
    """Reads orders, a line of JSON each, and answers likewise, until its input ends."""
    for order in sys.stdin:
        arguments, killed_after_s = json.loads(order)
        run = _forked(arguments, killed_after_s)
        sys.stdout.write(json.dumps(asdict(run)) + "\n")
        sys.stdout.flush()


def _forked(arguments: Sequence[str], killed_after_s: float | None) -> Run:
    output = os.memfd_create("output")
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.argv = ["centralka", *arguments]
        _work()
    status = _waited(child, killed_after_s)
    lasted_s = time.monotonic() - began
    os.lseek(output, 0, os.SEEK_SET)
    with os.fdopen(output, encoding="utf-8") as written:
        return Run(status, lasted_s, written.read())


def _work() -> None:
    """Runs the command in this process, and ends the process as Python would."""
    status = 1
    try:
        command()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _waited(child: int, killed_after_s: float | None) -> int:
    """Waits for it, no longer than it may live; returns its status."""
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], killed_after_s)[0]:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
