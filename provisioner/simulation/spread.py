"""How values are spread, in bounded memory: percentiles to one in a hundred, extremes exactly."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

_STEP = math.log(1.01)
_LEAST = 1e-6
"Below this, values are alike."


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What is said of a spread."""

    p50: float
    p99: float
    max: float


class Spread:
    """Values above zero, counted in steps of a hundredth."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._max = 0.0

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, value: float) -> None:
        """One more."""
        self._counts[math.ceil(math.log(max(value, _LEAST)) / _STEP)] += 1
        self._max = max(self._max, value)

    def percentiles(self) -> Percentiles | None:
        """None: there are no values."""
        if not self._counts:
            return None
        return Percentiles(self._at(0.50), self._at(0.99), self._max)

    def _at(self, share: float) -> float:
        """The least value that so many are not above."""
        wanted, seen = math.ceil(share * len(self)), 0
        for step in sorted(self._counts):
            seen += self._counts[step]
            if seen >= wanted:
                break
        return min(math.exp(step * _STEP), self._max)
