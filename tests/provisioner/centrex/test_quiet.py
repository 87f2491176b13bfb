"""When phones may be disturbed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.centrex.devices import ResyncWindow
from provisioner.centrex.quiet import QuietHours

WARSAW = "Europe/Warsaw"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "now", "wait_s"),
    [
        ("02:00", "05:00", "2026-01-15 01:00", 0),  # 02:00 in Warsaw
        ("02:00", "05:00", "2026-01-15 03:59", 0),
        ("02:00", "05:00", "2026-01-15 04:00", 21 * 3600),
        ("02:00", "05:00", "2026-01-15 00:30", 1800),
        ("22:00", "04:00", "2026-01-15 23:30", 0),
        ("22:00", "04:00", "2026-01-15 20:59", 60),
        ("03:00", "03:00", "2026-01-15 12:00", 0),
        # Clocks go forward on 29 March 2026, and back on 25 October.
        ("04:00", "05:00", "2026-03-28 23:00", 3 * 3600),
        ("04:00", "05:00", "2026-10-24 22:00", 5 * 3600),
    ],
)
def test_a_window_is_open_by_the_clock_on_the_wall(start: str, end: str, now: str, wait_s: int):
    assert QuietHours(ResyncWindow(start, end), WARSAW).wait_s(at(now)) == wait_s


CLOCK = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


@given(CLOCK, CLOCK, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_whoever_waits_as_long_as_told_finds_it_open_within_a_day(start: str, end: str, now: datetime):
    hours = QuietHours(ResyncWindow(start, end), WARSAW)
    moment = now.replace(tzinfo=UTC)
    for _ in range(3):
        wait_s = hours.wait_s(moment)
        assert 0 <= wait_s <= 25 * 3600
        if not wait_s:
            return
        moment += timedelta(seconds=wait_s)
    raise AssertionError("it never opens")
