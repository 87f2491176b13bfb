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
from functools import partial
from random import random

from db.changes import ALL
from db.errors import DatabaseBusy, StorageError
from provisioner.operations.counted import Registering
from provisioner.operations.installation import Installation, utc_now
from provisioner.pbx.attribution import Attribution
from provisioner.pbx.authentication import Caller
from provisioner.pbx.batch import Batch, Entry
from provisioner.pbx.bindings import StoredBindings
from provisioner.pbx.clock import Sources
from provisioner.pbx.keys import LINE
from provisioner.pbx.news import News
from provisioner.pbx.parted import Parted
from provisioner.pbx.registration_errors import InternalError, NotStored
from sip.binding import Binding, Change, ChangeKind
from sip.location import Location
from sip.registrar import Origin, register
from sip.registrar_contact import Limits
from sip.server import Incoming

logger = logging.getLogger(__name__)

_BATCH = 1_000
_MANY = 5_000
"Bindings that are loaded; from so many on the collector of garbage had better never look at them."
_MOST_WAITING = 4_000
"Of those that may wait for their batch; others come again when there is room."
_LONGEST_S = 10.0
"Whoever has waited so long for a database that hangs is told to come again."
_STUCK_S = 5.0
"A batch that takes so long lets nobody else wait."
_TICK_S = 1.0
"How long nothing may come before the clock and the data are looked at all the same."
_SOON_S = 0.1
"How long what has happened waits for more, before it is written: people watch it."
_FLUSH_S = 5.0
"How long it may take until what nobody waits for is written."
_TIDY_S = 3600.0
_AGAIN_S = 1.0
"How long what nobody waits for rests after the database has refused it."


