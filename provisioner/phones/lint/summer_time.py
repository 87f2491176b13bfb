"""Whether a phone's words for daylight saving time mean the very moments that the zone's rule means."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from phone_templates.posix_tz import Change, WeekDate, parse
from phone_templates.yealink.clock import DateType, SummerTime, local_time

_YEARS = range(2025, 2053)
"Twenty-eight years in a row hold every pair of a weekday of 1 January and a leap day."


def is_exact(rule_text: str) -> bool:
    """Whether a phone changes its clock when the POSIX rule does, every year. Raises `BadTimeZone`."""
    rule, told = parse(rule_text), local_time(rule_text).summer
    if rule.summer is None or told is None:
        return rule.summer is None and told is None
    # Both ends are told in the time shown until then, so where summer is the deviation makes no difference.
    return all(
        {_moment(rule.summer.start, year), _moment(rule.summer.end, year)}
        == {_as_phone(told, told.start, year), _as_phone(told, told.end, year)}
        for year in _YEARS
    )


def _moment(change: Change, year: int) -> datetime:
    """When the rule changes the clock, in the time shown until then."""
    day = change.date
    if isinstance(day, WeekDate):
        start = _weekday(year, day.month, day.week, day.weekday)
    else:
        # `Jn` passes over 29 February, as if every year had 365 days.
        skipped = not day.counts_leap_day and calendar.isleap(year) and day.day >= 60
        start = datetime(year, 1, 1) + timedelta(day.day - 1 + skipped)
    return start + timedelta(seconds=change.time_s)


def _as_phone(told: SummerTime, words: str, year: int) -> datetime:
    """When a phone that is told `words` changes its clock."""
    numbers = [int(number) for number in words.split("/")]
    if told.date_type is DateType.BY_WEEK:
        month, week, weekday, hour = numbers
        return _weekday(year, month, week, weekday % 7) + timedelta(hours=hour)
    month, day, hour = numbers
    return datetime(year, month, day) + timedelta(hours=hour)


def _weekday(year: int, month: int, week: int, weekday: int) -> datetime:
    """The nth such weekday of a month (0 is Sunday); the fifth is the last."""
    first = datetime(year, month, 1)
    day = 1 + (weekday - first.isoweekday()) % 7 + 7 * (week - 1)
    return first.replace(day=day if day <= calendar.monthrange(year, month)[1] else day - 7)
