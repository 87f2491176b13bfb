"""The memory of what phones asked, got and reported. Bounded; many requests are written with one commit."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from db.errors import DatabaseBusy, StorageError
from db.queries import tracing
from db.queries.tracing import PhoneEvent, Progress, RequestTrace
from db.tail import announce_by
from db.unavailable import BUSY_S
from db.writing import Writer
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.claims import Entry
from provisioner.operations.installation import Installation
from provisioner.operations.phone_events import event_row
from provisioner.operations.printable import printable
from provisioner.operations.scan_guard import ScanGuard
from provisioner.operations.scans import Miss, Noticed

logger = logging.getLogger(__name__)

_GATHER_S = 0.2
"How long a trace waits for others that are written with the same commit, where nobody waits for it."
_BATCH = 1000
"Traces that are written with one commit, at most and to begin with."
_SMALL_BATCH = 64
_HELD_CPU_S = 0.006
"""Of a processor's time, for which a batch keeps everybody else from writing to a SQLite file.

Not of the clock's: where the processor is busy with others, smaller batches would only be more work.
"""
_WAITING = 50_000
"More than these are lost and counted: phones are served first."
_AGAIN_S = 0.5
"How long traces wait before they are tried again, where the database could not take them."
_HELD_S = 0.02
"How long traces wait for a change that holds one of their devices, before they are tried again."
_PRUNE_AFTER = 64
_PRUNE_STRANGERS_AFTER = 256
_LIKE_A_TOKEN = re.compile("[0-9A-Fa-f]{32,}")
_LONGEST_PATH = 300


@dataclass(frozen=True, slots=True)
class Trace:
    """One request with its answer."""

    at: datetime
    ask: Ask
    answer: Answer
    method: str
    status: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    trace: Trace | None
    stored: asyncio.Future[bool] | None = None
    "Set where somebody waits."


@dataclass(slots=True)
class _Inbox:
    """What came in and is not written yet."""

    waiting: list[_Waiting] = field(default_factory=list)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    "Somebody waits, or a batch is full."
    lost: int = 0


class RequestLog:
    """Writes traces in batches, behind the answers."""

    def __init__(self, installation: Installation, guard: ScanGuard) -> None:
        self._installation = installation
        self._guard = guard
        self._inbox = _Inbox()
        self._closing = False
        self._is_away = False
        "The database took nothing when it was tried last."
        self._ended = asyncio.Event()
        self._since_pruning: Counter[int | None] = Counter()
        self._batch = _BATCH

    def note(self, trace: Trace) -> None:
        """Takes a trace. It costs the phone nothing: what can't be written, or not fast enough, is lost."""
        if len(self._inbox.waiting) < _WAITING:
            self._put(_Waiting(trace))
        else:
            self._inbox.lost += 1

    async def stored(self, trace: Trace) -> bool:
        """Keeps what a phone reported; False where it can't be (rule 5: then it must not be acknowledged)."""
        return await self._written(trace)

    async def settled(self) -> None:
        """Returns when all that came in before is written, and who is to be banned for it is."""
        await self._written(None)
        await self._guard.settled()

    async def run(self) -> None:
        """Writes what comes in until `close`."""
        inbox = self._inbox
        try:
            while not (self._closing and not inbox.waiting):
                await inbox.filled.wait()
                await self._gather()
                batch, inbox.waiting = inbox.waiting[: self._batch], inbox.waiting[self._batch :]
                if not inbox.waiting:
                    inbox.filled.clear()
                    inbox.hurried.clear()
                await self._write(batch)
                if self._is_away and not self._closing:
                    await asyncio.sleep(_AGAIN_S)
        finally:
            self._ended.set()

    async def close(self) -> None:
        """Ends `run` when all that had come in is written; nothing may be noted any more."""
        if not self._ended.is_set():
            self._closing = True
            self._put(_Waiting(None, asyncio.get_running_loop().create_future()))
            await self._ended.wait()

    def _put(self, waiting: _Waiting) -> None:
        inbox = self._inbox
        inbox.waiting.append(waiting)
        inbox.filled.set()
        if waiting.stored is not None or len(inbox.waiting) >= _BATCH:
            inbox.hurried.set()

    async def _written(self, trace: Trace | None) -> bool:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._put(_Waiting(trace, stored))
        return await stored

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(_GATHER_S):
                await self._inbox.hurried.wait()
        except TimeoutError:
            pass

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._append([each for each in batch if each.trace is not None])
        finally:
            for each in batch:
                if each.stored is not None and not each.stored.done():
                    each.stored.set_result(False)
        if self._inbox.lost:
            logger.warning("traces lost count=%d", self._inbox.lost)
            self._inbox.lost = 0

    async def _append(self, batch: Sequence[_Waiting]) -> None:
        """Stores all of them, or of a batch that can't be stored as many as can be one by one."""
        traces = [each.trace for each in batch if each.trace is not None]
        if not traces:
            return
        try:
            await self._keep(traces)
        except StorageError as error:
            self._put_back(batch, error)
        except Exception:
            # Whatever is wrong with one trace, the others are kept and the server goes on.
            if len(batch) == 1:
                logger.exception("traces lost count=1")
                return
            for each in batch:
                await self._append([each])
        else:
            if self._is_away:
                self._is_away = False
                logger.warning("traces are written again")
            for each in batch:
                # Whoever waited may have gone.
                if each.stored is not None and not each.stored.done():
                    each.stored.set_result(True)

    async def _keep(self, traces: Sequence[Trace]) -> None:
        """Writes the traces; waits for a change that holds one of their devices. Raises `StorageError`."""
        give_up_at = time.monotonic() + BUSY_S
        while True:
            try:
                return await self._keep_now(traces)
            except DatabaseBusy:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_HELD_S)

    async def _keep_now(self, traces: Sequence[Trace]) -> None:
        since, memory = self._since_pruning, self._installation.settings.memory

        async def write(writer: Writer) -> _Written:
            began = time.thread_time()
            await announce_by(writer)
            stored = await _store(writer, traces)
            # Those of this batch alone: a look at all devices would hold up the phones.
            due = {
                owner for owner, count in stored.owners.items() if since[owner] + count >= _prune_after(owner)
            }
            devices = {owner for owner in due if owner is not None}
            await tracing.prune_requests(writer, devices, memory.requests_per_device)
            await tracing.prune_events(writer, devices, memory.events_per_device)
            if None in due:
                await tracing.prune_strangers(writer, memory.requests_of_strangers)
            noticed = await self._guard.note(writer, stored.misses)
            # PostgreSQL lets others write meanwhile.
            held_s = time.thread_time() - began if writer.database == "sqlite" else 0.0
            return _Written(stored.owners, due, noticed, held_s)

        written = await self._installation.database.appended(write)
        self._batch = next_batch(self._batch, len(traces), written.held_s)
        self._guard.tell(written.noticed)
        since.update(written.owners)
        for owner in written.pruned:
            del since[owner]

    def _put_back(self, batch: Sequence[_Waiting], error: StorageError) -> None:
        """Keeps traces until the database takes them. Nobody else waits for that: they are refused now."""
        if not self._is_away:
            logger.warning("traces wait error=%s", error)
        self._is_away = True
        inbox = self._inbox
        patient = [each for each in batch if each.stored is None]
        for each in inbox.waiting:
            if each.stored is None:
                patient.append(each)
            elif not each.stored.done():
                each.stored.set_result(False)
        # At the end there is no later.
        inbox.waiting = [] if self._closing else patient[:_WAITING]
        inbox.lost += len(patient) - len(inbox.waiting)
        if inbox.waiting:
            inbox.filled.set()


