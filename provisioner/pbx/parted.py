"""Phones that are registered no more by a change of ours, and are to be told to fetch what it was.

Their line has another password, or is gone. Such a phone still listens where it was, and is not rung there
any more; once it has fetched its file, it registers as that says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from operator import attrgetter

from sip.binding import Binding

_MOST = 10_000
"Phones."


class Parted:
    """Where each of them was last, and on which line."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, tuple[str, Binding]] = OrderedDict()

    def note(self, line: str, bindings: Iterable[Binding]) -> None:
        """These have gone from a line."""
        for binding in sorted(bindings, key=attrgetter("refreshed_at")):
            if binding.device_id is None:
                continue
            self._last[binding.device_id] = (line, binding)
            self._last.move_to_end(binding.device_id)
            if len(self._last) > _MOST:
                self._last.popitem(last=False)

    def of(self, device_id: int, now: float) -> tuple[str, Binding] | None:
        """The line and the binding, as long as the phone can be taken to listen there."""
        found = self._last.get(device_id)
        return found if found is not None and found[1].expires_at > now else None
