"""What is known of calls, from what they tell of themselves: until it is written, and as long as they live.

Without I/O. Moments are kept as what `sip.call.story` says, in loop time; a call's own beginning is what the
wall clock is asked for, so that its length is right whatever the clock does meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from db.queries.call_plans import PlanRow
from db.queries.call_records import LineOfCall
from sip.call.ringing import Ending, Target
from sip.call.story import CallAnswered, CallBegan, CallEnded, Event, LegBegan, LegEnded, LegRang

logger = logging.getLogger(__name__)

ANSWERED = "answered"
"Why a leg is none that was missed."

_MOST_LEGS = 500
"Of one call. What further ones do is in no record."


@dataclass(slots=True, eq=False)
class Leg:
    """Somebody who was tried."""

    position: int
    "Counts from 1."
    target: Target
    phones: int
    began_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    reason: str | None = None
    status: int | None = None
    line: LineOfCall | None = None
    "As it is written; None: not looked for yet, or none of ours."


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a call."""

    serial: int
    "From 1."
    event: Event
    leg: Leg | None
    "That it is about; of the end of a call, the one that had answered."


@dataclass(slots=True, eq=False)
class Side:
    """What a customer has of a call that another customer's line makes: a record of its own."""

    customer_id: int
    uuid: UUID
    "Of its record."
    legs: dict[Leg, None] = field(default_factory=dict)
    "Those of its own lines."
    row_id: int | None = None
    "None: it is not written yet."

    @property
    def answered_by(self) -> Leg | None:
        """Which of them has answered."""
        return next((leg for leg in self.legs if leg.answered_at is not None), None)


@dataclass(slots=True, eq=False)
class Call:
    """One call."""

    began: CallBegan
    began_at: datetime
    legs: dict[UUID, Leg] = field(default_factory=dict)
    number: str = ""
    "That was dialled, as lines have theirs."
    answered_at: float | None = None
    answered_by: Leg | None = None
    "None also where that is one of too many legs."
    ended: CallEnded | None = None
    line: LineOfCall | None = None
    "The caller's, as it is written."
    row_id: int | None = None
    "None: it is not written yet."
    sides: dict[int, Side] = field(default_factory=dict)
    "Of others than the caller's customer, by theirs."
    news: list[News] = field(default_factory=list)
    "That is not written."
    changed: dict[Leg, None] = field(default_factory=dict)
    "Legs that are not written as they are."
    plans: dict[int, PlanRow] = field(default_factory=dict)
    "What its number led to, by the customer whose settings that were."
    _serial: int = 0

    @property
    def is_test(self) -> bool:
        """Whether who calls is in no database."""
        return self.line is not None and self.line.line_id is None

    def plan_of(self, customer_id: int) -> str | None:
        """The digest of that customer's plan; None: nobody has noted it."""
        row = self.plans.get(customer_id)
        return None if row is None else row.digest

    def moment(self, at: float) -> datetime:
        """The moment of a loop time."""
        return self.began_at + timedelta(seconds=at - self.began.at)

    def told(self, event: Event) -> None:
        """Takes what happened to it."""
        leg = self.answered_by if isinstance(event, CallBegan | CallEnded) else self._of_leg(event)
        if isinstance(event, CallAnswered):
            self.answered_at, self.answered_by = event.at, leg
        elif isinstance(event, CallEnded):
            self.ended = event
            for each in self.legs.values():
                if each.ended_at is None:
                    each.ended_at, each.reason = event.at, each.reason or str(event.by)
                    self.changed[each] = None
        if not isinstance(event, LegBegan):
            self._serial += 1
            self.news.append(News(self._serial, event, leg))

    def _of_leg(self, event: LegBegan | LegRang | LegEnded | CallAnswered) -> Leg | None:
        if isinstance(event, LegBegan):
            if len(self.legs) == _MOST_LEGS:
                return None
            self.legs[event.leg] = Leg(len(self.legs) + 1, event.target, event.phones, event.at)
        leg = self.legs.get(event.leg)
        if leg is None:
            return None
        self.changed[leg] = None
        match event:
            case LegRang():
                leg.rang_at = event.at
            case CallAnswered():
                leg.answered_at, leg.reason = event.at, ANSWERED
            case LegEnded(reason=Ending() as ending):
                leg.ended_at, leg.reason, leg.status = event.at, str(ending.outcome), ending.status
            case LegEnded():
                leg.ended_at, leg.reason = event.at, str(event.reason)
        return leg


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a call is being written."""

    call: Call
    news: tuple[News, ...]
    legs: tuple[Leg, ...]
    has_ended: bool


class CallLog:
    """The calls that live, and those of which something is not written yet."""

    def __init__(self, most: int) -> None:
        """`most`: calls that are kept; of more there is no record."""
        self._most = most
        self._calls: dict[UUID, Call] = {}
        self._waiting: dict[Call, None] = {}
        self._taken = 0
        self._live = 0
        self.lost = 0
        "Calls of which there is no record: there were too many."

    @property
    def live(self) -> int:
        """How many calls have not ended."""
        return self._live

    @property
    def is_waiting(self) -> bool:
        """Whether there is anything to `take`."""
        return bool(self._waiting)

    @property
    def unwritten(self) -> int:
        """Of how many calls something is not written, what is just being written included."""
        return len(self._waiting) + self._taken

    @property
    def is_full(self) -> bool:
        """Whether no record would be made of another call."""
        return len(self._calls) >= self._most

    def tell(self, event: Event, began_at: datetime | None = None) -> Call | None:
        """Takes what happened, and gives the call if it is known; `began_at`: when a new one began."""
        if isinstance(event, CallBegan) and began_at is not None:
            if self.is_full:
                self.lost += 1
                return None
            self._calls[event.call] = Call(event, began_at)
            self._live += 1
        call = self._calls.get(event.call)
        if call is None or call.ended is not None:
            return None
        call.told(event)
        self._waiting[call] = None
        if isinstance(event, CallEnded):
            self._live -= 1
        return call

    def call_of(self, record: UUID) -> UUID:
        """The call that a record is about; itself, where it is no side of a call that is known."""
        for call in list(self._calls.values()):
            if any(side.uuid == record for side in list(call.sides.values())):
                return call.began.call
        return record

    def take(self, most: int) -> Iterator[Taken]:
        """What is to be written of so many calls; each is then `written`, `unwritten_again` or to `drop`."""
        for call in list(self._waiting)[:most]:
            del self._waiting[call]
            self._taken += 1
            taken = Taken(call, tuple(call.news), tuple(call.changed), call.ended is not None)
            call.news.clear()
            call.changed.clear()
            yield taken

    def written(self, taken: Taken) -> None:
        """It is written. A call that had ended then is known no longer."""
        self._taken -= 1
        if taken.has_ended:
            self._calls.pop(taken.call.began.call, None)

    def unwritten_again(self, taken: Taken) -> None:
        """It is not."""
        self._taken -= 1
        call = taken.call
        call.news[:0] = taken.news
        call.changed = {**dict.fromkeys(taken.legs), **call.changed}
        self._waiting[call] = None

    def drop(self, taken: Taken) -> None:
        """It can't be written, ever."""
        self._taken -= 1
        call = taken.call
        self._waiting.pop(call, None)
        if self._calls.pop(call.began.call, None) is not None and call.ended is None:
            self._live -= 1
        self.lost += 1
