"""The rule of a time zone, from the zone's own data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from provisioner.centrex.errors import BadValue


@cache
def posix_rule(zone: str) -> str:
    """The POSIX TZ rule that holds today in `zone`: the footer of its TZif file (RFC 8536 §3.3).

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
    footer = data.rsplit(b"\n", 2)
    if not data.startswith(b"TZif") or len(footer) != 3 or not footer[1]:
        raise BadValue(f"the time zone {zone!r} has no rule for today")
    return footer[1].decode("ascii")
