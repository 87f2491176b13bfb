"""No call at all: what was dialled is done already."""

from __future__ import annotations

from sip.call.ringing import Confirm, Ending, Step


class Done:
    """Nobody is rung, and the caller is told that it is done."""

    deadline: float | None = None

    def start(self, now: float) -> list[Step]:
        """See `Ringing`."""
        return [Confirm()]

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """Nothing is to end."""
        return []

    def timer(self, now: float) -> list[Step]:
        """Nothing is due."""
        return []
