"""How much a source may send that has not proved itself, by whichever sockets of ours.

Sans-I/O: `now` is loop time, in seconds.
"""

from __future__ import annotations

from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.sources import source_of

_SITE = 5
"How many times as much a source may send of which some flow has proved itself."
_SOURCES = 50_000
"That are counted in a second."


class Rates:
    """Of one process. What proven flows send is not counted."""

    def __init__(self, limits: TransportLimits, proven: Proven) -> None:
        self._most = limits.messages_per_source
        self._proven = proven
        self._second = 0
        self._of_source: dict[str, int] = {}
        "Messages of each source in this second."

    def has_room(self, host: str, now: float) -> bool:
        """Whether a source may send something in this second."""
        if self._second != int(now):
            self._second = int(now)
            self._of_source.clear()
        count = self._of_source.get(source_of(host), 0)
        if count >= self._most and not (
            # A site's phones may all begin at once, or have got new ports.
            count < _SITE * self._most and self._proven.is_proven_source(host, now)
        ):
            return False
        return count > 0 or len(self._of_source) < _SOURCES

    def note(self, host: str, messages: int = 1) -> None:
        """Something has come from a source that had room."""
        source = source_of(host)
        self._of_source[source] = self._of_source.get(source, 0) + messages