class Registrations:
    """Keeps the registrations of an installation: one process does."""

    def __init__(
        self,
        installation: Installation,
        location: Location,
        news: News,
        limits: Limits | None = None,
        sources: Sources | None = None,
        parted: Parted | None = None,
    ) -> None:
        """`sources` of times are this machine's, unless given; loop time is the running loop's.

        `parted` is told which bindings have gone with their line, or the password that they were made with.
        """
        self._location = location
        self._news = news
        self._limits = limits or Limits()
        self._now = asyncio.get_running_loop().time
        self._stored = StoredBindings(installation, sources or Sources(self._now))
        self._parted = parted or Parted()
        self._attribution = Attribution(installation.database, news)
        self.counted = Registering()
        self._waiting: deque[Entry] = deque()
        self._filled = asyncio.Event()
        self._is_away = False
        "The database took nothing when it was tried last."
        self._under_way: Sequence[Entry] = ()
        "The batch."
        self._in_doubt: set[str] | None = None
        "Lines that may have been taken away since it was looked; None: any, as before this process came."
        self._rests_until = self._flush_at = self._tidy_at = 0.0
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
        """Whether so many wait, or for so long, that nobody else should begin to."""
        if len(self._waiting) >= _MOST_WAITING:
            return True
        return bool(self._under_way) and self._now() - self._under_way[0].came_at > _STUCK_S

    def put(self, incoming: Incoming, caller: Caller) -> None:
        """Takes a REGISTER of a line that has proved who it is; it is answered when it is stored.

        Raises `NotStored` where too many wait.
        """
        if self.is_full:
            raise NotStored(_some_time_s())
        self._waiting.append(Entry(incoming, caller, self._now()))
        self._filled.set()

    def note(self, changes: Sequence[Change]) -> None:
        """Changes that the location has found by itself, to be kept."""
        if changes:
            self._stored.note(changes)
            self._flush_at = min(self._flush_at, self._now() + _SOON_S)
            self._filled.set()

    def heard(self, number: str, binding: Binding, rtt_s: float) -> None:
        """The phone behind `binding` has answered a request after `rtt_s`."""
        self._stored.heard(number, binding, self._now(), rtt_s)

    async def run(self) -> None:
        """Serves what comes until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._give_up(), name="registrations that wait")
            await self._run()

    async def _run(self) -> None:
        self._tidy_at = self._now() + _TIDY_S
        while True:
            await self._wait()
            self._news.hear()
            self.note(self._location.expire(self._now()))
            await self._tend()
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            if not self._waiting:
                self._filled.clear()
            if batch:
                self.counted.batches.add(len(batch))
                self._under_way = batch
                await self._serve(batch)
                self._under_way = ()

    async def _wait(self) -> None:
        """Until something has come, a binding lapses, or it is time to look around."""
        due = self._now() + _TICK_S
        if self._location.deadline is not None:
            due = min(due, self._location.deadline)
        if self._stored.waiting:
            due = min(due, max(self._flush_at, self._rests_until))
        try:
            async with asyncio.timeout_at(due):
                await self._filled.wait()
        except TimeoutError:
            pass

    async def _give_up(self) -> None:
        """Answers whoever has waited for too long. What is under way goes on: it may be stored yet."""
        while True:
            await asyncio.sleep(_LONGEST_S / 4)
            too_early = self._now() - _LONGEST_S
            late = [entry for entry in self._under_way if entry.came_at < too_early]
            while self._waiting and self._waiting[0].came_at < too_early:
                late.append(self._waiting.popleft())
            for entry in late:
                entry.refuse(NotStored(_some_time_s()))

    # What nobody waits for

    async def _tend(self) -> None:
        """Looks after rows: by the clock, by the data, by what has happened."""
        now = self._now()
        if now < self._rests_until:
            return
        try:
            await self._look_for_lines()
            await self._stored.follow_clock()
            if now >= self._tidy_at:
                await self._stored.remove_lapsed()
                self._tidy_at = now + _TIDY_S
            if now >= self._flush_at and self._stored.waiting and not self._waiting:
                await self._stored.write_waiting()
                self._note_back()
                self._flush_at = now if self._stored.waiting else now + _FLUSH_S
        except StorageError as error:
            self._rests_until = now + _AGAIN_S
            self._note_away(error)
        except Exception:
            # Whatever is wrong with it, registrations go on.
            logger.exception("what has happened to bindings can't be kept")
            self._stored.drop_waiting()

    async def _look_for_lines(self) -> None:
        """Lets go of lines that have been taken away, and their rows with them, and of what was made with a
        password that is no more. Raises `StorageError`.
        """
        doubt, self._in_doubt = self._in_doubt, set()
        if doubt is not None and not doubt:
            return
        try:
            gone, revoked = await self._stored.lines_lost(doubt)
        except BaseException:
            self._in_doubt = None
            raise
        for number in gone:
            ended = self._ended(number, ChangeKind.UNREGISTERED)
            self._parted.note(number, [change.binding for change in ended])
            self._location.apply(ended)
            logger.info("line gone, bindings dropped aor=%s", number)
        for number in revoked:
            self._revoke(number)

    def _revoke(self, number: str) -> None:
        """The line has another password: whoever has registered with the old one may not be its phone."""
        ended = self._ended(number, ChangeKind.REVOKED)
        self._parted.note(number, [change.binding for change in ended])
        self.note([*ended, *self._location.apply(ended)])
        self._stored.forget(number)
        logger.info("another password, bindings dropped aor=%s count=%d", number, len(ended))

    def _ended(self, number: str, kind: ChangeKind) -> list[Change]:
        now = self._now()
        return [Change(kind, number, each, now) for each in self._location.bindings(number, now)]

    def _hear(self, scopes: Sequence[str]) -> None:
        for scope in scopes:
            if scope == ALL:
                self._in_doubt = None
            elif scope.startswith(LINE) and self._in_doubt is not None:
                self._in_doubt.add(scope.removeprefix(LINE))

    # A batch

    async def _serve(self, entries: Sequence[Entry], *, alone: bool = False) -> None:
        """Decides, stores, applies and answers; of what can't be stored at once, one line at a time."""
        batch = Batch()
        try:
            await self._attribution.look_up({entry.caller.line_id for entry in entries})
            self._decide(entries, batch)
            gone = await self._store(batch, alone=alone)
        except DatabaseBusy:
            if alone:
                self._refuse(entries, batch)
            else:
                await self._serve_alone(entries, batch)
        except StorageError as error:
            self._note_away(error)
            self._refuse(entries, batch)
        except Exception:
            if alone:
                logger.exception("a registration can't be stored aor=%s", entries[0].number)
                for entry in entries:
                    entry.refuse(InternalError())
            else:
                await self._serve_alone(entries, batch)
        else:
            self._apply(batch, gone)

    async def _serve_alone(self, entries: Sequence[Entry], batch: Batch) -> None:
        """Whatever is wrong with one line, or holds it, the others are served."""
        # Who was refused is answered.
        left = [entry for entry, _ in batch.decided] or entries
        for number in dict.fromkeys(entry.number for entry in left):
            await self._serve([each for each in left if each.number == number], alone=True)

    def _decide(self, entries: Sequence[Entry], batch: Batch) -> None:
        now = self._now()
        for entry in entries:
            if not entry.is_answered:
                entry.incoming.guarded(partial(self._decide_one, entry, batch, now))

    def _decide_one(self, entry: Entry, batch: Batch, now: float) -> None:
        request, origin = entry.incoming.request, Origin.of(entry.incoming.flow)
        if self._stored.is_older(entry.caller):
            # It has not been heard yet that there is another password.
            self._revoke(entry.number)
        held = batch.bindings(entry.number, self._location, now)
        device_id = self._attribution.device_of(entry.caller.line_id, request, origin.remote.host, held)
        dead = self._location.dead(entry.number)
        decision = register(
            request, entry.number, origin, held, now, self._limits, random, device_id=device_id, dead=dead
        )
        batch.add(entry, decision)

    async def _store(self, batch: Batch, *, alone: bool) -> frozenset[str]:
        """Returns the lines that are not there any more, or have another password.

        Raises `StorageError`, and `DatabaseBusy` where a change holds a row that is needed.
        """
        if not batch.callers:
            return frozenset()
        began = time.monotonic()
        gone = await self._stored.write(batch.callers, batch.differences(), batch.changes(), alone=alone)
        self.counted.commits_s.add(time.monotonic() - began)
        self._note_back()
        return gone

    def _apply(self, batch: Batch, gone: frozenset[str]) -> None:
        """What was stored is true from now on, and may be told."""
        self.note(self._location.apply(batch.changes(without=gone)))
        if self._in_doubt is not None:
            self._in_doubt |= gone
        date = utc_now()
        for entry, decision in batch.decided:
            if entry.number in gone:
                entry.refuse(NotStored(1))
            else:
                entry.grant(decision, date)

    def _refuse(self, entries: Sequence[Entry], batch: Batch) -> None:
        """Answers a batch that was not stored; who asked only, and sees no change, gets what it asked for."""
        date = utc_now()
        decided = {id(entry): decision for entry, decision in batch.decided}
        for entry in entries:
            decision = decided.get(id(entry))
            if decision is not None and entry.number not in batch.callers:
                entry.grant(decision, date)
            elif decision is not None or not batch.decided:
                entry.refuse(NotStored(_some_time_s()))

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.warning("registrations are stored again")

    def _note_away(self, error: StorageError) -> None:
        if not self._is_away:
            logger.warning("registrations can't be stored error=%s", error)
        self._is_away = True


def _some_time_s() -> int:
    """After how many seconds to try again: not all at once."""
    return 5 + int(10 * random())  # noqa: S311 - nobody gains by guessing it
