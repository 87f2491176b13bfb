"""The bindings in the database: what one transaction writes of them, and what waits to be written.

Only the process that takes REGISTERs writes here. What somebody waits for is written when it is asked for;
what has happened by itself (a binding lapsed, a phone answered) waits for that, or for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from db.queries import registrations as queries
from db.queries.registrations import BindingEvent, BindingId, BindingRefresh, BindingRow, Heard
from db.tail import announce_by
from db.writing import Writer
from provisioner.operations.installation import Installation
from provisioner.pbx.authentication import Caller
from provisioner.pbx.clock import Basis, Clock, Sources
from provisioner.pbx.rows import binding_id, binding_row, event_row, heard_row, refresh_row, registered_of
from sip.binding import ENDS, Binding, Change, ChangeKind
from sip.location import Registered

logger = logging.getLogger(__name__)

_MOST_EVENTS = 100_000
"More that wait are lost, the oldest first: the database is away, and bindings come first."
_BATCH = 1_000
"Rows of each kind that one transaction takes of those that nobody waits for."
_PRUNE_AFTER = 64
_LAPSED = timedelta(minutes=1)

_ANEW = frozenset({ChangeKind.REGISTERED, ChangeKind.MOVED})
"After these it is not known whether the phone can be reached."


@dataclass(slots=True)
class Difference:
    """What is to be written of one line."""

    refreshed: list[Binding] = field(default_factory=list)
    "They are there, and are another by that alone."
    put: list[Binding] = field(default_factory=list)
    "They are to be there."
    gone: list[Binding] = field(default_factory=list)
    "They are not to be there any more."


class StoredBindings:
    """Writes bindings and what happens to them, in the terms of the clock that all rows are of."""

    def __init__(self, installation: Installation, sources: Sources) -> None:
        self._database = installation.database
        self._kept_events = installation.settings.memory.registration_events_per_line
        self._sources = sources
        self._clock = Clock(sources)
        self._stored_basis: str | None = None
        self._line_ids: dict[str, int] = {}
        "Of the lines that have had bindings."
        self._versions: dict[str, int] = {}
        "Of the passwords that their bindings were made with, but for lines that have their first one still."
        self._ended: dict[BindingId, None] = {}
        self._events: deque[BindingEvent] = deque(maxlen=_MOST_EVENTS)
        self._heard: dict[BindingId, Heard] = {}
        self._unpruned: Counter[int] = Counter()
        "Events of each line since its oldest ones were forgotten."

    async def load(self) -> list[Registered]:
        """All that were stored, those that have lapsed meanwhile included. Raises `StorageError`."""
        self._stored_basis = await queries.stored_basis(self._database)
        basis = Basis.parse(self._stored_basis)
        self._clock = Clock(self._sources, basis)
        known: list[Registered] = []
        async for page in queries.all_bindings(self._database):
            for row in page:
                self._note_line(row.number, row.line_id, row.password_version)
                known.append(registered_of(row, self._clock))
            # Whoever else has something to do meanwhile.
            await asyncio.sleep(0)
        return known

    # What happens by itself

    def note(self, changes: Sequence[Change]) -> None:
        """Changes that the location found; they are written with what comes next, or by `write_waiting`."""
        for change in changes:
            line_id = self._line_ids.get(change.aor)
            if line_id is None:
                continue
            if change.kind in ENDS:
                row_id = binding_id(line_id, change.binding)
                self._ended[row_id] = None
                self._heard.pop(row_id, None)
            elif change.kind is ChangeKind.UNREACHABLE:
                self._note_heard(heard_row(line_id, change.binding, change.at, None, self._clock))
            elif change.kind is ChangeKind.REACHABLE:
                self.heard(change.aor, change.binding, change.at, change.rtt_s or 0.0)
            self._events.append(event_row(line_id, change, self._clock))

    def heard(self, number: str, binding: Binding, at: float, rtt_s: float) -> None:
        """The phone behind `binding` has answered."""
        line_id = self._line_ids.get(number)
        if line_id is not None:
            self._note_heard(heard_row(line_id, binding, at, rtt_s, self._clock))

    def _note_heard(self, heard: Heard) -> None:
        self._heard[heard.binding] = heard

    @property
    def waiting(self) -> int:
        """How many rows wait to be written."""
        return len(self._ended) + len(self._events) + len(self._heard)

    # Writing

    async def write(
        self,
        callers: Mapping[str, Caller],
        differences: Mapping[str, Difference],
        changes: Sequence[Change],
        *,
        alone: bool = False,
    ) -> frozenset[str]:
        """Makes the bindings of these lines what they are to be, in one transaction: all of it or nothing.

        Returns the lines that are not there any more, or have another password than their callers used, by
        number: of those nothing was written. `alone` leaves out what nobody waits for. Raises `StorageError`.
        """
        clock, rows = self._clock, _Rows()
        refreshed: list[tuple[int, Binding]] = []
        for number, difference in differences.items():
            line_id = callers[number].line_id
            refreshed += [(line_id, each) for each in difference.refreshed]
            rows.puts += [binding_row(line_id, each, clock) for each in difference.put]
            rows.gone += [binding_id(line_id, each) for each in difference.gone]
        rows.refreshes += [refresh_row(line_id, each, clock) for line_id, each in refreshed]
        happened = [change for change in changes if change.kind is not ChangeKind.REFRESHED]
        rows.events += [event_row(callers[change.aor].line_id, change, clock) for change in happened]
        waiting = _Rows() if alone else self._waiting()
        anew = {
            binding_id(callers[change.aor].line_id, change.binding)
            for change in happened
            if change.kind in _ANEW
        }
        # What was heard by the old flow says nothing of the new one, even if it is heard meanwhile.
        waiting.heard = [heard for heard in waiting.heard if heard.binding not in anew]
        versions = {each.line_id: each.password_version for each in callers.values()}
        try:
            left = await self._write(rows, waiting, versions)
        except _NotThere:
            # Taken away behind our back, with their lines or without.
            rows.puts += [binding_row(line_id, each, clock) for line_id, each in refreshed]
            rows.refreshes = []
            left = await self._write(rows, waiting, versions)
        for each in anew:
            self._heard.pop(each, None)
        for number, caller in callers.items():
            if caller.line_id in left:
                self._note_line(number, caller.line_id, caller.password_version)
        return frozenset(number for number, caller in callers.items() if caller.line_id not in left)

    def _note_line(self, number: str, line_id: int, password_version: int) -> None:
        self._line_ids[number] = line_id
        if password_version == 1:
            self._versions.pop(number, None)
        else:
            self._versions[number] = password_version

    def is_older(self, caller: Caller) -> bool:
        """Whether the bindings of a line were made with an older password than its caller's."""
        number = caller.number
        return number in self._line_ids and self._versions.get(number, 1) < caller.password_version

    def forget(self, number: str) -> None:
        """A line has no bindings any more."""
        self._line_ids.pop(number, None)
        self._versions.pop(number, None)

    async def write_waiting(self) -> None:
        """Writes some of what nobody waits for. Raises `StorageError`."""
        await self._write(_Rows(), self._waiting(), {})

    def drop_waiting(self) -> None:
        """Forgets what `write_waiting` would write: it can't be written."""
        self._forget(self._waiting())

    async def follow_clock(self) -> None:
        """Has all rows say UTC again where the wall clock has stepped. Raises `StorageError`."""
        step_s = self._clock.step_s()
        if step_s is None:
            return
        before, after = self._clock.basis, self._clock.stepped(step_s)

        async def shift(writer: Writer) -> bool:
            if self._stored_basis != str(before):
                await queries.store_basis(writer, str(before))
            return await queries.shift_moments(writer, str(before), str(after), step_s)

        if not await self._database.appended(shift):
            # It was done before, and the answer got lost.
            self._stored_basis = await queries.stored_basis(self._database)
            after = Basis.parse(self._stored_basis) or after
        logger.warning("the clock was set, rows follow by_s=%.3f", step_s)
        self._stored_basis = str(after)
        self._clock.adopt(after)
        # By the other clock. They come again.
        self._heard.clear()

    async def remove_lapsed(self) -> None:
        """Takes away what lapsed and nobody knows of any more. Raises `StorageError`."""
        before = self._clock.utc(self._sources.loop()) - _LAPSED
        await self._database.appended(lambda writer: queries.remove_lapsed(writer, before))

    async def lines_lost(self, numbers: Set[str] | None = None) -> tuple[list[str], list[str]]:
        """Which of these lines, or of all (None), had bindings and are not there any more.

        And which are there, but have another password than their bindings were made with. Raises
        `StorageError`.
        """
        asked = self._line_ids if numbers is None else numbers & self._line_ids.keys()
        ids = {number: self._line_ids[number] for number in asked}
        left = await queries.lines_left(self._database, ids.values())
        gone = [number for number, line_id in ids.items() if line_id not in left]
        revoked = [
            number
            for number, line_id in ids.items()
            if line_id in left and left[line_id] != self._versions.get(number, 1)
        ]
        for number in gone:
            self.forget(number)
        return gone, revoked

    def _waiting(self) -> _Rows:
        """What nobody waits for, as much of it as one transaction takes."""
        return _Rows(
            gone=list(islice(self._ended, _BATCH)),
            events=list(islice(self._events, _BATCH)),
            heard=list(islice(self._heard.values(), _BATCH)),
        )

    async def _write(self, rows: _Rows, waiting: _Rows, versions: Mapping[int, int]) -> frozenset[int]:
        """Returns which of the lines are there, and forgets what waited and is written now.

        Of a line with another password than that of `versions` nothing is written.

        Raises `_NotThere`, and `StorageError`.
        """
        both, basis = waiting + rows, str(self._clock.basis)

        async def write(writer: Writer) -> _Written:
            if both.events:
                await announce_by(writer)
            if self._stored_basis != basis:
                await queries.store_basis(writer, basis)
            if both.refreshes and not await queries.refresh_bindings(writer, both.refreshes):
                raise _NotThere
            there = await queries.lines_there(writer, both.line_ids())
            left = frozenset(each for each, now in there.items() if versions.get(each, now) == now)
            written = both.of(left, await queries.devices_there(writer, both.device_ids()))
            # What has lapsed goes first: it may have come back.
            await queries.remove_bindings(writer, written.gone)
            await queries.put_bindings(writer, written.puts)
            await queries.add_events(writer, written.events)
            await queries.note_heard(writer, written.heard)
            events = Counter(event.line_id for event in written.events)
            due = {each for each, more in events.items() if self._unpruned[each] + more >= _PRUNE_AFTER}
            await queries.prune_events(writer, due, self._kept_events)
            return _Written(left, events, due)

        written = await self._database.appended(write)
        self._stored_basis = basis
        self._forget(waiting)
        for put in rows.puts:
            self._ended.pop(BindingId(*put[:4]), None)
        self._unpruned.update(written.events)
        for line_id in written.pruned:
            del self._unpruned[line_id]
        # A binding is there as long as its line is.
        return written.lines.union(each.binding.line_id for each in rows.refreshes)

    def _forget(self, waiting: _Rows) -> None:
        for ended in waiting.gone:
            self._ended.pop(ended, None)
        for event in waiting.events:
            if self._events and self._events[0] is event:
                self._events.popleft()
        for heard in waiting.heard:
            if self._heard.get(heard.binding) is heard:
                del self._heard[heard.binding]


