"""Which machine is to be woken when."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from math import inf

from sip.transaction.machine import Machine


class Wakings:
    """Machines by deadline. One whose deadline moves on is not looked for: its old time comes, and passes."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._order = itertools.count()
        self._machines: dict[int, Machine] = {}
        "By what stands for them in the heap, where many are named that have long gone."

    @property
    def deadline(self) -> float:
        """When the first is due."""
        while self._heap:
            at, number = self._heap[0]
            machine = self._machines.get(number)
            if machine is not None and machine.deadline == at:
                return at
            heapq.heappop(self._heap)
            if machine is not None:
                self.forget(machine)
                self.expect(machine)
        return inf

    def expect(self, machine: Machine) -> None:
        """A machine's deadline may be new, and may be None."""
        at = machine.deadline
        if at is not None and (machine.waking is None or at < machine.waking[0]):
            self.forget(machine)
            machine.waking = at, next(self._order)
            self._machines[machine.waking[1]] = machine
            heapq.heappush(self._heap, machine.waking)

    def forget(self, machine: Machine) -> None:
        """It is not to be woken."""
        if machine.waking is not None:
            del self._machines[machine.waking[1]]
            machine.waking = None

    def due(self, now: float) -> Iterator[Machine]:
        """Takes out each whose time may have come: its `timer` knows."""
        while self._heap and self._heap[0][0] <= now:
            machine = self._machines.get(heapq.heappop(self._heap)[1])
            if machine is not None:
                self.forget(machine)
                yield machine
