"""How often somebody may try to log in: ever more slowly, never not at all.

A source that fails waits longer each time, up to minutes. A log-in that is guessed from many sources slows
down as well, but only for sources from which nobody has logged in by it lately: guessing locks nobody out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from provisioner.operations.sources import counted_source

_MOST = 10_000
"Of each table; what was touched longest ago gives way."
_FORGET_S = 3600.0


@dataclass(slots=True)
class _Failures:
    """In a row."""

    count: int
    last_s: float


class _Table:
    """Failures of one kind of thing."""

    def __init__(self, free: int, longest_s: float) -> None:
        self._free = free
        "So many cost nothing: people mistype."
        self._longest_s = longest_s
        self._failures: OrderedDict[Hashable, _Failures] = OrderedDict()

    def wait_s(self, key: Hashable, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count <= self._free:
            return 0.0
        # A count is only ever small: each step waits twice as long.
        pause = min(self._longest_s, 2.0 ** min(failures.count - self._free, 30))
        return max(0.0, failures.last_s + pause - now)

    def failed(self, key: Hashable, now: float) -> None:
        known = self._failures.pop(key, None)
        if known is None or now - known.last_s > _FORGET_S:
            known = _Failures(0, now)
        self._failures[key] = _Failures(known.count + 1, now)
        if len(self._failures) > _MOST:
            self._failures.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        self._failures.pop(key, None)


class Guesses:
    """The failures of this process. `now` is any clock's time in seconds that never goes back."""

    def __init__(self) -> None:
        self._of_source = _Table(free=5, longest_s=300)
        self._of_login = _Table(free=20, longest_s=30)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        "Who has logged in from where."

    def wait_s(self, login: str, source: str, now: float) -> float:
        """How long nobody listens to another try, in seconds; 0: it may be made."""
        source = counted_source(source)
        wait = self._of_source.wait_s(source, now)
        if (login, source) not in self._known:
            wait = max(wait, self._of_login.wait_s(login, now))
        return wait

    def tried(self, login: str, source: str, now: float) -> None:
        """Counts a try as failed until `succeeded` says otherwise: many at once are many, too."""
        self._of_source.failed(counted_source(source), now)
        self._of_login.failed(login, now)

    def succeeded(self, login: str, source: str) -> None:
        """It was the right password."""
        source = counted_source(source)
        self._of_source.forget(source)
        self._of_login.forget(login)
        self._known[login, source] = None
        self._known.move_to_end((login, source))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
