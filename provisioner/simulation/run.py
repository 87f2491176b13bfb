"""A simulation, from the first plug to the last goodbye."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner.simulation.causes import Cause
from provisioner.simulation.life import Box, Life, Stage, first_of
from provisioner.simulation.profile import Person, Profile
from provisioner.simulation.tally import Report, Tally
from provisioner.virtual_phones.network import Network

_TICKS = os.sysconf("SC_CLK_TCK")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    profile: Profile
    over_s: float
    "In which all phones are plugged in, one after the other."
    for_s: float
    "How long people call, once all phones are up."
    patience_s: float = 60.0
    "How long after the last plug phones may take, before people begin to call all the same."
    seed: int = 1
    hurry: float = 1.0
    "What phones wait before they try again is divided by this."


class Simulation:
    """One of them; to be run once."""

    def __init__(
        self, boxes: Sequence[Box], network: Network, plan: Plan, server: int | None = None
    ) -> None:
        """`server`: the process whose CPU time is told."""
        self.tally = Tally()
        self._boxes, self._plan, self._server = boxes, plan, server
        self._settled = asyncio.Event()
        self._last_up = 0.0
        self._registered_by_then = 0
        self._stage = Stage(self.tally, network, plan.hurry, self._is_up)

    @property
    def phones(self) -> int:
        """How many there are."""
        return len(self._boxes)

    @property
    def is_calling(self) -> bool:
        """Whether the busy hour has begun."""
        return self._stage.calling.is_set()

    async def run(self, interrupted: asyncio.Event) -> Report:
        """Does all of it; `interrupted` ends it early, in order."""
        began, own_before = time.monotonic(), time.process_time()
        server_before = _cpu_s(self._server)
        plan, stage = self._plan, self._stage
        lives = [Life(box, Person(plan.profile, plan.seed, box.machine.mac), stage) for box in self._boxes]
        async with asyncio.TaskGroup() as tasks:
            step_s = plan.over_s / len(lives)
            running = {
                tasks.create_task(life.live(number * step_s), name=life.mac): life
                for number, life in enumerate(lives)
            }
            await first_of(self._settled, interrupted, within_s=plan.over_s + plan.patience_s)
            stage.calling.set()
            await first_of(interrupted, within_s=plan.for_s)
            self.tally.is_over = True
            stage.over.set()
            for task, life in running.items():
                if not life.is_on_line:
                    task.cancel()
        late = [life.mac for life in lives if not life.is_up]
        for mac in late:
            self.tally.fails(Cause.LATE, "", mac)
        server_after = _cpu_s(self._server)
        lasted_up_s = max(self._last_up - began, 1e-6)
        tally = self.tally
        return Report(
            phones=len(lives),
            powered_on=tally.powered_on,
            up=tally.up,
            up_after_s=tally.up_after.percentiles(),
            never_up=tuple(late[:_NAMED]),
            requests={str(status): times for status, times in sorted(tally.requests.items())},
            bytes=tally.bytes,
            fetched_again=tally.fetched_again,
            registered=tally.registered,
            registered_per_s=self._registered_by_then / lasted_up_s if tally.up else 0.0,
            subscribed=tally.subscribed,
            calls=tally.calls,
            talked=tally.talked,
            refused=tally.refused,
            unanswered=tally.unanswered,
            failed=tally.failed,
            cut_short=tally.cut_short,
            post_dial_s=tally.rang_after.percentiles(),
            failures=tuple(each.reported() for each in tally.failures.values()),
            lasted_s=time.monotonic() - began,
            own_cpu_s=time.process_time() - own_before,
            server_cpu_s=(
                None if server_before is None or server_after is None else server_after - server_before
            ),
            interrupted=interrupted.is_set(),
        )

    def _is_up(self) -> None:
        self._last_up = time.monotonic()
        self._registered_by_then = self.tally.registered
        if self.tally.up == len(self._boxes):
            self._settled.set()


def _cpu_s(process: int | None) -> float | None:
    """What a process and its children have used; None: it can't be told."""
    if process is None:
        return None
    try:
        return sum(_used(each) for each in (process, *_children(process))) / _TICKS
    except (OSError, ValueError, IndexError):
        return None


def _children(process: int) -> Iterable[int]:
    return map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())


def _used(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
