"""Time zones come from the pinned database, not from the machine."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.clock import local_time
from provisioner.centrex.errors import BadValue
from provisioner.phones.zones import posix_rule


@pytest.mark.parametrize(
    ("zone", "rule"),
    [
        ("Europe/Warsaw", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
        ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
        ("Asia/Kathmandu", "<+0545>-5:45"),
        ("America/Argentina/Buenos_Aires", "<-03>3"),
        ("Etc/GMT+5", "<-05>5"),
        ("UTC", "UTC0"),
    ],
)
def test_the_rule_of_a_zone_is_the_one_that_holds_today(zone: str, rule: str):
    assert posix_rule(zone) == rule


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Nowhere",
        "europe",
        "Europe",
        "",
        "/",
        "Europe/",
        "../zoneinfo/Europe/Warsaw",
        "Europe/../Europe/Warsaw",
        "/etc/passwd",
        "tzdata.zi",
        "zone.tab",
        "__init__.py",
        "Europe/Warsaw\n",
        "Europe/\x00",
        "x" * 5000,
    ],
)
def test_what_is_no_zone_is_refused(zone: str):
    with pytest.raises(BadValue, match="time zone"):
        posix_rule(zone)


def test_every_zone_of_the_world_is_told_to_phones_or_refused_in_words():
    refused = set()
    for zone in available_timezones():
        try:
            assert local_time(posix_rule(zone)).time_zone
        except (BadValue, PhoneTemplatesError):
            refused.add(zone)
    # Some machines list their own clock among the zones.
    assert refused <= {"localtime"}
