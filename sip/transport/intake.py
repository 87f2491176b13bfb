"""Datagrams that have come and were not looked at yet: which of them are next, and which go.

Reading is cheap and looking is not. Under more load than can be served, what is half done goes first: who
comes back with credentials has been paid for already, and who gets no answer asks again (RFC 3261 §17.1.2.2).
Without that, ten times the load has everybody's first request answered, and nobody's second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import TypeAlias

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
        self.dropped = 0
        "Datagrams that nobody has looked at."

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    def put(self, data: bytes, local: Address, place: Place, now: float) -> None:
        """One datagram has come. Under a flood this is all that is done about most."""
        remote = place if len(place) == 2 else place[:2]
        if self._proven.is_proven(remote, now):
            rank = Rank.BEGUN if _asks_for_challenge(data) else Rank.KNOWN
        elif self._admits(Address(*remote), now):
            rank = Rank.BEGUN if _has_credentials(data) else Rank.STRANGE
        else:
            self.dropped += 1
            return
        if rank is not Rank.KNOWN and self._is_busy() and _asks_for_challenge(data):
            self.dropped += 1
            return
        waiting = self._waiting[rank]
        self.dropped += len(waiting) == waiting.maxlen
        waiting.append((now, (data, local, place)))

    def take(self, now: float) -> Datagram | None:
        """The next one."""
        too_early = now - _LONGEST_S
        for rank, waiting in zip(Rank, self._waiting, strict=True):
            while waiting:
                is_late = rank is not Rank.KNOWN and waiting[0][0] < now - _LATE_S
                came_at, datagram = waiting.pop() if is_late else waiting.popleft()
                if came_at > too_early:
                    return datagram
                self.dropped += 1
        return None

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
