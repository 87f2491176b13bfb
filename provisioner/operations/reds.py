"""What test calls have found wrong with a number, and what has to pass until that is forgotten: the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a number was tested."""

    WHOLE = "whole"
    "A call of each kind that its configuration asks for."
    SHARED = "shared"
    "The same, but for calls that another number has made for it."
    PLAIN = "plain"
    "So many plain calls."
    LIVE = "live"
    "So many calls at which people's own phones rang."


@dataclass(frozen=True, slots=True)
class Red:
    """A test that went wrong, and the same has not passed since."""

    way: Way
    test_call: int
    "Its id."
    calls: int


def reds_after(before: Iterable[Red], this: Red, *, passed: bool) -> tuple[Red, ...]:
    """What is wrong still when `this` is over, as it was `before`."""
    left = tuple(each for each in before if not _replaces(this, each))
    return left if passed else (*left, this)


def reds_in(text: str | None) -> tuple[Red, ...]:
    """As they are kept."""
    return tuple(Red(Way(each["way"]), each["test_call"], each["calls"]) for each in json.loads(text or "[]"))


def reds_text(reds: Iterable[Red]) -> str | None:
    """The same, to be kept; None: nothing is wrong."""
    return json.dumps([asdict(each) for each in reds]) if reds else None


def _replaces(new: Red, old: Red) -> bool:
    """Whether a new test says all that the old one had to say."""
    if new.way is Way.WHOLE:
        # What people's own phones do is seen with these alone.
        return old.way is not Way.LIVE
    return new.way is old.way and new.way is not Way.SHARED and new.calls >= old.calls
