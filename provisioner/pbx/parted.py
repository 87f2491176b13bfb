"""Bindings that went with the password that they were made with: their phones are to be told of the new one.

Such a phone still listens where it was, and is not rung there any more. It can be told to fetch its file, in
which the new password stands, and registers with that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from sip.binding import Binding

_MOST = 10_000
"Lines."


class Parted:
    """By the numbers of their lines."""

    def __init__(self) -> None:
        self._bindings: OrderedDict[str, tuple[Binding, ...]] = OrderedDict()

    def note(self, line: str, bindings: Sequence[Binding]) -> None:
        """These have gone from a line."""
        if not bindings:
            return
        self._bindings[line] = tuple(bindings)
        self._bindings.move_to_end(line)
        if len(self._bindings) > _MOST:
            self._bindings.popitem(last=False)

    def of(self, line: str, now: float) -> tuple[Binding, ...]:
        """Those of a line, as long as their phones can be taken to listen there."""
        return tuple(each for each in self._bindings.get(line, ()) if each.expires_at > now)