class _NotThere(Exception):
    """Bindings that were refreshed have no rows."""


class _Written(NamedTuple):
    """What a transaction has found and done."""

    lines: frozenset[int]
    "Those that are there."
    events: Counter[int]
    "Of each line."
    pruned: set[int]
    "Lines whose oldest events were forgotten."


@dataclass(slots=True)
class _Rows:
    """What one transaction writes."""

    refreshes: list[BindingRefresh] = field(default_factory=list)
    gone: list[BindingId] = field(default_factory=list)
    puts: list[BindingRow] = field(default_factory=list)
    events: list[BindingEvent] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def __add__(self, other: _Rows) -> _Rows:
        return _Rows(
            self.refreshes + other.refreshes,
            self.gone + other.gone,
            self.puts + other.puts,
            self.events + other.events,
            self.heard + other.heard,
        )

    def line_ids(self) -> set[int]:
        """The lines that it is about, but for those of refreshes."""
        ids = {each.line_id for each in self.gone}
        ids.update(each.line_id for each in self.puts)
        ids.update(each.line_id for each in self.events)
        ids.update(each.binding.line_id for each in self.heard)
        return ids

    def device_ids(self) -> set[int]:
        """The devices that it names."""
        rows: Iterable[BindingRow | BindingEvent] = chain(self.puts, self.events)
        return {each.device_id for each in rows if each.device_id is not None}

    def of(self, lines: Set[int], devices: Set[int]) -> _Rows:
        """What of it is about these lines, and names none but these devices."""
        return _Rows(
            self.refreshes,
            [each for each in self.gone if each.line_id in lines],
            [_naming(each, devices) for each in self.puts if each.line_id in lines],
            [_naming(each, devices) for each in self.events if each.line_id in lines],
            [each for each in self.heard if each.binding.line_id in lines],
        )


_Naming = TypeVar("_Naming", BindingRow, BindingEvent)


def _naming(row: _Naming, devices: Set[int]) -> _Naming:
    if row.device_id is None or row.device_id in devices:
        return row
    return row._replace(device_id=None)
