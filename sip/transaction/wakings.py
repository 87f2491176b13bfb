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
        self._heap: list[tuple[float, int, Machine]] = []
        self._order = itertools.count()

    @property
    def deadline(self) -> float:
        """When the first is due."""
        while self._heap:
            at, _, machine = self._heap[0]
            if machine.woken_at == at == machine.deadline:
                return at
            heapq.heappop(self._heap)
            if machine.woken_at == at:
                machine.woken_at = None
                self.expect(machine)
        return inf

    def expect(self, machine: Machine) -> None:
        """A machine's deadline may be new, and may be None."""
        at = machine.deadline
        if at is not None and (machine.woken_at is None or at < machine.woken_at):
            machine.woken_at = at
            heapq.heappush(self._heap, (at, next(self._order), machine))

    def due(self, now: float) -> Iterator[Machine]:
        """Takes out each whose time may have come: its `timer` knows."""
        while self._heap and self._heap[0][0] <= now:
            at, _, machine = heapq.heappop(self._heap)
            if machine.woken_at == at:
                machine.woken_at = None
                yield machine
