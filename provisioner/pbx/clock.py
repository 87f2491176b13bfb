"""Loop time and the wall clock: what is stored outlives steps of the clock, and restarts within one boot.

Bindings in memory run by loop time, which no step of the wall clock touches. Rows say UTC, for every process
and every person reads them; how far the wall clock was from the time since boot when they were written stands
beside them. As long as the machine is not booted anew, rows mean what they meant, whatever the clock says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

STEP_S = 1.0
"The wall clock may be off by so much from what rows say before they are shifted."

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        # Then no two starts are of one boot, and the wall clock is all there is.
        return ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where times come from. Seconds, all of them."""

    loop: Callable[[], float]
    "What deadlines in memory are of."
    wall: Callable[[], float] = time.time
    "Unix time. It may step."
    since_boot: Callable[[], float] = _since_boot
    "It never steps, counts on while the machine sleeps, and goes on over restarts of this program."
    boot_id: Callable[[], str] = _boot_id
    "Another one after each boot; empty: nobody knows."


@dataclass(frozen=True, slots=True)
class Basis:
    """What the moments of stored rows are to be understood by."""

    boot_id: str
    offset_s: float
    "Unix time less the time since boot."

    def __str__(self) -> str:
        """As it is stored."""
        return json.dumps({"boot_id": self.boot_id, "offset_s": self.offset_s})

    @classmethod
    def parse(cls, text: str | None) -> Basis | None:
        """What was stored; None where nothing was."""
        if text is None:
            return None
        read = json.loads(text)
        return cls(read["boot_id"], read["offset_s"])


class Clock:
    """Turns loop time into what rows say, and back."""

    def __init__(self, sources: Sources, stored: Basis | None = None) -> None:
        """`stored` is what the rows are of that are there already."""
        self._sources = sources
        boot_id, offset_s = sources.boot_id(), self._offset_s()
        if stored is not None and stored.boot_id == boot_id != "":
            # The clock may have stepped since. Rows mean the same, until they are shifted.
            offset_s = stored.offset_s
        self.basis = Basis(boot_id, offset_s)
        # A sleeping machine widens this; bindings then last longer by as much as it slept.
        self._loop_s = sources.since_boot() - sources.loop()

    def utc(self, at: float) -> datetime:
        """The moment of a loop time, as rows have it."""
        return _EPOCH + timedelta(seconds=at + self._loop_s + self.basis.offset_s)

    def loop_of_unix(self, at: float) -> float:
        """The loop time of a row's moment, given as Unix time; it may lie before the loop began."""
        return at - self._loop_s - self.basis.offset_s

    def step_s(self) -> float | None:
        """By how many seconds rows are to be shifted, since the wall clock has stepped; None: it has not.

        It is to be done, together with `stepped`'s basis, in one transaction.
        """
        step_s = self._offset_s() - self.basis.offset_s
        return step_s if abs(step_s) > STEP_S else None

    def stepped(self, step_s: float) -> Basis:
        """The basis of rows that are shifted by so much; `adopt` it when they are."""
        return Basis(self.basis.boot_id, self.basis.offset_s + step_s)

    def adopt(self, basis: Basis) -> None:
        """From now on rows are of this basis."""
        self.basis = basis

    def _offset_s(self) -> float:
        return self._sources.wall() - self._sources.since_boot()
