"""REGISTERs of lines that have proved who they are: decided, stored, applied, answered, in this order.

One batch is under way at a time. It takes all that has come meanwhile, so the more there is to do, the more
shares one commit; nothing waits for company. A 200 means stored, and memory never runs ahead of the disk.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import random

from db.changes import ALL
from db.errors import DatabaseBusy, StorageError
from provisioner.operations.counted import Registering
from provisioner.operations.installation import Installation, utc_now
from provisioner.pbx.attribution import Attribution
from provisioner.pbx.bindings import Difference, StoredBindings
from provisioner.pbx.clock import Sources
from provisioner.pbx.keys import LINE
from provisioner.pbx.news import News
from sip.binding import Binding, Change, ChangeKind
from sip.errors import SipError
from sip.location import Location
from sip.registrar import Decision, Origin, register
from sip.registrar_contact import Limits
from sip.server import Incoming, new_tag

logger = logging.getLogger(__name__)

_BATCH = 1_000
_MANY = 5_000
"Bindings that are loaded; from so many on the collector of garbage had better never look at them."
_MOST_WAITING = 4_000
"Of those that may wait for their batch; others come again when there is room."
_TICK_S = 1.0
"How long nothing may come before the clock and the data are looked at all the same."
_FLUSH_S = 5.0
"How long it may take until what nobody waits for is written."
_TIDY_S = 3600.0
_AGAIN_S = 1.0
"How long what nobody waits for rests after the database has refused it."
_BUSY_S = 2.0
"How long a change that holds what a batch needs is waited for."
_BUSY_AGAIN_S = 0.02


class NotStored(SipError):
    """What a REGISTER asks for could not be stored, so it was not done."""

    code = "not-stored"
    status = 503

    def __init__(self, after_s: int) -> None:
        super().__init__(f"registrations can't be stored now: try again in {after_s} s")
        self.after_s = after_s

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Retry-After", str(self.after_s)),)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A REGISTER that waits."""

    incoming: Incoming
    line_id: int
    number: str


@dataclass(slots=True)
class _Batch:
    """What was decided on the bindings of memory, and is not done yet."""

    decided: list[tuple[_Entry, Decision]] = field(default_factory=list)
    before: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    "Of the lines that were asked about, by number."
    after: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    line_ids: dict[str, int] = field(default_factory=dict)
    "Of the lines that something changes for."

    def add(self, entry: _Entry, decision: Decision) -> None:
        """Takes one more decision, which was made on what `bindings` gave."""
        self.decided.append((entry, decision))
        if decision.changes:
            self.after[entry.number] = decision.bindings
            self.line_ids[entry.number] = entry.line_id

    def bindings(self, number: str, location: Location, now: float) -> tuple[Binding, ...]:
        """What a line has, by the decisions so far."""
        found = self.after.get(number)
        if found is None:
            found = self.before[number] = location.bindings(number, now)
        return found

    def differences(self) -> dict[str, Difference]:
        """What is to be written for each line that something changes for."""
        return {number: _difference(self.before[number], after) for number, after in self.after.items()}

    def changes(self, without: frozenset[str] = frozenset()) -> list[Change]:
        """What happens, in order, but not to these lines."""
        return [
            change
            for entry, decision in self.decided
            if entry.number not in without
            for change in decision.changes
        ]


