"""What the phones have seen, put in order: who rang from when to when, who answered, who heard whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sip.testcall.observed import (
    Answered,
    Broke,
    Dialled,
    Ended,
    GaveUp,
    Heard,
    Lit,
    Observation,
    Progressed,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
    Watches,
)


@dataclass(slots=True, eq=False)
class SeenRing:
    """One phone, from when it rang until it didn't."""

    rang: Rang
    stopped: StoppedRinging | None = None
    refused: Refused | None = None
    answered: Answered | None = None
    heard: list[Heard] = field(default_factory=list)
    ended: Ended | None = None

    @property
    def phone(self) -> str:
        """Whose."""
        return self.rang.phone

    @property
    def ended_at(self) -> float | None:
        """When it rang no longer; None: nobody has seen that."""
        over = self.stopped or self.refused or self.answered
        return None if over is None else over.at


@dataclass(slots=True)
class SeenCaller:
    """What the caller has seen."""

    dialled: Dialled | None = None
    progressed: Progressed | None = None
    "The first time."
    answered: Answered | None = None
    heard: list[Heard] = field(default_factory=list)
    turned_down: TurnedDown | None = None
    gave_up: GaveUp | None = None
    ended: Ended | None = None


@dataclass(slots=True)
class SeenCode:
    """A code that a phone has dialled."""

    dialled: Dialled
    is_taken: bool = False
    "It was answered."
    status: int | None = None
    "With which it was refused."


@dataclass(slots=True)
class Seen:
    """All of one call."""

    caller: SeenCaller = field(default_factory=SeenCaller)
    rings: list[SeenRing] = field(default_factory=list)
    "By when they began."
    registered: set[str] = field(default_factory=set)
    broke: list[Broke] = field(default_factory=list)
    watches: list[Watches] = field(default_factory=list)
    lit: list[Lit] = field(default_factory=list)
    codes: list[SeenCode] = field(default_factory=list)


def seen(caller: str, observations: Sequence[Observation]) -> Seen:
    """What there is to be seen in them; `caller` is the caller's phone."""
    found = Seen()
    calls: dict[tuple[str, str], SeenRing] = {}
    for each in sorted(observations, key=lambda observation: observation.at):
        match each:
            case Registered():
                found.registered.add(each.phone)
            case Broke():
                found.broke.append(each)
            case Watches():
                found.watches.append(each)
            case Lit():
                found.lit.append(each)
            case Rang():
                ring = calls[each.phone, each.call] = SeenRing(each)
                found.rings.append(ring)
            case _ if each.phone == caller:
                _note_caller(found.caller, each)
            case Dialled():
                found.codes.append(SeenCode(each))
            case TurnedDown() | Answered() if (each.phone, getattr(each, "call", "")) not in calls:
                _note_code(found.codes, each)
            case StoppedRinging() | Refused() | Answered() | Heard() | Ended():
                known = calls.get((each.phone, each.call))
                if known is not None:
                    _note_ring(known, each)
            case _:
                pass
    return found


def _note_code(codes: list[SeenCode], each: TurnedDown | Answered) -> None:
    """What became of the last code of a phone."""
    code = next((code for code in reversed(codes) if code.dialled.phone == each.phone), None)
    if code is not None and isinstance(each, TurnedDown):
        code.status = each.status
    elif code is not None:
        code.is_taken = True


def _note_caller(caller: SeenCaller, each: Observation) -> None:
    match each:
        case Dialled():
            caller.dialled = each
        case Progressed():
            caller.progressed = caller.progressed or each
        case Answered():
            caller.answered = each
        case Heard():
            caller.heard.append(each)
        case TurnedDown():
            caller.turned_down = each
        case GaveUp():
            caller.gave_up = each
        case Ended():
            caller.ended = each
        case _:
            pass


def _note_ring(ring: SeenRing, each: StoppedRinging | Refused | Answered | Heard | Ended) -> None:
    match each:
        case StoppedRinging():
            ring.stopped = each
        case Refused():
            ring.refused = each
        case Answered():
            ring.answered = each
        case Heard():
            ring.heard.append(each)
        case Ended():
            ring.ended = each
