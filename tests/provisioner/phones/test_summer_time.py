"""Which zones a phone can be told exactly."""

from __future__ import annotations

import pytest

from provisioner.phones.lint.summer_time import is_exact
from provisioner.phones.zones import posix_rule


@pytest.mark.parametrize(
    "zone",
    ["Europe/Warsaw", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "UTC"],
)
def test_a_change_on_a_weekday_of_a_month_is_told_exactly(zone: str):
    assert is_exact(posix_rule(zone))


@pytest.mark.parametrize("zone", ["Asia/Gaza", "Asia/Jerusalem", "America/Nuuk"])
def test_a_change_some_days_after_a_weekday_is_right_in_most_years_only(zone: str):
    assert not is_exact(posix_rule(zone))


@pytest.mark.parametrize(
    ("rule", "exact"),
    [
        ("AAA-1BBB,J60/2,J300/3", True),
        ("AAA-1BBB,59/2,299/3", False),  # day 59 is 1 March, or 29 February in a leap year
        ("AAA-1BBB,M3.5.0/2:30,M10.5.0/3", False),  # a phone knows whole hours only
    ],
)
def test_dates_and_half_hours_are_told_as_far_as_the_format_goes(rule: str, exact: bool):
    assert is_exact(rule) is exact