class Registrations:
    """Keeps the registrations of an installation: one process does."""

    def __init__(
        self,
        installation: Installation,
        location: Location,
        news: News,
        limits: Limits | None = None,
        sources: Sources | None = None,
    ) -> None:
        """`sources` of times are this machine's, unless given; loop time is the running loop's."""
        self._location = location
        self._news = news
        self._limits = limits or Limits()
        self._now = asyncio.get_running_loop().time
        self._stored = StoredBindings(installation, sources or Sources(self._now))
        self._attribution = Attribution(installation.database, news)
        self.counted = Registering()
        self._waiting: deque[_Entry] = deque()
        self._filled = asyncio.Event()
        self._is_away = False
        "The database took nothing when it was tried last."
        self._lines_in_doubt = True
        "Lines may have been taken away, before this process came or since it looked."
        self._flush_at = self._tidy_at = 0.0
        news.on_news(self._hear)

    async def start(self) -> None:
        """Puts all bindings that were stored into the location. Raises `StorageError`."""
        began = time.monotonic()
        # What is made here stays: looking for what may go takes longer than all the rest.
        gc.disable()
        try:
            self._location.restore(await self._stored.load())
        finally:
            gc.enable()
        if len(self._location) >= _MANY:
            gc.freeze()
        logger.info("bindings loaded count=%d took_s=%.3f", len(self._location), time.monotonic() - began)

    @property
    def is_full(self) -> bool:
        """Whether so many wait that nobody else should begin to."""
        return len(self._waiting) >= _MOST_WAITING

    def put(self, incoming: Incoming, line_id: int, number: str) -> None:
        """Takes a REGISTER of a line that has proved who it is; it is answered when it is stored.

        Raises `NotStored` where too many wait.
        """
        if self.is_full:
            raise NotStored(_some_time_s())
        self._waiting.append(_Entry(incoming, line_id, number))
        self._filled.set()

    def note(self, changes: Sequence[Change]) -> None:
        """Changes that the location has found by itself, to be kept."""
        self._stored.note(changes)

    def heard(self, number: str, binding: Binding, rtt_s: float) -> None:
        """The phone behind `binding` has answered a request after `rtt_s`."""
        self._stored.heard(number, binding, self._now(), rtt_s)

    async def run(self) -> None:
        """Serves what comes until it is cancelled."""
        self._tidy_at = self._now() + _TIDY_S
        while True:
            await self._wait()
            self._news.hear()
            self._stored.note(self._location.expire(self._now()))
            await self._tend()
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            if not self._waiting:
                self._filled.clear()
            if batch:
                self.counted.batches.add(len(batch))
                await self._serve(batch)

    async def _wait(self) -> None:
        """Until something has come, a binding lapses, or it is time to look around."""
        due = self._location.deadline
        longest_s = _TICK_S if due is None else min(_TICK_S, max(0.0, due - self._now()))
        try:
            async with asyncio.timeout(longest_s):
                await self._filled.wait()
        except TimeoutError:
            pass

    # What nobody waits for

    async def _tend(self) -> None:
        """Looks after rows: by the clock, by the data, by what has happened."""
        now = self._now()
        try:
            if self._lines_in_doubt:
                self._lines_in_doubt = False
                self._let_go(await self._stored.lines_gone())
            await self._stored.follow_clock()
            if now >= self._tidy_at:
                self._tidy_at = now + _TIDY_S
                await self._stored.remove_lapsed()
            if now >= self._flush_at and self._stored.waiting and not self._waiting:
                self._flush_at = now + _FLUSH_S
                await self._stored.write_waiting()
        except StorageError as error:
            self._flush_at, self._lines_in_doubt = now + _AGAIN_S, True
            self._tidy_at = min(self._tidy_at, now + _AGAIN_S)
            self._note_away(error)
        except Exception:
            # Whatever is wrong with it, registrations go on.
            logger.exception("what has happened to bindings can't be kept")
            self._stored.drop_waiting()

    def _let_go(self, numbers: Sequence[str]) -> None:
        """Lines have been taken away, and their rows with them."""
        now = self._now()
        for number in numbers:
            self._location.apply(
                [
                    Change(ChangeKind.UNREGISTERED, number, binding, now)
                    for binding in self._location.bindings(number, now)
                ]
            )
            logger.info("line gone, bindings dropped aor=%s", number)

    def _hear(self, scopes: Sequence[str]) -> None:
        if any(scope == ALL or scope.startswith(LINE) for scope in scopes):
            self._lines_in_doubt = True

    # A batch

    async def _serve(self, entries: Sequence[_Entry], *, alone: bool = False) -> None:
        """Decides, stores, applies and answers; of what can't be stored at once, one line at a time."""
        batch = _Batch()
        try:
            await self._attribution.look_up({entry.line_id for entry in entries})
            self._decide(entries, batch)
            gone = await self._store(batch, alone=alone)
        except StorageError as error:
            self._note_away(error)
            self._refuse(entries, batch)
        except Exception:
            # Who was refused is answered.
            left = [entry for entry, _ in batch.decided] or entries
            if alone:
                logger.exception("a registration can't be stored aor=%s", left[0].number)
                for entry in left:
                    entry.incoming.reply(500)
                return
            # Whatever is wrong with one line, the others are served.
            for number in dict.fromkeys(entry.number for entry in left):
                await self._serve([each for each in left if each.number == number], alone=True)
        else:
            self._apply(batch, gone)

    def _decide(self, entries: Sequence[_Entry], batch: _Batch) -> None:
        now = self._now()
        for entry in entries:
            entry.incoming.guarded(lambda entry=entry: self._decide_one(entry, batch, now))  # type: ignore[misc]

    def _decide_one(self, entry: _Entry, batch: _Batch, now: float) -> None:
        request, origin = entry.incoming.request, Origin.of(entry.incoming.flow)
        held = batch.bindings(entry.number, self._location, now)
        device_id = self._attribution.device_of(entry.line_id, request, origin.remote.host, held)
        dead = self._location.dead(entry.number)
        decision = register(
            request, entry.number, origin, held, now, self._limits, random, device_id=device_id, dead=dead
        )
        batch.add(entry, decision)

    async def _store(self, batch: _Batch, *, alone: bool) -> frozenset[str]:
        """Returns the lines that are not there any more. Raises `StorageError`."""
        if not batch.line_ids:
            return frozenset()
        began = time.monotonic()
        give_up_at = began + _BUSY_S
        while True:
            try:
                gone = await self._stored.write(
                    batch.line_ids, batch.differences(), batch.changes(), alone=alone
                )
            except DatabaseBusy:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_BUSY_AGAIN_S)
            else:
                self.counted.commits_s.add(time.monotonic() - began)
                if self._is_away:
                    self._is_away = False
                    logger.warning("registrations are stored again")
                return gone

    def _apply(self, batch: _Batch, gone: frozenset[str]) -> None:
        """What was stored is true from now on, and may be told."""
        self._stored.note(self._location.apply(batch.changes(without=gone)))
        if gone:
            self._lines_in_doubt = True
        date = utc_now()
        for entry, decision in batch.decided:
            incoming = entry.incoming
            if entry.number in gone:
                incoming.reply(NotStored.status, NotStored(1).headers)
            else:
                incoming.answer(decision.response(incoming.request, date, new_tag()))

    def _refuse(self, entries: Sequence[_Entry], batch: _Batch) -> None:
        """Answers a batch that was not stored; who asked only, and sees no change, gets what it asked for."""
        date = utc_now()
        decided = {id(entry): decision for entry, decision in batch.decided}
        for entry in entries:
            decision = decided.get(id(entry))
            if decision is not None and entry.number not in batch.line_ids:
                entry.incoming.answer(decision.response(entry.incoming.request, date, new_tag()))
            elif decision is not None or not batch.decided:
                entry.incoming.reply(NotStored.status, NotStored(_some_time_s()).headers)

    def _note_away(self, error: StorageError) -> None:
        if not self._is_away:
            logger.warning("registrations can't be stored error=%s", error)
        self._is_away = True


def _difference(before: Sequence[Binding], after: Sequence[Binding]) -> Difference:
    """What has to be written so that rows which say `before` say `after`, and what taken away."""
    there, kept = set(map(id, before)), {binding.key for binding in after}
    return (
        [binding for binding in after if id(binding) not in there],
        [binding for binding in before if binding.key not in kept],
    )


def _some_time_s() -> int:
    """After how many seconds to try again: not all at once."""
    return 5 + int(10 * random())  # noqa: S311 - nobody gains by guessing it
