"""Transactions that rest: nothing is left to decide about them, but what they had may come again.

There are far more of these than of all others: what is still needed of each is in a table, and their ends are
in order, for all of a kind stay equally long.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_SWEEP_S = 1.0


class Ended(Generic[K, V]):
    """What is kept of them, by their keys. Holds `most`: more make it forget the oldest early."""

    def __init__(self, stay_s: float, most: int) -> None:
        self._stay_s = stay_s
        self._most = most
        self._kept: dict[K, V] = {}
        self._ends: deque[tuple[float, K]] = deque()
        self._swept_at = -inf

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def get(self, key: K) -> V | None:
        """What is kept of one."""
        return self._kept.get(key)

    def add(self, key: K, value: V, now: float) -> None:
        """Keeps one, whose key is new."""
        if len(self._kept) >= self._most:
            # Its retransmission would be a new request: what may not be done twice has an order of its own
            # (CSeq, nonce counts). To refuse new requests instead would be worse.
            self._forget()
        self._kept[key] = value
        self._ends.append((now + self._stay_s, key))

    @property
    def deadline(self) -> float:
        """When `timer` is to be called: when the first has stayed, but not for each one of a second."""
        return max(self._ends[0][0], self._swept_at + _SWEEP_S) if self._ends else inf

    def timer(self, now: float) -> None:
        """Forgets what has stayed long enough."""
        if not self._ends:
            return
        while self._ends and self._ends[0][0] <= now:
            self._forget()
        self._swept_at = now

    def _forget(self) -> None:
        del self._kept[self._ends.popleft()[1]]
