"""Whether there is room for a call: at a line that is to ring, at who calls, and where either is.

A line has its own number of calls at once, and a site one for all of its lines together. A call counts once
at each, whoever of them is in it, from when it begins, or first rings there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from provisioner.centrex.customer import Line
from provisioner.centrex.exchange import Exchange, SiteLimit
from sip.call.ringing import Outcome
from sip.message.uri import SipUri, Uri


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a call meets, beside what is set."""

    elsewhere: Callable[[str], Exchange | None]
    "The switchboard that a line of another customer belongs to."
    is_registered: Callable[[str], bool]
    calls_of: Callable[[str], int]
    "In how many calls a line is beside this one."
    calls_among: Callable[[Set[str]], int]
    "In how many calls some lines are together, beside this one and that which it comes of."
    last_answered: Callable[[str, str], float | None]
    "When a line answered a call of a group last, since the server began."
    line_of: Callable[[Uri], str | None]
    "The number that a URI means, where it is one of ours."
    random: Random
    emergency_numbers: frozenset[str]
    emergency_gateway: SipUri | None = None


class Rung(NamedTuple):
    """A line that a call may ring."""

    line: Line
    most_calls: float
    "In how many calls it may be."
    site: SiteLimit | None
    "Which has to let the call in."


def caller_full(exchange: Exchange, line: str, around: Surroundings) -> Outcome | None:
    """What of a caller has no room for another call."""
    if around.calls_of(line) >= exchange.most_calls(line):
        return Outcome.FULL
    site = exchange.site_of(line)
    return None if site is None or _has_room(site, around) else Outcome.SITE_FULL


def obstacle(caller: str, lines: Mapping[str, Rung], around: Surroundings, aor: str) -> Outcome | None:
    """What keeps a line from being rung at this moment."""
    line, most_calls, site = lines[aor]
    calls = around.calls_of(aor)
    if aor == caller or line.dnd or (calls > 0 and not line.call_waiting):
        return Outcome.BUSY
    if calls >= most_calls:
        return Outcome.FULL
    if site is not None and not _has_room(site, around):
        return Outcome.SITE_FULL
    return None if around.is_registered(aor) else Outcome.UNREACHABLE


def _has_room(site: SiteLimit, around: Surroundings) -> bool:
    return around.calls_among(site.lines) < site.most_calls
