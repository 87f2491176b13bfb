"""What calls say of lines and groups while they go on: who is engaged, and who answered for a group last."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Set
from uuid import UUID

from provisioner.centrex.exchange import Exchange
from sip.call.ringing import Target
from sip.call.story import CallAnswered, CallBegan, CallEnded, Event, LegBegan, LegEnded

_MOST_ANSWERED = 200_000
"""Members of groups of which it is remembered. Whoever is forgotten counts as what the database said of him
when his company was read."""


class Engaged:
    """Hears every event of every call."""

    def __init__(self, counts: Callable[[str], bool] = lambda _: True) -> None:
        """`counts`: whether the calls that a line makes have a say in who has answered last."""
        self._counts = counts
        self._calls: dict[str, Counter[UUID]] = {}
        "Of each line, the calls that it is in, and how often."
        self._callers: dict[UUID, str] = {}
        self._rung: dict[UUID, Target] = {}
        "By leg, those that nobody has answered yet."
        self._callees: dict[UUID, str] = {}
        self._answered: OrderedDict[tuple[str, str], float] = OrderedDict()

    def calls(self, line: str) -> Set[UUID]:
        """The calls that a line is in, those that ring at its phones among them."""
        return self._calls.get(line, {}).keys()

    def calls_of(self, line: str, beside: Collection[UUID] = ()) -> int:
        """In how many that is, `beside` some."""
        return sum(call not in beside for call in self.calls(line))

    def calls_among(self, lines: Set[str], beside: Collection[UUID] = ()) -> int:
        """In how many calls these lines are together, `beside` some. A call among them is one."""
        engaged = self._calls.keys() & lines
        return len(set[UUID]().union(*(self._calls[line].keys() for line in engaged)).difference(beside))

    def last_answered(self, group: str, line: str) -> float | None:
        """When a line answered a call of a group of its company last, in loop time; None: not lately."""
        return self._answered.get((group, line))

    def used(self, exchange: Exchange) -> dict[tuple[str, str], int]:
        """`Exchange.used` as it is now, with what was seen since that was read."""
        members = {
            (group.number, extension.line)
            for group in exchange.groups.values()
            for member in group.members
            if (extension := exchange.extensions.get(member.extension or "")) is not None
            and extension.line is not None
        }
        used: dict[tuple[str, str], tuple[float, int]] = {}
        for key in exchange.used.keys() | members:
            seen = self.last_answered(*key)
            if seen is not None or key in exchange.used:
                used[key] = (seen or 0.0, exchange.used.get(key, 0))
        return {key: place for place, key in enumerate(sorted(used, key=used.__getitem__), start=1)}

    def hear(self, event: Event) -> None:
        """One thing that happened."""
        match event:
            case CallBegan():
                self._callers[event.call] = event.aor
                self._join(event.aor, event.call)
            case LegBegan():
                self._rung[event.leg] = event.target
                self._join(event.target.aor, event.call)
            case LegEnded():
                target = self._rung.pop(event.leg, None)
                self._leave(None if target is None else target.aor, event.call)
            case CallAnswered():
                target = self._rung.pop(event.leg, None)
                if target is not None:
                    self._callees[event.call] = target.aor
                    if self._counts(self._callers.get(event.call, "")):
                        self._note(target, event.at)
            case CallEnded():
                for lines in (self._callers, self._callees):
                    self._leave(lines.pop(event.call, None), event.call)

    def _note(self, target: Target, at: float) -> None:
        for membership in target.memberships:
            key = (membership.group, target.aor)
            self._answered[key] = at
            self._answered.move_to_end(key)
        while len(self._answered) > _MOST_ANSWERED:
            self._answered.popitem(last=False)

    def _join(self, line: str, call: UUID) -> None:
        self._calls.setdefault(line, Counter())[call] += 1

    def _leave(self, line: str | None, call: UUID) -> None:
        calls = None if line is None else self._calls.get(line)
        if line is None or calls is None:
            return
        calls[call] -= 1
        if calls[call] <= 0:
            del calls[call]
        if not calls:
            del self._calls[line]
