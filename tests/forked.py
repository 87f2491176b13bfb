"""The command, again and again in processes forked from one that has loaded the program, and killed in them.

A start of Python costs more than most commands; so what is killed at random is killed in its own work, and
tests that run many commands don't load the program for each.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import IO

from provisioner.cli import main as command
from provisioner.cli.verbs import VERBS, Group

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended."""

    status: int
    "Its exit status; minus the signal's number where it was killed."
    lasted_s: float
    out: str
    "Its standard output."
    err: str
    "Its standard error."

    @property
    def said(self) -> str:
        """All of it."""
        return self.out + self.err

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
        """`centralka` with these arguments, where this process is; killed (SIGKILL) if it runs longer."""
        order = [[str(each) for each in arguments], killed_after_s, os.getcwd(), dict(os.environ)]  # noqa: PTH109
        self._orders.write(json.dumps(order) + "\n")
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


class Shared:
    """Processes that have loaded the program: as many as commands have run at once, for the whole run."""

    def __init__(self) -> None:
        self._idle: list[Forking] = []
        self._all = ExitStack()
        atexit.register(self._all.close)

    def run(self, *arguments: str | Path) -> Run:
        """See `Forking`; whoever runs a command meanwhile has another process."""
        try:
            mine = self._idle.pop()
        except IndexError:
            mine = self._all.enter_context(forking())
        try:
            return mine.run(*arguments)
        finally:
            self._idle.append(mine)


SHARED = Shared()


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
        arguments, killed_after_s, folder, environment = json.loads(order)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        _load(*arguments[:1])
        run = _forked(arguments, killed_after_s)
        sys.stdout.write(json.dumps(asdict(run)) + "\n")
        sys.stdout.flush()


def _load(verb: str = "") -> None:
    """Loads what the verb's module needs, which otherwise each command would do anew in its own process."""
    match VERBS.get(verb):
        case str(function):
            functions = [function]
        case Group(verbs=verbs, alone=alone):
            functions = [*verbs.values(), *([alone] if alone else [])]
        case None:
            return
    for function in functions:
        import_module(f"provisioner.cli.{function.partition('.')[0]}")


def _forked(arguments: Sequence[str], killed_after_s: float | None) -> Run:
    outputs = [os.memfd_create(name) for name in ("out", "err")]
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, each in enumerate(outputs, 1):
            os.dup2(each, number)
        sys.argv = ["centralka", *arguments]
        _work()
    status = _waited(child, killed_after_s)
    lasted_s = time.monotonic() - began
    return Run(status, lasted_s, *map(_written, outputs))


def _written(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(file, encoding="utf-8") as written:
        return written.read()


def _work() -> None:
    """Runs the command in this process, and ends the process as Python would."""
    status = 1
    try:
        command()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
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
