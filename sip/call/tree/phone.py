"""The leaves: one line that rings, and one that must not even be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sip.call.ringing import Ending, GivenUp, Outcome, Ring, Skip, Step, Stop, Target, Why
from sip.call.tree.node import Node, Tried
from sip.message.uri import Uri

_STATUS = {
    Outcome.BUSY: 486,
    Outcome.FULL: 486,
    Outcome.SITE_FULL: 486,
    Outcome.DECLINED: 603,
    Outcome.NO_ANSWER: 480,
    Outcome.UNREACHABLE: 480,
    Outcome.REFUSED: 480,
    Outcome.MOVED: 480,
}
_NOT_FOR_CALLERS = frozenset({401, 407, 408, 481, 482})
"What a phone says to us, and would mean something else to who calls."


class Phone:
    """One AOR, which rings until it ends by itself or is stopped."""

    def __init__(
        self, tried: Tried, target: Target, onward: Callable[[tuple[Uri, ...]], Node | None] | None = None
    ) -> None:
        """`onward`: whom to ring where it sends the call elsewhere (3xx); None: it has no say in that."""
        self._tried = tried
        self._target = target
        self._onward = onward
        self._id: int | None = None
        self._next: Node | None = None

    @property
    def deadline(self) -> float | None:
        """Its own is another's to keep."""
        return None if self._next is None else self._next.deadline

    def obstacle(self) -> Outcome | None:
        """A gateway has none that could be known."""
        return None if self._target.uri is not None else self._tried.obstacle(self._target.aor)

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        obstacle = self.obstacle()
        if obstacle is not None:
            return [Skip(self._target, obstacle), GivenUp(obstacle, _STATUS[obstacle])]
        self._id = self._tried.begin(self._target.aor)
        return [Ring(self._id, self._target)]

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        if self._next is not None:
            return self._next.ended(id, ending, now)
        if id != self._id:
            return []
        self._id = None
        self._tried.end(id)
        if ending.outcome is Outcome.MOVED and self._onward is not None:
            self._next = self._onward(ending.moved_to)
            if self._next is not None:
                return self._next.start(now)
        return [GivenUp(ending.outcome, _status(ending))]

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return [] if self._next is None else self._next.timer(now)

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        if self._next is not None:
            return self._next.stop(why)
        if self._id is None:
            return []
        id, self._id = self._id, None
        self._tried.end(id)
        return [Stop(id, why)]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody is rung."""

    outcome: Outcome
    status: int
    text: str = ""
    target: Target | None = None
    "Whose fault that is; None: nobody's who has a phone."

    @property
    def deadline(self) -> float | None:
        """None ever."""
        return None

    def obstacle(self) -> Outcome | None:
        """See `Node`."""
        return self.outcome

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        skipped = [] if self.target is None else [Skip(self.target, self.outcome)]
        return [*skipped, GivenUp(self.outcome, self.status, self.text)]

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """Nothing of its own can end."""
        return []

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return []

    def stop(self, why: Why) -> list[Step]:
        """See `Node`."""
        return []


def _status(ending: Ending) -> int:
    """What a caller is told: that the two can't agree (488) is for its phone, a phone's troubles are not."""
    said = ending.status
    if ending.outcome is Outcome.REFUSED and said is not None and 400 <= said < 500:
        return 480 if said in _NOT_FOR_CALLERS else said
    return _STATUS[ending.outcome]
