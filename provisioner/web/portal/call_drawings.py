"""Drawings of calls: who rang, from when to when, and why each did or did not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provisioner.operations.calls import Call, Leg, LegEnd
from provisioner.web.portal.words import Words
from sip.call.story import EndedBy

WIDTH = 120
"Units of a bar: as long as the caller waited."
_LEAST = 2.0
"What was shorter is still seen."
_NOBODY = frozenset({None, 408, 480, 487})
"What says no more than that nobody answered."


@dataclass(frozen=True, slots=True)
class Bar:
    """A line that was tried, drawn along the time that the caller waited."""

    who: str
    groups: str
    "By which it was rung; empty: by none."
    x: str
    width: str
    rang: bool
    was: str
    "What became of it, as a class."
    text: str
    "The same in words."


def bars(call: Call, now: datetime, words: Words) -> tuple[Bar, ...]:
    """Of each line that was tried, in that order."""
    end = call.answered_at or call.ended_at or now
    whole_s = max(1.0, (end - call.started_at).total_seconds())
    return tuple(_bar(leg, call.started_at, end, whole_s, words) for leg in call.legs)


def state_of(call: Call, words: Words) -> tuple[str, str]:
    """`ringing`, `talking`, `answered` or `unanswered`, and how it is, or how it ended, in words."""
    if call.is_live:
        was = "talking" if call.answered_at is not None else "ringing"
    else:
        is_done = call.answered_at is not None or call.end == EndedBy.SERVICE
        was = "answered" if is_done else "unanswered"
    return was, words.named("call", was) if call.end is None else words.named("end", call.end) or call.end


def told(call: Call, words: Words) -> str:
    """What the caller was told, where that says more than that nobody answered; empty: nothing."""
    if call.is_live or call.answered_at is not None or call.status in _NOBODY:
        return ""
    return words.named("status", str(call.status)) or f"SIP {call.status}"


def talked(call: Call, now: datetime) -> str | None:
    """For how long they have talked; None: nobody has answered."""
    return None if call.answered_at is None else _length(call.answered_at, call.ended_at or now)


def _length(start: datetime, end: datetime) -> str:
    """Minutes and seconds."""
    seconds = max(0, int((end - start).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}"


def _bar(leg: Leg, start: datetime, end: datetime, whole_s: float, words: Words) -> Bar:
    began = leg.rang_at or leg.began_at or start
    until = min(leg.answered_at or leg.ended_at or end, end)
    width = max(_LEAST, (until - began).total_seconds() / whole_s * WIDTH)
    x = min(max(0.0, (began - start).total_seconds() / whole_s * WIDTH), WIDTH - _LEAST)
    return Bar(
        who=" ".join(filter(None, (leg.extension or leg.line, leg.name))),
        groups=" › ".join(leg.groups),
        x=f"{x:.1f}",
        width=f"{min(width, WIDTH - x):.1f}",
        rang=leg.rang_at is not None,
        was=leg.reason or "ringing",
        text=_in_words(leg, until, words),
    )


def _in_words(leg: Leg, until: datetime, words: Words) -> str:
    if leg.rang_at is None:
        return _became(leg, words)
    lasted = _length(leg.rang_at, until)
    if leg.reason is None:
        return f"{words.leg_ringing} {lasted}"
    return f"{words.rang.format(length=lasted)}, {_became(leg, words)}"


def _became(leg: Leg, words: Words) -> str:
    if leg.reason is None:
        return words.leg_tried
    if leg.reason == LegEnd.UNREACHABLE and not leg.phones:
        return words.leg_not_registered
    return words.named("leg", leg.reason) or words.named("end", leg.reason) or leg.reason
