"""Which connections may be there, and for how long: in all, and of each source.

Knows no socket and no clock. `now` is loop time, in seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from sip.transport.limits import TransportLimits
from sip.transport.sources import source_of

_PATIENCE_S = 2.0
"How long a handshake may take while others wait for it to end; old phones calculate for a second."


class Phase(Enum):
    """What a connection is waited for."""

    SHAKING = "shaking"
    "Its TLS handshake."
    SILENT = "silent"
    "A message; nobody wants the connection kept."
    HALF = "half"
    "The rest of a message."
    KEPT = "kept"
    "A message, if any: a phone is registered by it, or we have opened it."
    ENDING = "ending"
    "Our last answers: the peer has said that no more comes."


@dataclass(slots=True, eq=False)
class Place:
    """What one connection takes up."""

    source: str
    phase: Phase
    since: float
    "When the phase began; that of HALF does not begin anew with each piece."
    is_kept: bool = False
    is_left: bool = False


class Places:
    """All of one process. Nothing in here costs more with more connections."""

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._waiting: dict[Phase, OrderedDict[Place, None]] = {phase: OrderedDict() for phase in Phase}
        "The longest waiting first."
        self._patience_s = {
            Phase.SHAKING: limits.handshake_s,
            Phase.SILENT: limits.silent_s,
            Phase.HALF: limits.message_s,
            Phase.KEPT: limits.idle_s,
            Phase.ENDING: limits.ending_s,
        }
        self._of_source: dict[str, int] = {}
        self.taken = 0

    def enter(self, host: str, now: float, *, shakes: bool = False) -> Place | None:
        """A place for a connection with `host`; None: there is none, unless `gives_way` finds one."""
        source = source_of(host)
        if self.taken >= self._limits.connections or self._is_full(source):
            return None
        if shakes and len(self._waiting[Phase.SHAKING]) >= self._limits.handshakes:
            return None
        place = Place(source, Phase.SHAKING if shakes else Phase.SILENT, now)
        self._waiting[place.phase][place] = None
        self._of_source[source] = self._of_source.get(source, 0) + 1
        self.taken += 1
        return place

    def leave(self, place: Place) -> None:
        """The connection is gone; said twice, it is gone once."""
        if place.is_left:
            return
        place.is_left = True
        self.taken -= 1
        del self._waiting[place.phase][place]
        left = self._of_source[place.source] - 1
        if left:
            self._of_source[place.source] = left
        else:
            del self._of_source[place.source]

    def opens(self, place: Place, now: float) -> None:
        """The handshake is done, if there was one."""
        if place.phase is Phase.SHAKING:
            self._turn(place, Phase.SILENT, now)

    def heard(self, place: Place, now: float, *, half: bool, whole: bool) -> None:
        """Something has come: with it a message became whole, or there is half a one now, or neither."""
        if place.phase is Phase.ENDING:
            return
        if half:
            if whole or place.phase is not Phase.HALF:
                self._turn(place, Phase.HALF, now)
        elif place.is_kept:
            self._turn(place, Phase.KEPT, now)
        elif whole:
            # A ping alone is no reason to stay.
            self._turn(place, Phase.SILENT, now)

    def keep(self, place: Place, now: float) -> None:
        """The connection is worth keeping while nothing comes."""
        place.is_kept = True
        if place.phase is Phase.SILENT:
            self._turn(place, Phase.KEPT, now)

    def ends(self, place: Place, now: float) -> None:
        """No more comes from the peer, who may still read."""
        self._turn(place, Phase.ENDING, now)

    def gives_way(self, host: str, now: float, *, shakes: bool = False) -> Place | None:
        """Whose place one more connection with `host` may have; None: nobody's.

        Those that nobody keeps give way where there are too many in all, the longest waiting first; and
        handshakes that have had their time, most being done in a few round trips. A source that has all
        that it may have gets no more.
        """
        if self._is_full(source_of(host)):
            return None
        shaking = next(iter(self._waiting[Phase.SHAKING]), None)
        if shakes and len(self._waiting[Phase.SHAKING]) >= self._limits.handshakes:
            return shaking if shaking is not None and shaking.since + _PATIENCE_S <= now else None
        for phase in (Phase.SILENT, Phase.HALF, Phase.ENDING):
            place = next((place for place in self._waiting[phase] if not place.is_kept), None)
            if place is not None:
                return place
        return shaking

    def overdue(self, now: float) -> list[Place]:
        """Those that have been waited for too long."""
        found: list[Place] = []
        for phase, places in self._waiting.items():
            for place in places:
                if place.since + self._patience_s[phase] > now:
                    break
                found.append(place)
        return found

    def _is_full(self, source: str) -> bool:
        return self._of_source.get(source, 0) >= self._limits.connections_per_source

    def _turn(self, place: Place, phase: Phase, now: float) -> None:
        if place.is_left:
            return
        del self._waiting[place.phase][place]
        place.phase, place.since = phase, now
        self._waiting[phase][place] = None
