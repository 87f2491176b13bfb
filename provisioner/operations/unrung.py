"""Answers to why a call did not ring somewhere, before anybody has put them into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from provisioner.operations.calls import Call


class Reason(StrEnum):
    """The answer."""

    RANG = "rang"
    ANSWERED = "answered"
    NOT_REGISTERED = "not-registered"
    SILENT_PHONE = "silent-phone"
    "Its phone is registered, and said nothing to the call, or never that it rings."
    CALLS_ITSELF = "calls-itself"
    "It is the caller."
    DO_NOT_DISTURB = "do-not-disturb"
    NO_CALL_WAITING = "no-call-waiting"
    "In a call, and doesn't want a second one."
    BUSY = "busy"
    "The record doesn't say of what."
    PHONE_BUSY = "phone-busy"
    "The phone itself has said so."
    FULL = "full"
    SITE_FULL = "site-full"
    DECLINED = "declined"
    REFUSED = "refused"
    MOVED = "moved"
    TOO_LATE = "too-late"
    "It was asked, and somebody else has answered before it rang."
    GIVEN_UP_AT_ONCE = "given-up-at-once"
    CUT_OFF = "cut-off"
    "The call ended for another reason than these."
    NO_LINE = "no-line"
    CALLER_FULL = "caller-full"
    CALLER_SITE_FULL = "caller-site-full"
    CODE = "code"
    NO_SUCH_NUMBER = "no-such-number"
    NOT_LED_TO = "not-led-to"
    LOGGED_OUT = "logged-out"
    AFTER_STOP = "after-stop"
    FORWARDED_AWAY = "forwarded-away"
    FORWARDING_OFF = "forwarding-off"
    FORWARDING_NOT_DUE = "forwarding-not-due"
    NOT_ITS_TURN_ANSWERED = "not-its-turn-answered"
    NOT_ITS_TURN_GIVEN_UP = "not-its-turn-given-up"
    DELAY_ANSWERED = "delay-answered"
    DELAY_GIVEN_UP = "delay-given-up"
    OVERFLOW_ANSWERED = "overflow-answered"
    OVERFLOW_GIVEN_UP = "overflow-given-up"
    GROUP_TIME_OVER = "group-time-over"
    "Of a group in a group."
    MAY_COME = "may-come"
    "The call goes on."
    UNKNOWN = "unknown"


class Known(StrEnum):
    """What the answer rests on."""

    RECORD = "record"
    "On the call's record alone."
    THEN = "then"
    "Also on what was set when the call was made."
    TODAY = "today"
    "Also on what is set today: what was set then is not known."


@dataclass(frozen=True, slots=True)
class Answer:
    """Why it did not ring, or that it did. What is empty or None has no part in it."""

    reason: Reason
    known: Known
    of: str = ""
    "The group, or the number, whose setting it is."
    other: str = ""
    "The number that was rung instead, or that has answered."
    case: str = ""
    "Of a forwarding: `always`, `busy`, `no_answer` or `unreachable`."
    seconds: float | None = None
    status: int | None = None
    at: datetime | None = None
    "When it rang."
    led_to: tuple[str, ...] = ()
    "Extensions that the number led to."


def answerer(call: Call) -> str:
    """Who has answered, as people call it; empty: nobody."""
    answered = (leg for leg in call.legs if leg.answered_at is not None)
    return next((leg.extension or leg.line or "" for leg in answered), "")
