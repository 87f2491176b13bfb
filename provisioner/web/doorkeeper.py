"""Who may stay: how many connections there are, in all and of each source, and which of them go first.

It knows no socket: whoever holds a connection asks for a place, tells what happens, and hands over how to
end it. Time is monotonic, in seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from provisioner.operations.sources import counted_source
from provisioner.settings import Limits
from provisioner.web.sockets import room_for

logger = logging.getLogger(__name__)

_SWEEP_S = 1.0
_PATIENCE_S = 2.0
"How long a handshake may take while others wait for it to end; old phones calculate for a second."


@dataclass(slots=True, eq=False)
class Place:
    """What one connection takes up."""

    source: str
    "Who is counted together: an IPv4 address, or an IPv6 network of 64 bits, which is one customer's."
    drop: Callable[[], None]
    "Ends the connection at once."
    since: float
    "When it got into its queue."
    queue: Queue | None
    "Where it waits for its client; None while it waits for us."
    is_left: bool = False


Queue = OrderedDict[Place, None]
"The longest waiting first."


class Doorkeeper:
    """All places of one process. Nothing in here costs more with more connections, but a full source."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._sources: dict[str, dict[Place, None]] = {}
        self._headerless: Queue = OrderedDict()
        "No request is whole yet: these give way first."
        self._shaking: Queue = OrderedDict()
        "Their TLS handshake has begun."
        self._idle: Queue = OrderedDict()
        "Between two requests."
        self.taken = 0
        "Connections now."
        self.turned_away = 0
        "Connections that got no place, or lost it to another."

    def enter(self, address: str, drop: Callable[[], None]) -> Place | None:
        """A place for a connection that was accepted; None where there is none, even if others give way."""
        source = counted_source(address)
        own = self._sources.get(source)
        if own is not None and len(own) >= self.limits.connections_per_source:
            if not self._gives_way(self._next_of(own)):
                return None
        elif self.taken >= self.limits.connections and not self._gives_way(self._next_to_go()):
            return None
        place = Place(source, drop, self._clock(), self._headerless)
        self._headerless[place] = None
        self._sources.setdefault(source, {})[place] = None
        self.taken += 1
        return place

    def leave(self, place: Place) -> None:
        """The connection is gone; said twice, it's gone once."""
        if place.is_left:
            return
        place.is_left = True
        self._unqueue(place)
        own = self._sources[place.source]
        del own[place]
        if not own:
            del self._sources[place.source]
        self.taken -= 1

    def header_begins(self, place: Place) -> None:
        """The client has something to say: from now on it has `header_s`."""
        self._queue(place, self._headerless)

    def handshake_begins(self, place: Place) -> bool:
        """Whether the TLS handshake may begin now: so many others are under way."""
        if len(self._shaking) >= self.limits.handshakes:
            oldest = next(iter(self._shaking))
            if oldest.since + _PATIENCE_S > self._clock():
                return False
            # It has had its chance: most are done in a few round trips.
            self._gives_way(oldest)
        self._queue(place, self._shaking)
        return True

    def is_idle(self, place: Place) -> bool:
        """Nothing has come since the last answer."""
        return place.queue is self._idle

    def request_begins(self, place: Place) -> None:
        """A whole header (in TLS a whole ClientHello, too) is there: the time is ours."""
        self._unqueue(place)

    def request_ends(self, place: Place) -> None:
        """The answer is written."""
        self._queue(place, self._idle)

    def sweep(self) -> None:
        """Ends what has been waited for too long."""
        now = self._clock()
        self._drop_until(self._headerless, now - self.limits.header_s)
        self._drop_until(self._shaking, now - self.limits.handshake_s)
        self._drop_until(self._idle, now - self.limits.idle_s)

    def _drop_until(self, queue: Queue, since: float) -> None:
        while queue:
            place = next(iter(queue))
            if place.since > since:
                return
            self.leave(place)
            place.drop()

    def _next_to_go(self) -> Place | None:
        for queue in (self._headerless, self._idle, self._shaking):
            if queue:
                return next(iter(queue))
        return None

    def _next_of(self, own: dict[Place, None]) -> Place | None:
        """The same for one source, whose places are in the order in which they were taken."""
        first = next((place for place in own if place.queue is self._headerless), None)
        return first or next((place for place in own if place.queue is not None), None)

    def _gives_way(self, place: Place | None) -> bool:
        self.turned_away += 1
        if place is None:
            return False
        self.leave(place)
        place.drop()
        return True

    def _queue(self, place: Place, queue: Queue) -> None:
        if place.is_left:
            return
        self._unqueue(place)
        place.since = self._clock()
        place.queue = queue
        queue[place] = None

    def _unqueue(self, place: Place) -> None:
        if place.queue is not None:
            del place.queue[place]
            place.queue = None


@asynccontextmanager
async def keeping(limits: Limits) -> AsyncIterator[Doorkeeper]:
    """The doorkeeper of this process, who looks round every second while the context lasts."""
    keeper = Doorkeeper(limits.model_copy(update={"connections": room_for(limits.connections)}))
    async with asyncio.TaskGroup() as tasks:
        sweeping = tasks.create_task(_sweep(keeper), name="doorkeeper")
        try:
            yield keeper
        finally:
            sweeping.cancel()


async def _sweep(keeper: Doorkeeper) -> None:
    said = 0
    while True:
        await asyncio.sleep(_SWEEP_S)
        keeper.sweep()
        if keeper.turned_away != said:
            # One line a second, however many there are.
            logger.warning("connections are short: turned_away=%d taken=%d", keeper.turned_away, keeper.taken)
            said = keeper.turned_away
