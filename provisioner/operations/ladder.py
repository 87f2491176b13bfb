"""The readiness ladder: how far a phone came, from the list to a call that would ring it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rung(StrEnum):
    """A step. Phones skip some: one that was set up by hand registers and never fetches anything."""

    LISTED = "listed"
    CONTACTED = "contacted"
    "It asked for something."
    FETCHED = "fetched"
    "It got its own file, though that may have changed since."
    CURRENT = "current"
    "It has what we have."
    REGISTERED = "registered"
    "It holds a binding that has not run out."
    REACHABLE = "reachable"
    "It was heard lately, by a request that it answered."
    PROVEN = "proven"
    "A test call has rung one of its lines as is configured, and its company was not changed since."


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is known of a phone's way."""

    has_contacted: bool = False
    has_fetched: bool = False
    is_current: bool = False
    is_registered: bool = False
    is_reachable: bool = False
    is_proven: bool = False

    @property
    def steps(self) -> tuple[Rung, ...]:
        """All rungs that hold now, the lowest first."""
        holds = {
            Rung.LISTED: True,
            Rung.CONTACTED: self.has_contacted or self.has_fetched,
            Rung.FETCHED: self.has_fetched,
            Rung.CURRENT: self.has_fetched and self.is_current,
            Rung.REGISTERED: self.is_registered,
            Rung.REACHABLE: self.is_registered and self.is_reachable,
            Rung.PROVEN: self.is_registered and self.is_reachable and self.is_proven,
        }
        return tuple(rung for rung in Rung if holds[rung])

    @property
    def rung(self) -> Rung:
        """The highest of them."""
        return self.steps[-1]
