"""One who watches a location: what happened and was not taken yet, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sip.binding import Change, ChangeKind


@dataclass(frozen=True, slots=True)
class News:
    """What a watch has to tell."""

    changes: tuple[Change, ...]
    "In the order in which they were applied."
    lost: int
    "How many there were before these that had no room. Not 0: what is known is out of date, ask anew."


class Watch:
    """Changes that wait to be taken."""

    __slots__ = ("_close", "_kinds", "_lost", "_most", "_pending", "_wake")

    def __init__(
        self, wake: Callable[[], None], kinds: Collection[ChangeKind], most: int, close: Callable[[], None]
    ) -> None:
        self._wake, self._kinds, self._most, self._close = wake, kinds, most, close
        self._pending: deque[Change] = deque()
        self._lost = 0

    def tell(self, change: Change) -> None:
        """Something has happened."""
        if change.kind not in self._kinds:
            return
        is_first = not self._pending
        if len(self._pending) >= self._most:
            self._pending.popleft()
            self._lost += 1
        self._pending.append(change)
        if is_first:
            self._wake()

    def take(self) -> News:
        """All that has happened since the last time."""
        news = News(tuple(self._pending), self._lost)
        self._pending.clear()
        self._lost = 0
        return news

    def close(self) -> None:
        """Nothing more is told."""
        self._close()
