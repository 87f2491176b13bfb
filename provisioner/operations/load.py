"""How busy this process is: what can wait does, while calls of people take up its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_SAMPLE_S = 1.0
_LOOK_S = 0.5


class Load:
    """The share of one core that the process has used lately, all its threads together."""

    def __init__(
        self,
        most_percent: float,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._most = most_percent / 100
        self._clock = clock
        self._used = used
        self._at, self._then = clock(), used()
        self._share = 0.0

    @property
    def is_high(self) -> bool:
        """Whether what can wait should; looked at anew each second."""
        now = self._clock()
        if now - self._at >= _SAMPLE_S:
            used = self._used()
            self._share = (used - self._then) / (now - self._at)
            self._at, self._then = now, used
        return self._share > self._most

    async def has_room(self) -> None:
        """Returns when it is not."""
        while self.is_high:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(_LOOK_S)
