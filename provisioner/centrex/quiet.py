"""Quiet hours: when a phone may be disturbed in a way that its user would notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from provisioner.centrex.devices import ResyncWindow


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A window of every day, by the clock on the wall where the phone is. It may pass midnight."""

    window: ResyncWindow
    zone: str
    "Of the IANA database."

    def wait_s(self, at: datetime) -> float:
        """Seconds from `at`, a moment in UTC, until the window is open; 0 while it is.

        A window whose ends are alike is always open. One that a clock skips in spring opens when it is past.
        """
        here = at.astimezone(ZoneInfo(self.zone))
        begin, end, now = _minute(self.window.start), _minute(self.window.end), here.hour * 60 + here.minute
        if (now - begin) % 1440 < ((end - begin) % 1440 or 1440):
            return 0.0
        opens = here.replace(hour=begin // 60, minute=begin % 60, second=0, microsecond=0)
        if begin <= now:
            opens += timedelta(days=1)
        # By way of UTC: a day in which clocks change has no 24 hours.
        return max(1.0, (opens.astimezone(UTC) - at).total_seconds())


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
