"""Whether orders are by chance: exact tests over many calls, which seldom suspect an honest die.

Two things would give away a group that isn't shuffled afresh for each call, every order equally likely: some
orders come too often, or an order comes too often, or too seldom, right after itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import comb, exp, lgamma, log

MOST_CALLS = 40
"Of a history: the latest. A test is exact, and goes through all ways in which so many may be divided up."


@dataclass(frozen=True, slots=True)
class Chance:
    """What the orders of a history are worth."""

    calls: int
    orders: int
    "That there may be."
    p: float
    "How probable it is that chance makes something as strange, or stranger."


def chance(history: Sequence[Hashable], orders: int) -> Chance:
    """Of the orders of some calls, oldest first, of which there may be so many different ones.

    Of groups that are shuffled honestly, at most a share of `p` come to one as small.
    """
    latest = history[-MOST_CALLS:]
    if len(latest) < 2 or orders < 2:
        return Chance(len(latest), orders, 1.0)
    # Either may find something: by Bonferroni, the smaller of the two counts double.
    p = min(1.0, 2 * min(_even(latest, orders), _repeats(latest, orders)))
    return Chance(len(latest), orders, p)


def _even(history: Sequence[Hashable], orders: int) -> float:
    """The exact multinomial test: all ways to divide the calls up that are no likelier than theirs.

    How likely a way is depends on its counts alone, so it goes through the partitions of the number of calls.
    """
    calls = len(history)
    seen = sorted(Counter(history).values(), reverse=True)
    limit = _likelihood(seen) + 1e-9
    return min(1.0, sum(weight for likelihood, weight in _ways(calls, orders) if likelihood <= limit))


@lru_cache(maxsize=16)
def _ways(calls: int, orders: int) -> tuple[tuple[float, float], ...]:
    """All ways to divide calls up: how likely one of a kind is, and all of that kind together."""
    return tuple(
        (_likelihood(parts), _weight(parts, calls, orders)) for parts in _partitions(calls, orders)
    )


def _likelihood(counts: Sequence[int]) -> float:
    """The logarithm of how likely one way with these counts is, but for what all have in common."""
    return -sum(lgamma(count + 1) for count in counts)


def _weight(parts: Sequence[int], calls: int, orders: int) -> float:
    """The probability of all ways with these counts, whichever orders they are of."""
    ways = lgamma(calls + 1) + _likelihood(parts)
    which = lgamma(orders + 1) - lgamma(orders - len(parts) + 1)
    which -= sum(lgamma(times + 1) for times in Counter(parts).values())
    return exp(ways + which - calls * log(orders))


def _partitions(total: int, most_parts: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as a sum of at most so many, which do not grow."""
    if total == 0:
        yield ()
        return
    if most_parts == 0:
        return
    for part in range(min(total, largest or total), 0, -1):
        if part * most_parts < total:
            return
        for rest in _partitions(total - part, most_parts - 1, part):
            yield (part, *rest)


def _repeats(history: Sequence[Hashable], orders: int) -> float:
    """The exact two-sided binomial test of how often an order came right after itself."""
    pairs, share = len(history) - 1, 1 / orders
    seen = sum(before == after for before, after in pairwise(history))
    odds = [comb(pairs, count) * share**count * (1 - share) ** (pairs - count) for count in range(pairs + 1)]
    return min(1.0, sum(each for each in odds if each <= odds[seen] * (1 + 1e-9)))
