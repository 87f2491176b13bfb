"""Mann and Whitney's U test: whether one sample of times tends to be longer than another."""

from __future__ import annotations

import math
from collections.abc import Sequence


def p_of(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p by the normal approximation, corrected for ties; for samples of twenty or more.

    Mann and Whitney, Annals of Mathematical Statistics 18 (1947).
    """
    both = sorted((value, which) for which, values in enumerate((one, other)) for value in values)
    ranks, ties, at = 0.0, 0.0, 0
    while at < len(both):
        end = at
        while end < len(both) and both[end][0] == both[at][0]:
            end += 1
        rank = (at + end + 1) / 2
        ranks += rank * sum(which == 0 for _, which in both[at:end])
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))
