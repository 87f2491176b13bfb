"""A tree of ringing machines with phones around it, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sip.call.ringing import Caller, Ending, GivenUp, Outcome, Ring, Ringing, Skip, Step, Stop, Target
from sip.call.tree.members import Member
from sip.call.tree.node import MakeNode, Node, Tried
from sip.call.tree.phone import Phone

CALLER = Caller("100", "Dzwoniący")
FOREVER_S = 1e6


@dataclass
class Script:
    """What each phone does when it rings: `after_s` it ends so, or is answered."""

    after_s: float
    ending: Ending | None
    "None: somebody answers."


@dataclass
class Played:
    """What became of one call."""

    steps: list[tuple[float, Step]] = field(default_factory=list)
    answered: str | None = None
    refused: GivenUp | None = None
    ended_at: float = 0.0

    @property
    def rang(self) -> list[str]:
        """Who rang, in order."""
        return [step.target.aor for _, step in self.steps if isinstance(step, Ring)]

    @property
    def times(self) -> list[tuple[float, str]]:
        """When who rang."""
        return [(at, step.target.aor) for at, step in self.steps if isinstance(step, Ring)]

    @property
    def skipped(self) -> list[tuple[str, Outcome]]:
        """Who didn't ring, and why."""
        return [(step.target.aor, step.outcome) for _, step in self.steps if isinstance(step, Skip)]


def play(ringing: Ringing, scripts: Mapping[str, Script] | None = None, now: float = 0.0) -> Played:
    """Plays one call to its end. Phones without a script ring until they are stopped.

    What no engine could bear fails here: a phone rung twice at a time, a step after the last one, a deadline
    that passes without anything coming of it, a call without an end.
    """
    scripts = scripts or {}
    played = Played()
    ringing_now: dict[int, tuple[str, float | None]] = {}
    seen: set[int] = set()
    todo = ringing.start(now)
    idle = 0
    while True:
        for step in todo:
            assert played.refused is None, "a step after the last one"
            played.steps.append((now, step))
            match step:
                case Ring(id, target):
                    assert id not in seen, "an id twice"
                    assert target.aor not in [aor for aor, _ in ringing_now.values()], "rung twice at a time"
                    seen.add(id)
                    script = scripts.get(target.aor)
                    ringing_now[id] = (target.aor, None if script is None else now + script.after_s)
                case Stop(id, _):
                    assert id in ringing_now, "stopped without ringing"
                    del ringing_now[id]
                case GivenUp():
                    played.refused = step
        if played.refused is not None:
            assert not ringing_now, "given up while somebody rings"
            played.ended_at = now
            return played
        ends = [(at, id) for id, (_, at) in ringing_now.items() if at is not None]
        first = min(ends, default=None)
        deadline = ringing.deadline
        assert first is not None or deadline is not None, "nothing would ever happen"
        if first is not None and (deadline is None or first[0] < deadline):
            now, id = first
            aor, _ = ringing_now.pop(id)
            ending = scripts[aor].ending
            if ending is None:
                played.answered, played.ended_at = aor, now
                return played
            todo = ringing.ended(id, ending, now)
        else:
            assert deadline is not None
            assert deadline < now + FOREVER_S
            idle = idle + 1 if deadline <= now else 0
            assert idle < 100, "woken for nothing"
            now = max(now, deadline)
            todo = ringing.timer(now)


def free(_: str) -> Outcome | None:
    """Nothing is in the way of anybody."""
    return None


def phone(tried: Tried, aor: str) -> Phone:
    return Phone(tried, Target(aor, CALLER, number=aor))


def made(node: Node) -> MakeNode:
    return lambda: node


def member(make: Callable[[], Node], delay_s: float = 0, *, is_last: bool = False) -> Member:
    return Member(make, delay_s, is_last)


ANSWERS = Script(3, None)
BUSY = Script(0.1, Ending(Outcome.BUSY, 486))
DECLINES = Script(2, Ending(Outcome.DECLINED, 603))
