"""What a process has done so far, as plain numbers: those who do it count, those who show it read."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sip.counters import Counters

BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
TALKED_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)
COMMITS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Tally:
    """How often a value was how large."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        "The largest value of each class, rising; one more class is for what is larger."
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        "Of all values."

    def add(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Registering:
    """How REGISTERs are stored."""

    batches: Tally = field(default_factory=lambda: Tally(BATCHES))
    "REGISTERs of one batch."
    commits_s: Tally = field(default_factory=lambda: Tally(COMMITS_S))
    "How long it took to store one batch that changed anything."


@dataclass(slots=True)
class Calling:
    """Calls, and how they are recorded."""

    live: Callable[[], int]
    "How many there are now."
    unwritten: Callable[[], int]
    "How many of them wait to be written."
    lost: Callable[[], int]
    "How many could not be recorded."
    ended: Counter[str] = field(default_factory=Counter)
    "Calls, by why they ended."
    legs: Counter[str] = field(default_factory=Counter)
    "Lines that calls have tried, by what became of them."
    talked_s: Tally = field(default_factory=lambda: Tally(TALKED_S))
    "How long calls took that were answered."
    batches: Tally = field(default_factory=lambda: Tally(BATCHES))
    "Calls of one commit."
    commits_s: Tally = field(default_factory=lambda: Tally(COMMITS_S))


@dataclass(slots=True)
class Counted:
    """All of it."""

    sip: Counters | None = None
    "None: this process takes no SIP."
    registering: Registering | None = None
    calling: Calling | None = None
    sip_banned: Callable[[], int] | None = None
    "How many sources are banned there now."
