"""What follows where a node has failed: forwarding, and the overflow of a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sip.call.ringing import Ending, Outcome, Step, Why
from sip.call.tree.node import Node, split


class Fallback:
    """`node`, and after it another one, by how the first has failed."""

    def __init__(self, node: Node, after: Mapping[Outcome, Callable[[], Node | None]]) -> None:
        """`after`: makes what follows; None where that would lead in a circle, and nothing does."""
        self._node = node
        self._after = after
        self._is_first = True

    @property
    def deadline(self) -> float | None:
        """Of the node whose turn it is."""
        return self._node.deadline

    def obstacle(self) -> Outcome | None:
        """Of what follows nobody knows before."""
        obstacle = self._node.obstacle()
        return None if self._is_first and obstacle in self._after else obstacle

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._onward(self._node.start(now), now)

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._onward(self._node.ended(id, ending, now), now)

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._onward(self._node.timer(now), now)

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        return self._node.stop(why)

    def _onward(self, steps: list[Step], now: float) -> list[Step]:
        before, given_up = split(steps)
        if given_up is None or not self._is_first:
            return steps
        self._is_first = False
        make = self._after.get(given_up.outcome)
        node = None if make is None else make()
        if node is None:
            return steps
        self._node = node
        return [*before, *node.start(now)]
