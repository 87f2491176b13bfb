"""REGISTERs that are decided together, and what has to be written for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter

from provisioner.pbx.authentication import Caller
from provisioner.pbx.bindings import Difference
from provisioner.pbx.rows import REFRESHED
from sip.binding import Binding, Change
from sip.errors import SipError
from sip.location import Location
from sip.registrar import Decision
from sip.server import Incoming
from sip.tags import new_tag

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Entry:
    """A REGISTER of a line that has proved who it is. It is answered once, whatever happens."""

    incoming: Incoming
    caller: Caller
    "Whose number is what the location calls the AOR."
    came_at: float
    "Loop time, in seconds."
    is_answered: bool = False

    @property
    def number(self) -> str:
        """The line's."""
        return self.caller.number

    def grant(self, decision: Decision, date: datetime) -> None:
        """Answers with what was decided."""
        self._answer(
            lambda: self.incoming.answer(decision.response(self.incoming.request, date, new_tag()))
        )

    def refuse(self, error: SipError) -> None:
        """Answers that it was not done."""
        self._answer(lambda: self.incoming.reply(error.status, error.headers))

    def _answer(self, send: Callable[[], None]) -> None:
        if self.is_answered:
            return
        self.is_answered = True
        try:
            send()
        except Exception:
            # Our own mistake. What was done stays done, and the others of its batch are answered.
            logger.exception("a registration could not be answered aor=%s", self.number)


@dataclass(slots=True)
class Batch:
    """What was decided on the bindings of memory, and is not done yet."""

    decided: list[tuple[Entry, Decision]] = field(default_factory=list)
    callers: dict[str, Caller] = field(default_factory=dict)
    "The lines that something changes for."
    _before: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    "Of all lines that were asked about, by number."
    _after: dict[str, tuple[Binding, ...]] = field(default_factory=dict)

    def bindings(self, number: str, location: Location, now: float) -> tuple[Binding, ...]:
        """What a line has, by the decisions so far."""
        found = self._after.get(number)
        if found is None:
            found = self._before[number] = location.bindings(number, now)
        return found

    def add(self, entry: Entry, decision: Decision) -> None:
        """Takes one more decision, which was made on what `bindings` gave."""
        self.decided.append((entry, decision))
        if decision.changes:
            self._after[entry.number] = decision.bindings
            other = self.callers.setdefault(entry.number, entry.caller)
            if other.password_version > entry.caller.password_version:
                # By the oldest password it is judged whether the line has another by now.
                self.callers[entry.number] = entry.caller

    def differences(self) -> dict[str, Difference]:
        """What is to be written for each line that something changes for."""
        return {number: _difference(self._before[number], after) for number, after in self._after.items()}

    def changes(self, without: frozenset[str] = frozenset()) -> list[Change]:
        """What happens, in order, but not to these lines."""
        return [
            change
            for entry, decision in self.decided
            if entry.number not in without
            for change in decision.changes
        ]


def _difference(before: Sequence[Binding], after: Sequence[Binding]) -> Difference:
    """What has to be written so that rows which say `before` say `after`, and what taken away."""
    difference, rest = Difference(), {binding.key: binding for binding in before}
    for binding in after:
        was = rest.pop(binding.key, None)
        if was is None or _WHOLE(was) != _WHOLE(binding):
            difference.put.append(binding)
        elif was is not binding:
            difference.refreshed.append(binding)
    difference.gone.extend(rest.values())
    return difference


_WHOLE = attrgetter(*(each.name for each in fields(Binding) if each.name not in REFRESHED))
"What is written of a binding that a refresh leaves as it was, as a rule."
