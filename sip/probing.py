"""Which bindings are to be asked when whether they answer (by OPTIONS, RFC 3261 §11): a plan, no requests.

Each is asked once in a while, at a time of its own, so that any number of them is spread evenly; and never
more than so many a second, even if all came at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from sip.binding import ENDS, Binding, Change, ChangeKind, Key

_STEP_S = 0.1
"How finely the rate is kept: what may be asked in this time is asked at once, to wake up less often."
_SPARE = 1_000
"Times that may have become idle before they are cleared."


class Probe(NamedTuple):
    """A binding that is to be asked."""

    aor: str
    key: Key


class Probes:
    """The plan. All times are loop time, in seconds."""

    def __init__(
        self,
        chance: Callable[[], float],
        every_s: float = 60.0,
        rate: float = 200.0,
        soon_s: float = 2.0,
        jitter: float = 0.1,
    ) -> None:
        """Each binding every `every_s`, give or take the part `jitter`; at most `rate` a second in all.

        What has just come is asked within `soon_s`. `chance` returns 0 to 1, below 1.
        """
        self._chance = chance
        self._every_s, self._rate, self._soon_s, self._jitter = every_s, rate, soon_s, jitter
        self._due: dict[Probe, float] = {}
        self._heap: list[tuple[float, int, Probe]] = []
        self._serial = count()
        "Decides between what is due at one time: keys have no order."
        self._most = max(1.0, rate * _STEP_S)
        self._room = self._most
        "How many may be asked at `_as_of`."
        self._as_of = 0.0

    def __len__(self) -> int:
        """How many bindings are asked."""
        return len(self._due)

    def restore(self, bindings: Iterable[tuple[str, Binding]], now: float) -> None:
        """Bindings that were there before this process, each after its AOR. They are spread at once."""
        for aor, binding in bindings:
            self._plan(Probe(aor, binding.key), now + self._every_s * self._chance())

    def note(self, change: Change) -> None:
        """Something happened to a binding: new ones are asked soon, those that ended no more."""
        aor, key = change.aor, change.binding.key
        if change.kind in ENDS:
            self._due.pop(Probe(aor, key), None)
        elif change.kind in (ChangeKind.REGISTERED, ChangeKind.MOVED):
            if change.before is not None and change.before.key != key:
                self._due.pop(Probe(aor, change.before.key), None)
            self._plan(Probe(aor, key), change.at + self._soon_s * self._chance())

    def again(self, probe: Probe, at: float) -> None:
        """Asks for it at `at` already: it has left a request unanswered, and shall soon be known for it."""
        due = self._due.get(probe)
        if due is not None and at < due:
            self._plan(probe, at)

    def take(self, now: float) -> list[Probe]:
        """Who is to be asked now. Each is planned anew at once."""
        self._room = min(self._most, self._room + (now - self._as_of) * self._rate)
        self._as_of = now
        taken: list[Probe] = []
        while self._room >= 1 and self._heap and self._heap[0][0] <= now:
            due, _, probe = heappop(self._heap)
            if self._due.get(probe) != due:
                continue
            self._room -= 1
            taken.append(probe)
            self._plan(probe, now + self._every_s * (1 + self._jitter * (2 * self._chance() - 1)))
        return taken

    @property
    def deadline(self) -> float | None:
        """When `take` is to be called."""
        if not self._heap:
            return None
        if self._room >= 1:
            return self._heap[0][0]
        return max(self._heap[0][0], self._as_of + (self._most - self._room) / self._rate)

    def _plan(self, probe: Probe, due: float) -> None:
        self._due[probe] = due
        heappush(self._heap, (due, next(self._serial), probe))
        if len(self._heap) > 2 * len(self._due) + _SPARE:
            self._heap = [(due, i, probe) for i, (probe, due) in enumerate(self._due.items())]
            heapify(self._heap)
