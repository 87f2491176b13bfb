"""A time zone as Yealink's `local_time.*` parameters tell it."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from phone_templates.posix_tz import DAY_S, HOUR_S, BadTimeZone, Rule, Summer, WeekDate, YearDay, parse

_YEARS = range(2025, 2053)
"Twenty-eight years in a row hold every pair of a weekday of 1 January and a leap day."


class DateType(StrEnum):
    """How `start_time` and `end_time` are to be read (`local_time.dst_time_type`)."""

    BY_DATE = "0"
    "month/day/hour"
    BY_WEEK = "1"
    "month/week/weekday/hour: week 5 is the last, weekday 1 is Monday, 7 Sunday."


@dataclass(frozen=True, slots=True)
class SummerTime:
    """Daylight saving time in the phone's words."""

    date_type: DateType
    start: str
    "In standard time."
    end: str
    "In summer time."
    offset_min: int
    "What is added in summer, in minutes."


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A zone in the phone's words."""

    time_zone: str
    "`+1`, `-3:30`, `0`."
    summer: SummerTime | None


def local_time(rule_text: str) -> LocalTime:
    """What a phone is told so that it follows the POSIX rule.

    A phone can say neither a day that is counted from a weekday (Gaza: two days after the fourth Thursday)
    nor a leap day before 1 March; then it gets the date that is right in the most years. Raises
    `BadTimeZone` for rules that it can't follow even so: odd seconds, one end by week and one by date.
    """
    rule = _positive(parse(rule_text))
    if rule.summer is None:
        return LocalTime(_offset(rule.offset_s), None)
    start, end = rule.summer.start, rule.summer.end
    if isinstance(start.date, WeekDate) and isinstance(end.date, WeekDate):
        summer = SummerTime(
            DateType.BY_WEEK,
            _by_week(start.date, start.time_s),
            _by_week(end.date, end.time_s),
            _minutes(rule.summer.shift_s),
        )
    elif isinstance(start.date, YearDay) and isinstance(end.date, YearDay):
        summer = SummerTime(
            DateType.BY_DATE,
            _by_date(start.date, start.time_s),
            _by_date(end.date, end.time_s),
            _minutes(rule.summer.shift_s),
        )
    else:
        raise BadTimeZone(f"{rule_text!r} mixes weekdays and dates, which a phone can't follow")
    return LocalTime(_offset(rule.offset_s), summer)


def _positive(rule: Rule) -> Rule:
    """The same clock with summer ahead of the standard time.

    Where winter is the deviation (Dublin), each change is told in the time shown until then, so the two only
    change places.
    """
    if rule.summer is None or rule.summer.shift_s > 0:
        return rule
    old = rule.summer
    return Rule(rule.offset_s + old.shift_s, Summer(shift_s=-old.shift_s, start=old.end, end=old.start))


def _by_week(day: WeekDate, time_s: int) -> str:
    days, hour = _hour(time_s)
    nearest = _nearest_week(day, days) if days else day
    # POSIX: 0 is Sunday. Yealink: 7 is.
    return f"{nearest.month}/{nearest.week}/{nearest.weekday or 7}/{hour}"


def _nearest_week(day: WeekDate, days: int) -> WeekDate:
    """The weekday of a month that falls `days` after `day` in the most years; the earliest of equals."""
    meant = [_day_of(day, year) + timedelta(days) for year in _YEARS]
    weekday = (day.weekday + days) % 7
    candidates = [
        WeekDate(month, week, weekday)
        for month in sorted({found.month for found in meant})
        for week in range(1, 6)
    ]
    return max(
        candidates,
        key=lambda candidate: sum(
            _day_of(candidate, year) == found for year, found in zip(_YEARS, meant, strict=True)
        ),
    )


def _day_of(day: WeekDate, year: int) -> date:
    first = date(year, day.month, 1)
    in_month = calendar.monthrange(year, day.month)[1]
    number = 1 + (day.weekday - first.isoweekday()) % 7 + 7 * (day.week - 1)
    return date(year, day.month, number if number <= in_month else number - 7)


def _by_date(day: YearDay, time_s: int) -> str:
    days, hour = _hour(time_s)
    # 2025 has no leap day: three years in four are like it, and for `Jn` all of them.
    found = date(2025, 1, 1) + timedelta((day.day - 1 + days) % 365)
    return f"{found.month}/{found.day}/{hour}"


def _hour(time_s: int) -> tuple[int, int]:
    """Days to add and the hour of that day; half hours are rounded down, for a phone knows none."""
    days, rest = divmod(time_s, DAY_S)
    return days, rest // HOUR_S


def _offset(offset_s: int) -> str:
    minutes = _minutes(offset_s)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+" if minutes else ""
    return f"{sign}{hours}:{rest:02}" if rest else f"{sign}{hours}"


def _minutes(seconds: int) -> int:
    minutes, rest = divmod(seconds, 60)
    if rest:
        raise BadTimeZone("a phone can't be told a time zone with odd seconds")
    return minutes
