"""How well the audio of a call arrives, by its RTP packets (RFC 3550 §6.4.1 and appendix A)."""

from __future__ import annotations


class Reception:
    """Counts the packets that come, of one source (SSRC) after another."""

    def __init__(self, rate: int) -> None:
        self.packets = 0
        "That came."
        self.jitter_s = 0.0
        "Interarrival jitter, in seconds (appendix A.8)."
        self._rate = rate
        "Of the clock of their time stamps, in Hz."
        self._source: int | None = None
        self._expected = 0
        "Packets of the sources before this one that should have come."
        self._first = self._highest = 0
        "Sequence numbers of this source, counted on where their 16 bits begin anew."
        self._last = (0.0, 0)
        "When the last packet came, and its time stamp."

    def came(self, source: int, sequence: int, timestamp: int, now: float) -> None:
        """A packet came at `now`."""
        if source != self._source:
            self._expected = self.expected
            self._source = source
            self._first = self._highest = sequence
        else:
            self._highest += max(0, _ahead(sequence - self._highest, bits=16))
            came, stamped = self._last
            late_s = now - came - _ahead(timestamp - stamped, bits=32) / self._rate
            self.jitter_s += (abs(late_s) - self.jitter_s) / 16
        self._last = now, timestamp
        self.packets += 1

    @property
    def expected(self) -> int:
        """How many should have come, as their sequence numbers say."""
        return self._expected if self._source is None else self._expected + self._highest - self._first + 1

    @property
    def lost(self) -> int:
        """How many of them are missing."""
        return max(0, self.expected - self.packets)


def _ahead(difference: int, bits: int) -> int:
    """The smallest step that makes this difference of two numbers that begin anew after `bits` bits."""
    half = 1 << bits - 1
    return (difference + half) % (2 * half) - half
