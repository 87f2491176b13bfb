"""Writes down every call: that it began, who was rung and what became of it, and that it ended.

Calls never wait for it. What they tell is kept in memory and written a tenth of a second later, all calls
together, and nothing is there twice, whatever fails in between. What a killed server leaves are records
of calls that live; the next one closes them, and says so.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from db.errors import DatabaseBusy, StorageError
from db.queries import call_records as queries
from db.queries.call_records import Answered, EventRow, LineOfCall, OpenCall, Used
from db.tail import announce, announce_by
from db.writing import Writer, writer_of
from provisioner.centrex.exchange import Exchange
from provisioner.operations.counted import Calling
from provisioner.operations.installation import Installation, utc_now
from provisioner.pbx.call_log import Call, CallLog, Leg, Taken
from provisioner.pbx.call_plans import CallPlans
from provisioner.pbx.call_writing import Written, write_calls
from sip.call.story import CallAnswered, CallBegan, CallEnded, EndedBy, Event

logger = logging.getLogger(__name__)

_MOST = 20_000
"Calls that live or wait to be written."
_BATCH = 200
"Calls of one transaction."
_SOON_S = 0.1
"How long what was told waits for more."
_TICK_S = 1.0
_SEEN_S = 10.0
"How often it is written that the server lives, while there are calls."
_USED_S = 1.0
"How often it is written which lines are used."
_MOST_MARKS = 10_000
"Lines, and members of groups, whose use waits to be written."
_PRUNE_AFTER = 64
_LAST_S = 5.0
"The server's end waits so long for what is to be written yet."


class Recorder:
    """Is told of all calls of an installation: one process has them."""

    def __init__(
        self,
        installation: Installation,
        now: Callable[[], float],
        utc: Callable[[], datetime] = utc_now,
        *,
        known: Callable[[str], Exchange | None] = lambda _: None,
        most: int = _MOST,
        tester: Callable[[str], LineOfCall | None] = lambda _: None,
    ) -> None:
        """`now` is loop time, of which calls tell; `most`: calls of which it keeps anything.

        `known`: the switchboard of a line, if memory has it. `tester` says who makes test calls, by the
        number of a line that is in no database. Of such a call there is a record, but it is nobody's use of
        anything.
        """
        self._tester = tester
        self._database = installation.database
        self._forms = installation.settings.numbering.forms
        self._kept_events = installation.settings.memory.call_events_per_customer
        self._now, self._utc = now, utc
        self._log = CallLog(most)
        self._plans = CallPlans(known)
        self._used: dict[str, Used] = {}
        self._answered: dict[tuple[str, str], Answered] = {}
        self.counted = Calling(lambda: self._log.live, lambda: self._log.unwritten, lambda: self._log.lost)
        self._filled = asyncio.Event()
        self._is_away = False
        "The database took nothing when it was tried last."
        self._unpruned: Counter[int] = Counter()
        "Events of each customer since its oldest ones were forgotten."
        self._seen_at = self._used_at = float("-inf")

    def tell(self, event: Event) -> None:
        """Takes what happens to a call."""
        began_at = None
        if isinstance(event, CallBegan):
            began_at = self._utc() - timedelta(seconds=self._now() - event.at)
        call = self._log.tell(event, began_at)
        if call is None:
            if isinstance(event, CallBegan):
                logger.warning("there is no room for the record of a call call=%s", event.call)
            return
        self._plans.hear(event, call)
        if isinstance(event, CallBegan):
            call.number = self._forms.whole(event.dialled)
            call.line = self._tester(event.aor)
            if call.line is None:
                self._note_used(event.aor, call.began_at)
        elif isinstance(event, CallAnswered) and event.leg in call.legs and not call.is_test:
            self._note_answered(call.legs[event.leg], call.moment(event.at))
        elif isinstance(event, CallEnded):
            self._count(call, event)
        self._filled.set()

    def call_of(self, record: UUID) -> UUID:
        """The call that a record is about."""
        return self._log.call_of(record)

    async def start(self) -> None:
        """Closes the records of calls that lived when a server was killed. Raises `StorageError`."""
        after = closed = 0
        while True:
            async with self._database.append() as session:
                await announce(session)
                connection, writer = await session.connection(), await writer_of(session)
                calls = await queries.open_calls(connection, after, _BATCH)
                seen = await queries.seen_at(connection)
                # They lived when the server did last, as far as anybody knows.
                ends = [max(call.known_at, min(seen or call.known_at, self._utc())) for call in calls]
                serials = await queries.last_serials(connection, [call.id for call in calls])
                await queries.close_calls(writer, calls, ends, EndedBy.RESTARTED)
                rows = [
                    _restarted(call, serials.get(call.id, 0) + 1, at)
                    for call, at in zip(calls, ends, strict=True)
                ]
                await queries.add_events(writer, rows)
            if not calls:
                break
            after, closed = calls[-1].id, closed + len(calls)
        if closed:
            logger.warning("calls were cut off by the end of the server before count=%d", closed)

    async def run(self) -> None:
        """Writes what is told, until it is cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._filled.wait()
            # What is told meanwhile shares the commit.
            await asyncio.sleep(_SOON_S)
            self._filled.clear()
            try:
                await self._tend()
            except StorageError as error:
                self._note_away(error)
                await asyncio.sleep(_TICK_S)
                self._filled.set()

    async def close(self) -> None:
        """Writes what waits yet, if that can be done soon. Calls that go on are left to the next server."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                try:
                    self._seen_at = self._used_at = float("-inf")
                    await self._tend()
                except StorageError as error:
                    logger.warning("calls are not written count=%d error=%s", self._log.unwritten, error)

    # What is to be written

    def _note_used(self, line: str, at: datetime) -> None:
        if len(self._used) < _MOST_MARKS:
            self._used[line] = Used(at, line)

    def _note_answered(self, leg: Leg, at: datetime) -> None:
        line = leg.target.aor
        self._note_used(line, at)
        for each in leg.target.memberships:
            if len(self._answered) < _MOST_MARKS:
                self._answered[each.group, line] = Answered(each.group, line, at)

    def _count(self, call: Call, event: CallEnded) -> None:
        self.counted.ended[str(event.by)] += 1
        self.counted.legs.update(each.reason or "" for each in call.legs.values())
        if call.answered_at is not None:
            self.counted.talked_s.add(event.at - call.answered_at)

    # Writing

    async def _tend(self) -> None:
        """Writes all there is. Raises `StorageError`."""
        while self._log.is_waiting:
            await self._write(list(self._log.take(_BATCH)))
        # A change that holds a line or a group goes before these; they come again with the next calls.
        with suppress(DatabaseBusy):
            await self._write_answered()
        if self._now() - self._used_at >= _USED_S:
            self._used_at = self._now()
            with suppress(DatabaseBusy):
                await self._write_used()
        if self._log.live and self._now() - self._seen_at >= _SEEN_S:
            await self._database.appended(partial(queries.note_seen, at=self._utc()))
            self._seen_at = self._now()

    async def _write(self, batch: Sequence[Taken]) -> None:
        """Raises `StorageError`; what is not written then waits."""
        try:
            await self._store(batch)
        except Exception as error:
            is_away = isinstance(error, StorageError) and not isinstance(error, DatabaseBusy)
            if len(batch) > 1 and not is_away:
                # Whatever is wrong with one call, or holds its customer, the others are written.
                await self._write_alone(batch)
            elif isinstance(error, StorageError):
                self._give_back(batch)
                raise
            else:
                logger.exception("a call can't be recorded call=%s", batch[0].call.began.call)
                self._log.drop(batch[0])
        except BaseException:
            self._give_back(batch)
            raise

    async def _write_alone(self, batch: Sequence[Taken]) -> None:
        failed: StorageError | None = None
        for number, each in enumerate(batch):
            try:
                await self._write([each])
            except DatabaseBusy as error:
                failed = error
            except BaseException:
                self._give_back(batch[number + 1 :])
                raise
        if failed is not None:
            raise failed

    def _give_back(self, batch: Sequence[Taken]) -> None:
        for each in batch:
            self._log.unwritten_again(each)

    async def _store(self, batch: Sequence[Taken]) -> None:
        """All of it, in one transaction."""
        began = time.monotonic()

        async def write(writer: Writer) -> tuple[Written, set[int]]:
            # On SQLite in a thread: what becomes of a call meanwhile waits to be written again.
            await announce_by(writer)
            written = await write_calls(writer, batch, self._plans)
            told = written.events.items()
            due = {each for each, more in told if self._unpruned[each] + more >= _PRUNE_AFTER}
            await queries.prune_events(writer, due, self._kept_events)
            return written, due

        written, due = await self._database.appended(write)
        self._unpruned.update(written.events)
        self._plans.written(written.plans)
        for customer_id in due:
            del self._unpruned[customer_id]
        for each in batch:
            if each.call.line is None:
                logger.warning("a call of a line that has gone is not recorded aor=%s", each.call.began.aor)
                self._log.drop(each)
                continue
            each.call.row_id = each.call.row_id or written.ids[each.call.began.call]
            for side in each.call.sides.values():
                side.row_id = side.row_id or written.ids[side.uuid]
            self._log.written(each)
        self.counted.batches.add(len(batch))
        self.counted.commits_s.add(time.monotonic() - began)
        self._note_back()

    async def _write_answered(self) -> None:
        while self._answered:
            waiting = dict(list(self._answered.items())[:_BATCH])
            answered = list(waiting.values())
            await self._database.appended(partial(queries.note_answered, answered=answered))
            for key, each in waiting.items():
                if self._answered.get(key) is each:
                    del self._answered[key]

    async def _write_used(self) -> None:
        while self._used:
            waiting = dict(list(self._used.items())[:_BATCH])
            await self._database.appended(partial(queries.note_used, used=list(waiting.values())))
            for number, each in waiting.items():
                if self._used.get(number) is each:
                    del self._used[number]

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.warning("calls are recorded again")

    def _note_away(self, error: StorageError) -> None:
        if not self._is_away:
            logger.warning("calls wait to be recorded error=%s", error)
        self._is_away = True


def _restarted(call: OpenCall, serial: int, at: datetime) -> EventRow:
    details = {
        "call": str(call.uuid),
        "from": call.from_number,
        "from_line": call.line,
        "to": call.to_number,
        "reason": EndedBy.RESTARTED,
        "status": None,
        "talked_s": None,
    }
    return EventRow(call.id, serial, call.customer_id, at, "ended", json.dumps(details, ensure_ascii=False))
