from __future__ import annotations

from importlib.resources import files

import pytest

from phone_templates.posix_tz import BadTimeZone, Change, Rule, Summer, WeekDate, YearDay, footer, parse

TWO = 2 * 3600


def test_warsaw_is_read() -> None:
    assert parse("CET-1CEST,M3.5.0,M10.5.0/3") == Rule(
        3600, Summer(3600, Change(WeekDate(3, 5, 0), TWO), Change(WeekDate(10, 5, 0), 3 * 3600))
    )


def test_names_in_angle_brackets_may_hold_signs_and_digits() -> None:
    assert parse("<+0545>-5:45") == Rule(5 * 3600 + 45 * 60)
    assert parse("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1").offset_s == -3 * 3600


def test_dates_count_with_or_without_leap_days() -> None:
    rule = parse("AAA-3:30BBB-4:30,J80/0,263/24")
    assert rule.summer is not None
    assert rule.summer.start == Change(YearDay(80, counts_leap_day=False), 0)
    assert rule.summer.end == Change(YearDay(264, counts_leap_day=True), 24 * 3600)


def test_winter_may_be_the_deviation() -> None:
    rule = parse("IST-1GMT0,M10.5.0,M3.5.0/1")
    assert rule.offset_s == 3600
    assert rule.summer is not None
    assert rule.summer.shift_s == -3600


@pytest.mark.parametrize("text", ["XXX3EDT4,0/0,J365/23", "EST5EDT,0/0,J365/25"])
def test_summer_that_never_ends_is_an_offset(text: str) -> None:
    assert parse(text) == Rule(-4 * 3600)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CET",
        "C-1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J366",
        "CET-1CEST,366,1",
        "CET-200",
        "CET-1:60",
        "CET-1CEST,M3.5.0,M10.5.0/3\n",
        "Europe/Warsaw",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(BadTimeZone):
        parse(text)


def test_the_rule_is_the_last_line_of_a_zones_data() -> None:
    data = files("tzdata.zoneinfo").joinpath("Europe").joinpath("Warsaw").read_bytes()
    assert footer(data) == "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize("data", [b"", b"TZif", b"TZif\0\n", b"no zone\nCET-1\n", b"TZif2...\n\xff\n"])
def test_data_without_a_rule_is_refused(data: bytes) -> None:
    with pytest.raises(BadTimeZone):
        footer(data)
