"""One member after another."""

from __future__ import annotations

from collections.abc import Sequence

from sip.call.ringing import Ending, Outcome, Step, Why
from sip.call.tree.members import Member, nobody, up_to_last
from sip.call.tree.node import Node, Tried, split


class InOrder:
    """Tries each member when the one before it has failed. How they are put in order is not its business.

    A member that would fail at once isn't waited for.
    """

    def __init__(self, tried: Tried, members: Sequence[Member]) -> None:
        self._tried = tried
        self._waiting = iter(up_to_last(members))
        self._outcomes: list[Outcome] = []
        self._node: Node | None = None
        "The member whose turn it is."
        self._begins_at: float | None = None
        "When that begins; None: it has begun."

    @property
    def deadline(self) -> float | None:
        """Of the member whose turn it is."""
        if self._node is None or self._begins_at is not None:
            return self._begins_at
        return self._node.deadline

    def obstacle(self) -> Outcome | None:
        """Nobody asks all its members before their turn."""
        return None

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._next(now)

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        if self._node is None or self._begins_at is not None:
            return []
        return self._onward(self._node.ended(id, ending, now), now)

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        if self._node is None:
            return []
        if self._begins_at is None:
            return self._onward(self._node.timer(now), now)
        if now < self._begins_at:
            return []
        self._begins_at = None
        return self._onward(self._node.start(now), now)

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        node, has_begun = self._node, self._begins_at is None
        self._node = self._begins_at = None
        return node.stop(why) if node is not None and has_begun else []

    def _onward(self, steps: list[Step], now: float) -> list[Step]:
        before, given_up = split(steps)
        if given_up is None:
            return steps
        self._outcomes.append(given_up.outcome)
        return [*before, *self._next(now)]

    def _next(self, now: float) -> list[Step]:
        """Goes to the first member that doesn't fail at once, without recursion: there may be many."""
        steps: list[Step] = []
        for member in self._waiting:
            if not self._tried.take():
                break
            self._node = member.make()
            if member.delay_s > 0 and self._node.obstacle() is None:
                self._begins_at = now + member.delay_s
                return steps
            begun, given_up = split(self._node.start(now))
            steps += begun
            if given_up is None:
                return steps
            self._outcomes.append(given_up.outcome)
        self._node = None
        return [*steps, nobody(self._outcomes)]
