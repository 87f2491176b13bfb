"""What lines and hunt groups are doing, from what calls tell: for the lamps of colleagues (RFC 4235 §3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from sip.call.ringing import Caller
from sip.call.story import CallAnswered, CallBegan, CallEnded, Event, LegBegan, LegEnded, LegRang
from sip.dialog import DialogId
from sip.packages.dialog import DialogState, Direction

_MOST = 20_000
"Lines in calls of which it is known what they do."


@dataclass(frozen=True, slots=True)
class Lit:
    """What a line does in one call."""

    call: UUID
    leg: UUID
    "The call's own id, for the caller."
    aor: str
    state: DialogState
    direction: Direction
    caller: Caller | None = None
    "Who calls it, as it sees it itself."
    groups: tuple[str, ...] = ()
    "The hunt groups for which it is rung."
    dialog: DialogId | None = None
    "While it rings: ours with the first phone that does, by which a colleague may pick it up (RFC 3891)."


Place: TypeAlias = tuple[str, str]
"`line` and its number, or `group` and its own."


def line_place(aor: str) -> Place:
    """Where a line's lamps look."""
    return ("line", aor)


def group_place(number: str) -> Place:
    """Where the lamps of all groups with that number look, whosever they are."""
    return ("group", number)


class Lamps:
    """All that is lit. `changed` is told of places at which something is otherwise now."""

    def __init__(self, changed: Callable[[Place], None]) -> None:
        self._changed = changed
        self._lit: dict[UUID, Lit] = {}
        "By leg."
        self._legs: defaultdict[UUID, set[UUID]] = defaultdict(set)
        "Of each call."
        self._places: defaultdict[Place, dict[UUID, None]] = defaultdict(dict)
        "The legs that are seen there."

    def __len__(self) -> int:
        return len(self._lit)

    def of_line(self, aor: str) -> Iterable[Lit]:
        """What a line does; before its phones ring nobody sees anything of a call to it."""
        return [each for each in self._at(line_place(aor)) if each.state is not DialogState.TRYING]

    def of_group(self, number: str, lines: Container[str]) -> Iterable[Lit]:
        """What is done for a group by these lines, which are its company's: once for each call."""
        found: dict[UUID, Lit] = {}
        for lit in self._at(group_place(number)):
            if lit.aor not in lines:
                continue
            if lit.state is DialogState.CONFIRMED:
                found[lit.call] = lit
            else:
                # Also between one member and the next: it is the group that rings.
                before = found.get(lit.call)
                if before is None or (before.state is DialogState.EARLY and before.dialog is None):
                    found[lit.call] = replace(lit, state=DialogState.EARLY)
        return found.values()

    def hear(self, event: Event) -> None:
        """Takes what happens to a call."""
        match event:
            case CallBegan(call=call, aor=aor):
                # Not `early`: that is what phones show as ringing.
                self._light(Lit(call, call, aor, DialogState.PROCEEDING, Direction.INITIATOR))
            case LegBegan(call=call, leg=leg, target=target) if call in self._lit:
                groups = tuple(each.group for each in target.memberships)
                state, direction = DialogState.TRYING, Direction.RECIPIENT
                self._light(Lit(call, leg, target.aor, state, direction, target.caller, groups))
            case LegRang(leg=leg, dialog=dialog):
                self._turn(leg, DialogState.EARLY, dialog)
            case CallAnswered(call=call, leg=leg):
                self._turn(call, DialogState.CONFIRMED)
                self._turn(leg, DialogState.CONFIRMED)
            case LegEnded(leg=leg):
                self._put_out(leg)
            case CallEnded(call=call):
                for leg in self._legs.pop(call, ()):
                    self._put_out(leg)

    def _at(self, place: Place) -> list[Lit]:
        return [self._lit[leg] for leg in self._places.get(place, ())]

    def _light(self, lit: Lit) -> None:
        if len(self._lit) == _MOST:
            return
        self._lit[lit.leg] = lit
        self._legs[lit.call].add(lit.leg)
        for place in _places(lit):
            self._places[place][lit.leg] = None
        self._tell(lit)

    def _turn(self, leg: UUID, state: DialogState, dialog: DialogId | None = None) -> None:
        lit = self._lit.get(leg)
        if lit is not None and lit.state is not state:
            self._lit[leg] = replace(lit, state=state, dialog=dialog)
            self._tell(self._lit[leg])

    def _put_out(self, leg: UUID) -> None:
        lit = self._lit.pop(leg, None)
        if lit is None:
            return
        if lit.call in self._legs:
            self._legs[lit.call].discard(leg)
        for place in _places(lit):
            del self._places[place][leg]
            if not self._places[place]:
                del self._places[place]
        self._tell(lit)

    def _tell(self, lit: Lit) -> None:
        for place in _places(lit):
            self._changed(place)


def _places(lit: Lit) -> list[Place]:
    return [line_place(lit.aor), *(group_place(each) for each in dict.fromkeys(lit.groups))]
