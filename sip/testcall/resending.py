"""Saying something again over UDP until it was heard (RFC 3261 §17.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_T1_S = 0.5
_T2_S = 4.0
LONGEST_S = 64 * _T1_S
"Who hasn't answered by then never will."


class Resending:
    """Calls `send` again, ever more slowly, until it is stopped; after 32 s, `gave_up`."""

    def __init__(self, send: Callable[[], None], gave_up: Callable[[], None]) -> None:
        self._send = send
        self._gave_up = gave_up
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + LONGEST_S
        self._wait_s = _T1_S
        self._timer = self._loop.call_later(self._wait_s, self._again)

    def stop(self) -> None:
        """It was heard, or doesn't matter any more."""
        self._timer.cancel()

    def _again(self) -> None:
        if self._loop.time() >= self._until:
            self._gave_up()
            return
        self._send()
        self._wait_s = min(2 * self._wait_s, _T2_S)
        self._timer = self._loop.call_later(self._wait_s, self._again)
