"""Datagrams that have come and were not looked at yet: which of them are next, and which go.

Reading is cheap and looking is not. Under more load than can be served, what is half done goes first: who
comes back with credentials has been paid for already, and who gets no answer asks again (RFC 3261 §17.1.2.2).
Without that, ten times the load has everybody's first request answered, and nobody's second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from sip.bans import Bans
from sip.transport.flow import Address
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.udp_flow import Place

Datagram: TypeAlias = tuple[bytes, Address, Place]
"What has come, to which address of ours, and from where."


class Rank(IntEnum):
    """Who goes first."""

    KNOWN = 0
    "Of a flow by which somebody has logged in; but for a REGISTER that has to be asked for credentials."
    BEGUN = 1
    "Such a REGISTER; and what brings credentials, from wherever."
    STRANGE = 2
    "All else."


_ROOM = {Rank.KNOWN: 4096, Rank.BEGUN: 1024, Rank.STRANGE: 256}
"Datagrams of each rank that wait. The oldest go where there are too many."
_LONGEST_S = 0.5
"""What has waited for so long goes unread: its sender sends it again (T1, §17.1.1.1), and both would be
served. However slow we are just now, who is answered has waited for less."""

_LATE_S = 0.1
"""Once somebody who begins has waited for so long, the newest go first: in their order, each would be served
only just before it is sent again, and nobody at once. Whoever has logged in is served in order always."""


class Counts(NamedTuple):
    """How many datagrams had which fate."""

    come: int = 0
    "Those that got a place."
    served: int = 0
    "Those that were looked at."
    lost: int = 0
    "Those of somebody known, or half done, whose time had passed, or for which there was no room."
    turned_away: int = 0
    "The same of strangers."
    asked: int = 0
    "Those of strangers that were looked at."
    brought: int = 0
    "Those with credentials, of somebody not known yet."
    registers: int = 0
    "REGISTERs among those that got a place."

    def since(self, before: Counts) -> Counts:
        """What has come to these since `before`."""
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))


class Waiting(NamedTuple):
    """What nobody has looked at yet, of those that are known, or half done."""

    number: int = 0
    first_s: float = 0.0
    "For how long the first has waited."


class Intake:
    """Of one socket."""

    def __init__(self, rates: Rates, proven: Proven, bans: Bans, is_busy: Callable[[], bool]) -> None:
        """`is_busy`: what has begun can't be done as fast as it begins."""
        self._rates = rates
        self._proven = proven
        self._bans = bans
        self._is_busy = is_busy
        self._waiting: tuple[deque[tuple[float, Datagram]], ...] = tuple(
            deque(maxlen=_ROOM[rank]) for rank in Rank
        )
        "Each after the time when it came."
        self._in_order = tuple(zip(Rank, self._waiting, strict=True))
        self.dropped = 0
        "Datagrams that nobody has looked at."
        self._come = self._brought = self._registers = 0
        self._served, self._lost = [0 for _ in Rank], [0 for _ in Rank]

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    def put(self, data: bytes, local: Address, place: Place, now: float) -> None:
        """One datagram has come. Under a flood this is all that is done about most."""
        remote = place if len(place) == 2 else place[:2]
        if self._proven.is_proven(remote, now):
            rank = Rank.BEGUN if _asks_for_challenge(data) else Rank.KNOWN
        elif self._admits(Address(*remote), now):
            rank = Rank.STRANGE
            if _has_credentials(data):
                rank = Rank.BEGUN
                self._brought += 1
        else:
            self.dropped += 1
            return
        if rank is not Rank.KNOWN and self._is_busy() and _asks_for_challenge(data):
            self.dropped += 1
            return
        waiting = self._waiting[rank]
        self._come += 1
        self._registers += data.startswith(b"REGISTER ")
        if len(waiting) == waiting.maxlen:
            self._lose(rank)
        waiting.append((now, (data, local, place)))

    def take(self, now: float) -> Datagram | None:
        """The next one."""
        too_early = now - _LONGEST_S
        for rank, waiting in self._in_order:
            while waiting:
                is_late = rank is not Rank.KNOWN and waiting[0][0] < now - _LATE_S
                came_at, datagram = waiting.pop() if is_late else waiting.popleft()
                if came_at > too_early:
                    self._served[rank] += 1
                    return datagram
                self._lose(rank)
        return None

    def waiting(self, now: float) -> Waiting:
        """How many wait, and for how long. Whose time has passed waits no longer."""
        first, too_early = now, now - _LONGEST_S
        for rank in (Rank.KNOWN, Rank.BEGUN):
            waiting = self._waiting[rank]
            while waiting and waiting[0][0] <= too_early:
                waiting.popleft()
                self._lose(rank)
            if waiting:
                first = min(first, waiting[0][0])
        return Waiting(len(self._waiting[Rank.KNOWN]) + len(self._waiting[Rank.BEGUN]), now - first)

    @property
    def counts(self) -> Counts:
        """How it went so far."""
        *begun, turned_away = self._lost
        return Counts(
            self._come,
            sum(self._served),
            sum(begun),
            turned_away,
            self._served[Rank.STRANGE],
            self._brought,
            self._registers,
        )

    def _lose(self, rank: Rank) -> None:
        self.dropped += 1
        self._lost[rank] += 1

    def _admits(self, remote: Address, now: float) -> bool:
        if not self._bans.admits(remote, now) or not self._rates.has_room(remote.host, now):
            return False
        self._rates.note(remote.host)
        return True


def _has_credentials(data: bytes) -> bool:
    # By a look: an odd spelling only waits longer.
    return b"uthorization:" in data


def _asks_for_challenge(data: bytes) -> bool:
    return data.startswith(b"REGISTER ") and not _has_credentials(data)
