"""Python's collector stays away while this process keeps others from writing.

A full collection stops all threads of a process for as long as it has objects to walk through: with
10 000 phones loaded that is a second, and whoever waits for the lock, in any process, waits with it.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector:
    """It comes back when the last one who has sent it away is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0

    @contextmanager
    def away(self) -> Iterator[None]:
        """What becomes rubbish in here is collected afterwards: only for what is short."""
        with self._lock:
            self._holders += 1
            gc.disable()
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    gc.enable()


uncollected = _Collector().away
