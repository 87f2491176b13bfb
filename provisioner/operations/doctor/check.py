"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_NAMED = 5


class Health(StrEnum):
    """How well it is."""

    OK = "ok"
    WARNING = "warning"
    "It works, but somebody should look at it."
    FAILURE = "failure"
    "It does not work, or it is not safe."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    "A code, stable for programs; several findings about one thing share it."
    health: Health
    message: str
    advice: str = ""
    "What to do about it."


def ok(name: str, message: str) -> Check:
    """Nothing to do."""
    return Check(name, Health.OK, message)


def hint(name: str, message: str, advice: str) -> Check:
    """It is well, and could be better."""
    return Check(name, Health.OK, message, advice)


def warning(name: str, message: str, advice: str) -> Check:
    """Somebody should look at it."""
    return Check(name, Health.WARNING, message, advice)


def failure(name: str, message: str, advice: str) -> Check:
    """Something has to be done."""
    return Check(name, Health.FAILURE, message, advice)


def some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