def next_batch(limit: int, written: int, held_s: float) -> int:
    """How many traces to write at a time, when `written` of them, up to `limit`, took `held_s`."""
    if held_s > _HELD_CPU_S:
        return max(_SMALL_BATCH, int(written * _HELD_CPU_S / held_s))
    # What was few says little of what many would take.
    could_be_more = written == limit and held_s < _HELD_CPU_S / 2
    return min(2 * limit, _BATCH) if could_be_more else limit


def _prune_after(owner: int | None) -> int:
    return _PRUNE_STRANGERS_AFTER if owner is None else _PRUNE_AFTER


class _Listed(NamedTuple):
    """A device that traces speak of."""

    id: int
    mac: str
    had_token: bool = False
    "A token of it was used; False, too, where nobody asked for it by its MAC."


class _Stored(NamedTuple):
    """What was found out about traces when they were written."""

    owners: Counter[int | None]
    "How many each device has got."
    misses: list[Miss]


class _Written(NamedTuple):
    """What a batch came to."""

    owners: Counter[int | None]
    "How many traces each device has got."
    pruned: set[int | None]
    noticed: Noticed | None
    held_s: float
    "For how long others were kept from writing, in the processor's time."


async def _store(writer: Writer, traces: Sequence[Trace]) -> _Stored:
    """Writes the traces."""
    listed = await _listed(writer, traces)
    of_id, of_mac = {each.id: each for each in listed}, {each.mac: each for each in listed}
    rows: list[RequestTrace] = []
    events: list[PhoneEvent] = []
    progress: dict[int, Trace] = {}
    fetched: dict[int, Trace] = {}
    owners: Counter[int | None] = Counter()
    for trace in traces:
        answer = trace.answer
        # Who asked in vain is found by the MAC that it asked for, here and not before it was answered.
        device = of_mac.get(answer.mac or "") if answer.device_id is None else of_id.get(answer.device_id)
        owner = device.id if device else None
        owners[owner] += 1
        if answer.reported is not None:
            if owner is not None:
                events.append(event_row(trace.at, trace.ask, owner, answer.reported))
            continue
        if owner is not None:
            progress[owner] = trace
            if answer.is_own_file and trace.method == "GET" and answer.revision_id is not None:
                fetched[owner] = trace
        rows.append(_row(trace, device))
    await tracing.add_events(writer, events)
    await tracing.add_requests(writer, rows)
    await tracing.note_progress(
        writer,
        [
            Progress(
                trace.at,
                trace.ask.source,
                got.at if (got := fetched.get(each)) else None,
                got.answer.revision_id if got else None,
                each,
            )
            for each, trace in progress.items()
        ],
    )
    misses = [Miss(row.source, row.mac, row.at) for row in rows if row.mac and row.reason == Reason.UNLISTED]
    return _Stored(owners, misses)


