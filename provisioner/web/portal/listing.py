"""What pages that list something have in common: a text to search for, choices, and pages of pages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from multidict import MultiMapping

_LONGEST = 100
_DIGITS = 19
"Of numbers that are too large for a database."


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of what is listed."""

    value: str
    text: str
    is_chosen: bool


def text_in(query: MultiMapping[str]) -> str:
    """What is searched for; what can't be meant is left out, for people type addresses."""
    return query.get("q", "")[:_LONGEST].replace("\0", "").strip()


def number_in(said: str) -> int | None:
    """The number of something that is kept; None: it can't be one."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < _DIGITS else None


def address(path: str, **said: str) -> str:
    """`path`, with what is not empty of what is said."""
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{path}?{query}" if query else path
