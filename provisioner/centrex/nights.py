"""Nights: a window of every day by the clock on the wall, and on which day one begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"In the order of `date.weekday`."

_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_WINDOW = re.compile(f"{_CLOCK}-{_CLOCK}")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """One of them."""

    day: date
    "On which it begins, there."
    begins: datetime
    "UTC, as is the next."
    ends: datetime

    @property
    def day_name(self) -> str:
        """As `DAYS` has it."""
        return DAYS[self.day.weekday()]


@dataclass(frozen=True, slots=True)
class NightWindow:
    """From when to when; it may pass midnight. One whose ends are alike lasts a whole day."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """`22:00-05:00`. Raises `ValueError`."""
        if _WINDOW.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not a window such as 22:00-05:00")
        start, end = text.split("-")
        return cls(time.fromisoformat(start), time.fromisoformat(end))

    def night(self, at: datetime, zone: str) -> Night | None:
        """The night that `at`, a moment in UTC, is in; None: it is day.

        What a clock skips in spring is that much later by the clock, and of an hour that there is twice in
        autumn the first one counts: so each day has exactly one night.
        """
        there = ZoneInfo(zone)
        today = at.astimezone(there).date()
        for day in (today, today - _DAY):
            last = day + _DAY if self.end <= self.start else day
            begins = datetime.combine(day, self.start, there).astimezone(UTC)
            ends = datetime.combine(last, self.end, there).astimezone(UTC)
            if ends <= begins:
                # The whole of it is in the hour that is skipped.
                ends = begins + (datetime.combine(last, self.end) - datetime.combine(day, self.start))
            if begins <= at < ends:
                return Night(day, begins, ends)
        return None
