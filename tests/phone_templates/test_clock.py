from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from phone_templates.posix_tz import BadTimeZone, footer
from phone_templates.yealink.clock import DateType, LocalTime, SummerTime, local_time


def test_poland_is_told_as_the_vendor_tells_it() -> None:
    summer = SummerTime(DateType.BY_WEEK, "3/5/7/2", "10/5/7/3", 60)
    assert local_time("CET-1CEST,M3.5.0,M10.5.0/3") == LocalTime("+1", summer)


@pytest.mark.parametrize(
    ("rule", "zone"),
    [("UTC0", "0"), ("IST-5:30", "+5:30"), ("<-0930>9:30", "-9:30"), ("<+0545>-5:45", "+5:45"), ("X2:X", "")],
)
def test_zones_without_summer_have_an_offset_only(rule: str, zone: str) -> None:
    if not zone:
        with pytest.raises(BadTimeZone):
            local_time(rule)
        return
    assert local_time(rule) == LocalTime(zone, None)


def test_dublins_negative_winter_becomes_a_positive_summer() -> None:
    summer = SummerTime(DateType.BY_WEEK, "3/5/7/1", "10/5/7/2", 60)
    assert local_time("IST-1GMT0,M10.5.0,M3.5.0/1") == LocalTime("0", summer)


def test_half_an_hour_of_summer_is_thirty_minutes() -> None:
    found = local_time("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")
    assert found == LocalTime("+10:30", SummerTime(DateType.BY_WEEK, "10/1/7/2", "4/1/7/2", 30))


def test_times_before_midnight_belong_to_the_day_before() -> None:
    # The Saturday before the last Sunday is the last Saturday, but for a month that ends on one.
    found = local_time("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")
    assert found.summer is not None
    assert (found.summer.start, found.summer.end) == ("3/5/6/23", "10/5/7/0")


def test_times_beyond_a_day_belong_to_the_days_after() -> None:
    # Israel: the Friday after the fourth Thursday; Gaza: the Saturday after it.
    israel = local_time("IST-2IDT,M3.4.4/26,M10.5.0").summer
    gaza = local_time("EET-2EEST,M3.4.4/50,M10.4.4/50").summer
    assert israel is not None
    assert gaza is not None
    assert israel.start == "3/4/5/2"
    assert gaza.start == "3/5/6/2"


def test_days_of_the_year_are_told_as_dates() -> None:
    found = local_time("<+0330>-3:30<+0430>,J80/0,J263/24")
    assert found == LocalTime("+3:30", SummerTime(DateType.BY_DATE, "3/21/0", "9/21/0", 60))


def test_one_end_by_week_and_one_by_date_is_refused() -> None:
    with pytest.raises(BadTimeZone, match="mixes"):
        local_time("CET-1CEST,M3.5.0,J300")


def test_odd_seconds_are_refused() -> None:
    with pytest.raises(BadTimeZone, match="seconds"):
        local_time("LMT-1:24:01")


@cache
def zone_names() -> list[str]:
    return files("tzdata").joinpath("zones").read_text("utf-8").split()


def rule_of(name: str) -> str:
    path = files("tzdata.zoneinfo")
    for part in name.split("/"):
        path = path.joinpath(part)
    return footer(path.read_bytes())


def test_every_zone_of_the_database_can_be_told() -> None:
    assert len(zone_names()) > 400
    for name in zone_names():
        assert local_time(rule_of(name)).time_zone


@pytest.mark.parametrize(
    "name", ["Europe/Warsaw", "Europe/Dublin", "America/New_York", "Australia/Sydney", "America/St_Johns"]
)
def test_a_phone_changes_its_clock_when_the_zone_does(name: str) -> None:
    """Against zoneinfo itself: at every hour of five years the phone shows what the zone shows."""
    told = local_time(rule_of(name))
    zone = ZoneInfo(name)
    moment, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
    while moment < end:
        assert phone_shows(told, moment) == moment.astimezone(zone).replace(tzinfo=None), moment
        moment += timedelta(hours=1)


def phone_shows(told: LocalTime, moment: datetime) -> datetime:
    """What a phone shows that follows the vendor's words to the letter."""
    sign = -1 if told.time_zone.startswith("-") else 1
    hours, _, minutes = told.time_zone.lstrip("+-").partition(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0)) * sign
    standard = (moment + offset).replace(tzinfo=None)
    if told.summer is None:
        return standard
    shift = timedelta(minutes=told.summer.offset_min)
    begins, ends = (by_week(text, standard.year) for text in (told.summer.start, told.summer.end))
    # The end is told in summer time.
    ends -= shift
    summer = begins <= standard < ends if begins < ends else not ends <= standard < begins
    return standard + shift if summer else standard


@cache
def by_week(text: str, year: int) -> datetime:
    month, week, weekday, hour = (int(part) for part in text.split("/"))
    days = [datetime(year, month, 1) + timedelta(days) for days in range(31)]
    named = [day for day in days if day.month == month and day.isoweekday() == weekday]
    return (named[-1] if week == 5 else named[week - 1]) + timedelta(hours=hour)
