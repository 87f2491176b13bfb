"""A test call as data: who calls whom, what each phone does, and whom the call is to ring."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sip.testcall.plan import Cause, Does, Plan, Setting


class Kind(StrEnum):
    """What a scenario proves, by what its phones do."""

    FIRST_ANSWERS = "first-answers"
    "All would answer: exactly one does."
    RACE = "race"
    "All answer at the same moment: exactly one gets the call."
    LAST_ANSWERS = "last-answers"
    "Only the one that is rung last answers: all others ring for their whole time."
    NO_ANSWER = "no-answer"
    "Nobody answers."
    BUSY = "busy"
    "The one that is rung first is busy (486)."
    DECLINED = "declined"
    "The one that is rung first turns the call down (603)."
    UNREGISTERED = "unregistered"
    "The one that would be rung first is not registered."
    CALLER_GIVES_UP = "caller-gives-up"
    "The caller hangs up while it rings."
    HIDDEN = "hidden"
    "The caller hides his number by a code."
    SHORT_NUMBER = "short-number"
    "The caller dials a short number."
    SHOWN = "shown"
    "The caller says by a code that his number may be seen."
    DND_DIALLED = "dnd-dialled"
    "Who is called has dialled that he is not to be disturbed, …"
    DND_TAKEN_BACK = "dnd-taken-back"
    "… and after it that he may be."
    FORWARD_DIALLED = "forward-dialled"
    "Who is called has forwarded all calls by a code, …"
    FORWARD_TAKEN_BACK = "forward-taken-back"
    BUSY_DIALLED = "busy-dialled"
    "… or those that find him busy, …"
    BUSY_TAKEN_BACK = "busy-taken-back"
    NO_ANSWER_DIALLED = "no-answer-dialled"
    "… that he does not answer, …"
    NO_ANSWER_TAKEN_BACK = "no-answer-taken-back"
    UNREACHABLE_DIALLED = "unreachable-dialled"
    "… or that come while his phone is off."
    UNREACHABLE_TAKEN_BACK = "unreachable-taken-back"
    LOGGED_OUT = "logged-out"
    "A member has logged out of the group by a code, …"
    LOGGED_IN = "logged-in"
    "… and in again."
    LIVE = "live"
    "People's own phones ring, and people do as they like."
    LAMP = "lamp"
    "A colleague's phone has a lamp that shows what the number does."


class Then(StrEnum):
    """What a phone does."""

    ANSWER = "answer"
    REFUSE = "refuse"
    SILENT = "silent"
    "It rings until it is told to stop."
    UNREGISTERED = "unregistered"
    "It isn't there at all."
    ENGAGED = "engaged"
    "Its line is in as many calls as it may be, or its site is: it is not rung."
    DEAD = "dead"
    "It is registered, and gives no answer: after a while it is rung no longer."


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone does when it is rung."""

    then: Then
    after_s: float = 0.0
    "How long it rings before it answers or refuses."
    status: int = 486
    "With which it refuses."


@dataclass(frozen=True, slots=True)
class Part:
    """A phone that takes part, also one that is not to ring."""

    phone: str
    "The number of its line."
    behaviour: Behaviour
    hz: int
    "The tone that it sends while it talks: no two of a scenario have the same. 0: people talk there."
    extension: str = ""
    "Under which people know it; empty: under none."
    name: str = ""
    again: tuple[Behaviour, ...] = ()
    "What it does when it is rung a second time, a third one, … in the same call; then as the last time."

    def when_rung(self, times: int) -> Behaviour:
        """What it does that was rung so often in this call before."""
        return (self.behaviour, *self.again)[min(times, len(self.again))]


@dataclass(frozen=True, slots=True)
class Dial:
    """A code that a phone dials."""

    phone: str
    code: str
    "With all that belongs to it."
    does: Does

    @property
    def cause(self) -> Cause:
        """It, to be blamed."""
        return Cause(Setting.CODE, self.code, does=self.does)


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp that shows what a number does."""

    phone: str
    "On which it is."
    number: str
    lines: frozenset[str]
    "Those that it shows: where one of them rings for that number, or talks."


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test call. All its times are already divided by `speed`."""

    kind: Kind
    dialled: str
    "What the caller's phone sends, a code in front included."
    caller: Part
    "Its behaviour says nothing."
    members: tuple[Part, ...]
    "Every other phone of which something is expected, if only that it does not ring."
    plan: Plan
    "Whom the call is to ring."
    speed: float = 1.0
    "What ring times and delays are divided by, so that it is over sooner."
    gives_up_s: float | None = None
    "After how long since dialling the caller hangs up if nobody has answered; None: it doesn't."
    talks_s: float = 1.5
    "How long they talk before the caller hangs up: enough to recognise a tone both ways."
    bystanders: tuple[Part, ...] = ()
    "Phones of the company to which nothing leads. They are there, and silent; none of them is to ring."
    lamps: tuple[Lamp, ...] = ()
    "That are looked at."
    codes: tuple[Dial, ...] = ()
    "That are dialled before the call, one after another."
    unheeded: Plan | None = None
    "Whom the call would ring if the last code did nothing; None: none was dialled."
    entry: Cause | None = None
    "What leads from what is dialled to the plan, where that is a setting; None: nothing stands between."

    @property
    def parts(self) -> tuple[Part, ...]:
        """The caller and all others."""
        return (self.caller, *self.members, *self.bystanders)
