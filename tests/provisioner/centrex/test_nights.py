"""Which night a moment is in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from provisioner.centrex.nights import NightWindow

WARSAW = "Europe/Warsaw"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-09 20:59", None),
        ("2026-01-09 21:00", date(2026, 1, 9)),
        ("2026-01-10 03:59", date(2026, 1, 9)),
        ("2026-01-10 04:00", None),
    ],
)
def test_a_night_that_passes_midnight_is_of_the_day_on_which_it_began(moment: str, day: date | None):
    night = NightWindow.parse("22:00-05:00").night(at(moment), WARSAW)
    assert (None if night is None else night.day) == day


def test_a_window_whose_ends_are_alike_lasts_a_day():
    night = NightWindow.parse("12:00-12:00").night(at("2026-01-09 10:59"), WARSAW)
    assert night is not None
    assert (night.day_name, night.ends - night.begins) == ("thursday", timedelta(days=1))


@pytest.mark.parametrize(
    ("window", "day"),
    [
        # Clocks go from 2:00 to 3:00, and half a year later from 3:00 back to 2:00.
        *((window, "2026-03-29") for window in ("02:10-02:50", "02:30-03:10", "01:00-05:00", "23:00-02:30")),
        *((window, "2026-10-25") for window in ("02:10-02:50", "01:30-02:30", "02:30-03:10", "23:00-02:30")),
    ],
)
def test_each_day_has_one_night_also_when_clocks_change(window: str, day: str):
    parsed, begun = NightWindow.parse(window), at(f"{day} 00:00") - timedelta(days=2)
    minutes = (begun + timedelta(minutes=minute) for minute in range(4 * 24 * 60))
    nights = [night for minute in minutes if (night := parsed.night(minute, WARSAW)) is not None]
    different = dict.fromkeys(nights)
    assert len({night.day for night in different}) == len(different)
    # In one piece, each: it is not left and come back to.
    assert nights == sorted(nights, key=lambda night: night.begins)
    assert at(f"{day} 12:00").date() in {night.ends.date() for night in different}


@pytest.mark.parametrize("text", ["", "22:00", "22-05", "24:00-05:00", "22:60-05:00", "2:00-05:00"])
def test_what_is_no_window_is_refused(text: str):
    with pytest.raises(ValueError, match="not a window such as 22:00-05:00"):
        NightWindow.parse(text)