async def _listed(writer: Writer, traces: Sequence[Trace]) -> list[_Listed]:
    """The devices that are answered or asked for; one may have been taken off the list since."""
    ids = {trace.answer.device_id for trace in traces if trace.answer.device_id is not None}
    macs = {trace.answer.mac for trace in traces if trace.answer.device_id is None and trace.answer.mac}
    answered = [_Listed(*row) for row in await tracing.devices_of_ids(writer, ids)]
    # Whether a token was used is asked of those alone that did not come with one.
    return [*answered, *(_Listed(*row) for row in await tracing.devices_of_macs(writer, macs))]


def _row(trace: Trace, device: _Listed | None) -> RequestTrace:
    ask, answer = trace.ask, trace.answer
    agent = parse_user_agent(ask.agent)
    # A phone that is gone has taken its files along.
    is_gone = answer.device_id is not None and device is None
    return RequestTrace(
        at=trace.at,
        device_id=device.id if device else None,
        mac=answer.mac or (agent.mac if agent else None),
        source=ask.source,
        user_agent=printable(ask.agent),
        model_claimed=printable(agent.model) if agent and agent.model else None,
        firmware_claimed=agent.firmware if agent else None,
        method=trace.method,
        path=redacted(ask),
        file_name=answer.file_name,
        revision_id=None if is_gone else answer.revision_id,
        status=trace.status,
        reason=_reason(answer, device),
        sent_bytes=trace.sent_bytes,
    )


def _reason(answer: Answer, device: _Listed | None) -> str:
    """Why a request for a MAC without a window was closed, which nobody looked up when it was answered."""
    if answer.reason != Entry.CLOSED or answer.device_id is not None:
        return answer.reason
    if device is None:
        return Reason.UNLISTED
    return Entry.RESET_OR_STRANGER if device.had_token else Entry.CLOSED


def redacted(ask: Ask) -> str:
    """The path without the token, also where it stands in the wrong place."""
    path = printable(_LIKE_A_TOKEN.sub("…", ask.path)[:_LONGEST_PATH])
    return f"/…/{path}" if ask.token else f"/{path}"
