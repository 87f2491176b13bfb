"""How a phone takes a ring, as whoever has set up the exchange is told that it counts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sip.testcall.plan import Outcome
from sip.testcall.scenario import Behaviour, Then

STATUS = {Outcome.BUSY: 486, Outcome.DECLINED: 603, Outcome.NO_ANSWER: 480, Outcome.UNREACHABLE: 480}
"What a caller is told; of those that are not here, anything."
_REFUSED = {
    **dict.fromkeys((486, 600), Outcome.BUSY),
    **dict.fromkeys((603, 607), Outcome.DECLINED),
    **dict.fromkeys((408, 480, 487), Outcome.NO_ANSWER),
    **dict.fromkeys((404, 410, 503), Outcome.UNREACHABLE),
}
"What the statuses with which phones refuse are taken for; all others are `REFUSED`."
_DEAD_S = 5.0
"After which a phone that gives no answer is given up."
_PLAINEST = (Outcome.NO_ANSWER, Outcome.DECLINED, Outcome.BUSY)
"What is said of a group: the first of these that befell a member."


class Ends(StrEnum):
    """How a phone stops ringing."""

    ANSWERED = "answered"
    ELSEWHERE = "elsewhere"
    "Somebody else has answered."
    TIME_OVER = "time-over"
    GIVEN_UP = "given-up"
    "The caller has hung up."
    REFUSED = "refused"
    "It has refused the call itself."


def taken(behaviour: Behaviour, ring_s: float) -> tuple[Ends, Outcome | None, float]:
    """How it takes one that may last so long, what comes of it, and after which time; None: it answers."""
    if behaviour.then is Then.DEAD and ring_s > _DEAD_S:
        return Ends.REFUSED, Outcome.UNREACHABLE, _DEAD_S
    if behaviour.then in (Then.SILENT, Then.DEAD) or behaviour.after_s >= ring_s:
        return Ends.TIME_OVER, Outcome.NO_ANSWER, ring_s
    if behaviour.then is Then.ANSWER:
        return Ends.ANSWERED, None, behaviour.after_s
    return Ends.REFUSED, _REFUSED.get(behaviour.status, Outcome.REFUSED), behaviour.after_s


def plainest(outcomes: Sequence[Outcome]) -> Outcome:
    """What is said of a group whose members have had these."""
    return next((each for each in _PLAINEST if each in outcomes), Outcome.UNREACHABLE)
