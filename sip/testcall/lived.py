"""What people did with a call, put in place of what a test would have had its phones do.

Nobody knows that before. But once it is known who answered, declined or let it ring, and after how long, all
else follows from what is configured, as it does for test phones: who had to ring, from when to when, and who
not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sip.testcall.observed import Answered, Observation, Rang, Refused, Registered
from sip.testcall.scenario import Behaviour, Part, Scenario, Then


@dataclass(frozen=True, slots=True)
class Lines:
    """What is so of lines when a call begins, or of some of them has turned out."""

    engaged: Collection[str] = ()
    "In as many calls as they may be."
    dead: Collection[str] = ()
    "Registered, and none of their phones has given an answer."


def lived(scenario: Scenario, seen: Sequence[Observation], lines: Lines) -> Scenario:
    """The scenario of a call in which each phone did what it was seen doing."""
    registered = {each.phone for each in seen if isinstance(each, Registered)}

    def done(part: Part) -> Part:
        if part.phone in lines.engaged:
            return _does(part, Then.ENGAGED)
        if part.phone not in registered:
            return _does(part, Then.UNREGISTERED)
        if part.phone in lines.dead:
            return _does(part, Then.DEAD)
        first, *again = [*_done(part.phone, seen)] or [Behaviour(Then.SILENT)]
        return replace(part, behaviour=first, again=tuple(again))

    return replace(scenario, members=tuple(map(done, scenario.members)))


def _does(part: Part, then: Then) -> Part:
    return replace(part, behaviour=Behaviour(then))


def _done(phone: str, seen: Sequence[Observation]) -> Iterator[Behaviour]:
    """What a phone did each time that it rang."""
    ended: Mapping[str, Answered | Refused] = {
        each.call: each for each in seen if isinstance(each, Answered | Refused) and each.phone == phone
    }
    rings = [each for each in seen if isinstance(each, Rang) and each.phone == phone]
    for rang in sorted(rings, key=lambda each: each.at):
        match ended.get(rang.call):
            case Answered(at=at):
                yield Behaviour(Then.ANSWER, at - rang.at)
            case Refused(at=at, status=status):
                yield Behaviour(Then.REFUSE, at - rang.at, status)
            case None:
                yield Behaviour(Then.SILENT)
