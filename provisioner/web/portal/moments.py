"""Moments as people in their time zone read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from provisioner.web.portal.words import Words

USUAL_ZONE: Final = "Europe/Warsaw"
"Of staff that has not said another."


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on a page."""

    text: str
    iso: str
    "For browsers."
    full: str
    "To the second, with the zone."


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads."""

    words: Words
    zone: ZoneInfo
    now: datetime

    def moment(self, at: datetime | None) -> Moment | None:
        """The time of day, with the day where it is not today's."""
        if at is None:
            return None
        local = at.astimezone(self.zone)
        is_today = local.date() == self.now.astimezone(self.zone).date()
        text = f"{local:%H:%M:%S}" if is_today else f"{local.strftime(self.words.day)} {local:%H:%M}"
        return Moment(text, local.isoformat(timespec="seconds"), f"{local:%Y-%m-%d %H:%M:%S %Z}")

    def minute(self, at: datetime) -> str:
        """The time of day alone."""
        return f"{at.astimezone(self.zone):%H:%M}"


def reader(words: Words, zone: str | None, now: datetime) -> Reader:
    """Who reads in the zone of that name, or in the usual one."""
    try:
        return Reader(words, ZoneInfo(zone or USUAL_ZONE), now)
    except (ZoneInfoNotFoundError, ValueError):
        return Reader(words, ZoneInfo(USUAL_ZONE), now)
