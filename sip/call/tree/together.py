"""Members at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sip.call.ringing import Ending, Outcome, Step, Why
from sip.call.tree.members import Member, nobody, up_to_last
from sip.call.tree.node import Node, Tried, earliest, split


class Together:
    """Rings each member after its own delay, counted from the beginning, and for its own time."""

    def __init__(self, tried: Tried, members: Sequence[Member]) -> None:
        self._tried = tried
        self._waiting = deque(sorted(up_to_last(members), key=lambda member: member.delay_s))
        self._began_at = 0.0
        self._nodes: list[Node] = []
        "Those that have begun, and not failed yet."
        self._outcomes: list[Outcome] = []

    @property
    def deadline(self) -> float | None:
        """The first of all members'."""
        begins_at = self._began_at + self._waiting[0].delay_s if self._waiting else None
        return earliest((begins_at, *(node.deadline for node in self._nodes)))

    def obstacle(self) -> Outcome | None:
        """Nobody asks all its members before their turn."""
        return None

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        self._began_at = now
        return self._begun(now)

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        steps: list[Step] = []
        for node in list(self._nodes):
            steps += self._of(node, node.ended(id, ending, now))
        return self._or_nobody(steps)

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        steps: list[Step] = []
        for node in list(self._nodes):
            if node.deadline is not None and node.deadline <= now:
                steps += self._of(node, node.timer(now))
        return [*steps, *self._begun(now)]

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        nodes, self._nodes = self._nodes, []
        self._waiting.clear()
        return [step for node in nodes for step in node.stop(why)]

    def _begun(self, now: float) -> list[Step]:
        """Begins with those whose time has come."""
        steps: list[Step] = []
        while self._waiting and self._began_at + self._waiting[0].delay_s <= now:
            if not self._tried.take():
                self._waiting.clear()
                break
            node = self._waiting.popleft().make()
            self._nodes.append(node)
            steps += self._of(node, node.start(now))
        return self._or_nobody(steps)

    def _of(self, node: Node, steps: list[Step]) -> list[Step]:
        before, given_up = split(steps)
        if given_up is not None:
            self._nodes.remove(node)
            self._outcomes.append(given_up.outcome)
        return before

    def _or_nobody(self, steps: list[Step]) -> list[Step]:
        return steps if self._nodes or self._waiting else [*steps, nobody(self._outcomes)]
