"""What all nodes of a tree have in common, and what they know together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from sip.call.ringing import GivenUp, Outcome, Ringing, Step, Why

MOST_TRIED = 1_000
"Phones and groups that one call tries at the most, however its groups hold each other."


class Node(Ringing, Protocol):
    """A part of a tree. Its last step is a `GivenUp`, which is for the node that holds it."""

    def obstacle(self) -> Outcome | None:
        """How it would end at once if it began now; None: it would ring, or nobody knows before."""

    def stop(self, why: Why) -> list[Step]:
        """Ends it from outside: all that rings stops. Nothing is to be asked of it after that."""


MakeNode: TypeAlias = Callable[[], Node]
"Nodes are made when their turn comes: what they do depends on what is so then."


class Tried:
    """What one call has tried so far, and who rings for it now."""

    def __init__(self, obstacle: Callable[[str], Outcome | None], most: int = MOST_TRIED) -> None:
        """`obstacle`: what keeps an AOR from being rung at this moment, if anything does."""
        self._obstacle = obstacle
        self._left = most
        self._ringing: dict[int, str] = {}
        self._last_id = 0

    def take(self) -> bool:
        """Takes one try. False: there is none left."""
        self._left -= 1
        return self._left >= 0

    def obstacle(self, aor: str) -> Outcome | None:
        """The same of one that rings for this call already: nobody is rung twice at a time."""
        return Outcome.BUSY if aor in self._ringing.values() else self._obstacle(aor)

    def begin(self, aor: str) -> int:
        """It rings from now on. Returns the id of its ringing."""
        self._last_id += 1
        self._ringing[self._last_id] = aor
        return self._last_id

    def end(self, id: int) -> None:
        """It rings no longer."""
        self._ringing.pop(id, None)


_PLAINEST = (
    Outcome.NO_ANSWER,
    Outcome.DECLINED,
    Outcome.BUSY,
    Outcome.FULL,
    Outcome.SITE_FULL,
    Outcome.MOVED,
    Outcome.REFUSED,
)
"What a caller is told of many: the first of these that befell one of them."


def plainest(outcomes: Iterable[Outcome]) -> Outcome:
    """What has become of all of them together."""
    befell = frozenset(outcomes)
    return next((each for each in _PLAINEST if each in befell), Outcome.UNREACHABLE)


def split(steps: list[Step]) -> tuple[list[Step], GivenUp | None]:
    """A node's steps without its last one, and that, if it has given up."""
    if steps and isinstance(steps[-1], GivenUp):
        return steps[:-1], steps[-1]
    return steps, None


def earliest(deadlines: Iterable[float | None]) -> float | None:
    """The first of those that there are."""
    return min((each for each in deadlines if each is not None), default=None)
