"""How late this process is woken: where a machine has too much to do, no exchange is to blame for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

_EVERY_S = 0.02
_LEAST_S = 0.03
"What is less is usual."


class Lateness:
    """Counts it while its context lasts, which several may enter: the process is woken once for all."""

    def __init__(self, tell: Callable[[float], None] = lambda _: None) -> None:
        """`tell` is told each time by how much."""
        self.total_s = 0.0
        self._tell = tell
        self._due = 0.0
        self._next: asyncio.TimerHandle | None = None
        self._users = 0

    def __enter__(self) -> Lateness:
        self._users += 1
        if self._users == 1:
            self._wake_later()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._users -= 1
        if not self._users and self._next is not None:
            self._next.cancel()

    def _wake_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + _EVERY_S
        self._next = loop.call_at(self._due, self._woken)

    def _woken(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due
        if late_s > _LEAST_S:
            self.total_s += late_s
            self._tell(late_s)
        self._wake_later()
