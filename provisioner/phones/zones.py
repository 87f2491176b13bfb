"""The rule of a time zone, from the zone's own data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from phone_templates.posix_tz import footer
from provisioner.centrex.errors import BadValue


@cache
def posix_rule(zone: str) -> str:
    """The POSIX TZ rule that holds in `zone` after the last change that its TZif file lists: its footer.

    Read from the pinned tzdata package, so that two machines write the same files.
    Raises `BadValue` for a zone that the database doesn't know.
    """
    parts = zone.split("/")
    if not all(
        part and part.replace("_", "a").replace("-", "a").replace("+", "a").isalnum() for part in parts
    ):
        raise BadValue(f"{zone[:60]!r} is not a time zone: write it like Europe/Warsaw")
    try:
        data = files("tzdata.zoneinfo").joinpath(*parts).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise BadValue(f"{zone[:60]!r} is not a time zone: write it like Europe/Warsaw") from error
    return footer(data)
