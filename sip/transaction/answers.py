"""Requests that have been answered, and may come again: Completed of figure 8 (RFC 3261 §17.2.2).

There are far more of these than of all others, and nothing is left to decide about them: bytes in a table,
and their ends in order, for all stay equally long.
"""

from __future__ import annotations

from collections import deque
from math import inf

_SWEEP_S = 1.0


class Answers:
    """The responses by the keys of their requests. Holds `most`: more make it forget the oldest early."""

    def __init__(self, stay_s: float, most: int) -> None:
        self._stay_s = stay_s
        self._most = most
        self._answers: dict[str, bytes] = {}
        self._ends: deque[tuple[float, str]] = deque()
        self._swept_at = -inf

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def get(self, key: str) -> bytes | None:
        """What a request gets that comes again."""
        return self._answers.get(key)

    def add(self, key: str, answer: bytes, now: float) -> None:
        """Keeps an answer, whose key is new."""
        if len(self._answers) >= self._most:
            # Its retransmission would be a new request: what may not be done twice has an order of its own
            # (CSeq, nonce counts). To refuse new requests instead would be worse.
            self._forget()
        self._answers[key] = answer
        self._ends.append((now + self._stay_s, key))

    @property
    def deadline(self) -> float:
        """When `timer` is to be called: timer J, but not for each answer of a second."""
        return max(self._ends[0][0], self._swept_at + _SWEEP_S) if self._ends else inf

    def timer(self, now: float) -> None:
        """Forgets what has stayed long enough."""
        while self._ends and self._ends[0][0] <= now:
            self._forget()
        self._swept_at = now

    def _forget(self) -> None:
        del self._answers[self._ends.popleft()[1]]
