"""A time zone's rule as POSIX writes it (IEEE 1003.1 §8.3), which is also the footer of a TZif file.

`CET-1CEST,M3.5.0,M10.5.0/3` reads: one hour ahead of UTC, in summer two; summer begins on the last Sunday
of March at 2 and ends on the last Sunday of October at 3, both in the time that the clock shows until then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from phone_templates.errors import PhoneTemplatesError

HOUR_S = 3600
DAY_S = 24 * HOUR_S

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_TIME = r"[+-]?[0-9]{1,3}(?::[0-9]{2}(?::[0-9]{2})?)?"
_DATE = r"(?:M[0-9]{1,2}\.[1-5]\.[0-6]|J[0-9]{1,3}|[0-9]{1,3})"
_RULE = re.compile(
    rf"{_NAME}(?P<offset>{_TIME})"
    rf"(?:{_NAME}(?P<summer>{_TIME})?"
    rf"(?:,(?P<start>{_DATE})(?:/(?P<start_time>{_TIME}))?,(?P<end>{_DATE})(?:/(?P<end_time>{_TIME}))?)?)?"
)


class BadTimeZone(PhoneTemplatesError):
    """A rule that is no POSIX rule, or one that a phone can't follow."""

    code = "bad-time-zone"


@dataclass(frozen=True, slots=True)
class WeekDate:
    """A weekday of a month: `M3.5.0`."""

    month: int
    "1 to 12."
    week: int
    "1 to 4, and 5 for the last."
    weekday: int
    "0 is Sunday, 6 Saturday."


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of the year, counted from 1 (`J1`), or from 0 where leap days count too (`0`)."""

    day: int
    "1 to 365, 1 March always being 60; where leap days count, 1 to 366."
    counts_leap_day: bool


@dataclass(frozen=True, slots=True)
class Change:
    """When the clock is changed."""

    date: WeekDate | YearDay
    time_s: int
    "Seconds after midnight of the date, in the time shown until then; may be negative or beyond a day."


@dataclass(frozen=True, slots=True)
class Summer:
    """Daylight saving time."""

    shift_s: int
    "What is added to the offset in summer; negative where winter is the deviation (Dublin)."
    start: Change
    end: Change


@dataclass(frozen=True, slots=True)
class Rule:
    """A zone's offset and its daylight saving time."""

    offset_s: int
    "Seconds east of UTC."
    summer: Summer | None = None


def footer(tzif: bytes) -> str:
    """The POSIX rule in the footer of a TZif file of version 2 or later (RFC 9636 §3.3).

    Raises `BadTimeZone` for what has none.
    """
    if tzif[:4] != b"TZif" or tzif[4:5] < b"2" or not tzif.endswith(b"\n"):
        raise BadTimeZone("this time zone's data has no rule for the years to come")
    rule = tzif[:-1].rpartition(b"\n")[2]
    try:
        return rule.decode("ascii")
    except UnicodeDecodeError:
        raise BadTimeZone("this time zone's data has no rule for the years to come") from None


def parse(text: str) -> Rule:
    """The rule that `text` writes. Raises `BadTimeZone`.

    Daylight saving time that never ends (RFC 9636 §3.3.1) becomes an offset without one.
    """
    found = _RULE.fullmatch(text)
    if not found:
        raise BadTimeZone(f"{text[:60]!r} is not a POSIX time zone rule such as CET-1CEST,M3.5.0,M10.5.0/3")
    # POSIX counts what has to be added to local time to get UTC, so west is positive.
    offset_s = -_seconds(found["offset"])
    if found["start"] is None:
        # A name for summer without its dates would mean the United States' of 2007; no zone's data says so.
        if found.end("offset") != len(text):
            raise BadTimeZone(f"{text!r} names summer time but not when it begins and ends")
        return Rule(offset_s)
    shift_s = -_seconds(found["summer"]) - offset_s if found["summer"] else HOUR_S
    start = Change(_date(found["start"]), _seconds(found["start_time"] or "2"))
    end = Change(_date(found["end"]), _seconds(found["end_time"] or "2"))
    if _never_ends(start, end, shift_s):
        return Rule(offset_s + shift_s)
    return Rule(offset_s, Summer(shift_s, start, end))


def _never_ends(start: Change, end: Change, shift_s: int) -> bool:
    new_year = {YearDay(1, counts_leap_day=True), YearDay(1, counts_leap_day=False)}
    last_day = YearDay(365, counts_leap_day=False)
    # The end is told in summer's time; taken back to the standard one it is midnight after 31 December.
    return (
        start.date in new_year
        and start.time_s == 0
        and end.date == last_day
        and end.time_s - shift_s == DAY_S
    )


def _date(text: str) -> WeekDate | YearDay:
    if text.startswith("M"):
        month, week, weekday = (int(number) for number in text[1:].split("."))
        if not 1 <= month <= 12:
            raise BadTimeZone(f"{text!r} in a time zone rule names no month")
        return WeekDate(month, week, weekday)
    julian = text.startswith("J")
    day = int(text[1:]) if julian else int(text) + 1
    if not 1 <= day <= (365 if julian else 366):
        raise BadTimeZone(f"{text!r} in a time zone rule names no day of the year")
    return YearDay(day, counts_leap_day=not julian)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    if hours > 167 or minutes > 59 or seconds > 59:
        raise BadTimeZone(f"{text!r} in a time zone rule is no time")
    return sign * (hours * HOUR_S + minutes * 60 + seconds)
