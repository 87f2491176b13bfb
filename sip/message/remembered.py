"""What was read before need not be read again: a phone says the same of itself all day."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

_LONGEST = 200
"Characters of a text that is worth it; with `_MOST` this bounds what strangers can have us keep: some 2 MB."
_MOST = 2048


def remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read`, which remembers what it made of the short texts that it saw last.

    For what reads texts that are no secret into values that never change. What it raises is not remembered.
    """
    known = lru_cache(_MOST)(read)

    @wraps(read)
    def reader(text: str) -> T:
        return known(text) if len(text) <= _LONGEST else read(text)

    return reader
