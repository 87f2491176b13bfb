"""Ringing whose times are divided by a factor: for test calls that nobody wants to wait for."""

from __future__ import annotations

from sip.call.ringing import Ending, Ringing, Step


class Hastened:
    """What `ringing` does in `factor` seconds takes one. It notices nothing of it."""

    def __init__(self, ringing: Ringing, factor: float) -> None:
        self._ringing = ringing
        self._factor = factor
        self._began_at = 0.0

    @property
    def deadline(self) -> float | None:
        """See `Ringing`."""
        due = self._ringing.deadline
        return None if due is None else self._began_at + (due - self._began_at) / self._factor

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        self._began_at = now
        return self._ringing.start(now)

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """See `Ringing`."""
        return self._ringing.ended(id, ending, self._its_time(now))

    def timer(self, now: float) -> list[Step]:
        """See `Ringing`."""
        at = self._its_time(now)
        deadline, due = self.deadline, self._ringing.deadline
        if deadline is not None and due is not None and now >= deadline:
            # What is due is due, however the division was rounded.
            at = max(at, due)
        return self._ringing.timer(at)

    def _its_time(self, now: float) -> float:
        return self._began_at + (now - self._began_at) * self._factor
