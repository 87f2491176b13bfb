"""A node for so long and no longer: how long somebody rings."""

from __future__ import annotations

from sip.call.ringing import Ending, GivenUp, Outcome, Step, Why
from sip.call.tree.node import Node, earliest


class Limited:
    """`node`, which has not answered when `ring_s` are over."""

    def __init__(self, node: Node, ring_s: float) -> None:
        self._node = node
        self._ring_s = ring_s
        self._over_at: float | None = None

    @property
    def deadline(self) -> float | None:
        """Not later than the end."""
        return earliest((self._over_at, self._node.deadline))

    def obstacle(self) -> Outcome | None:
        """See `Node`."""
        return self._node.obstacle()

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        self._over_at = now + self._ring_s
        return self._node.start(now)

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._node.ended(id, ending, now)

    def timer(self, now: float) -> list[Step]:
        """What would go on in the node at its last moment doesn't begin any more."""
        if self._over_at is not None and now >= self._over_at:
            return [*self.stop(Why.NO_ANSWER), GivenUp(Outcome.NO_ANSWER, 480)]
        return self._node.timer(now)

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        self._over_at = None
        return self._node.stop(why)
