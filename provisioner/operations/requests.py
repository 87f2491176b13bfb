"""The memory of what phones asked, got and reported. Bounded; many requests are written with one commit."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import StorageError
from db.schema import DeviceRow, ProvisioningRequestRow, RevisionRow
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.operations.asking import Answer, Ask
from provisioner.operations.installation import Installation
from provisioner.operations.phone_events import event_row, prune_events
from provisioner.operations.printable import printable
from provisioner.settings import Memory

logger = logging.getLogger(__name__)

_BATCH = 256
_WAITING = 4096
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
    trace: Trace
    stored: asyncio.Future[bool]


class RequestLog:
    """Writes traces in batches."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(_WAITING)
        self._ended = asyncio.Event()
        self._since_pruning: Counter[int | None] = Counter()

    async def record(self, trace: Trace) -> bool:
        """Keeps the trace. A database that can't be written costs the trace, never the phone its answer.

        Returns whether the trace is stored; when nothing was given, as soon as it waits its turn: how long
        storing takes would tell a stranger that the MAC is listed.
        """
        stored = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(trace, stored))
        return True if trace.answer.is_closed else await stored

    async def run(self) -> None:
        """Writes what comes in until `close`."""
        try:
            open_ = True
            while open_:
                batch = [await self._queue.get()]
                while len(batch) < _BATCH and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                open_ = None not in batch
                await self._write([each for each in batch if each is not None])
        finally:
            self._ended.set()

    async def close(self) -> None:
        """Ends `run` when all that had come in is written; nothing may be recorded any more."""
        if not self._ended.is_set():
            await self._queue.put(None)
            await self._ended.wait()

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            await self._append(batch)
        finally:
            for each in batch:
                if not each.stored.done():
                    each.stored.set_result(False)

    async def _append(self, batch: Sequence[_Waiting]) -> None:
        """Stores all of them, or of a batch that can't be stored as many as can be one by one."""
        traces = [each.trace for each in batch]
        try:
            async with self._installation.database.append() as session:
                await _store(session, traces)
                since = self._since_pruning + Counter(trace.answer.device_id for trace in traces)
                if due := since.total() >= _BATCH:
                    memory = self._installation.settings.memory
                    await prune(session, memory, set(since))
                    await prune_events(session, memory.events_per_device, {each for each in since if each})
            self._since_pruning = Counter() if due else since
        except StorageError:
            logger.exception("traces lost count=%d", len(traces))
        except Exception:
            # Whatever is wrong with one trace, the others are kept and the server goes on.
            if len(batch) == 1:
                logger.exception("traces lost count=1")
                return
            for each in batch:
                await self._append([each])
        else:
            for each in batch:
                # Whoever waited may have gone.
                if not each.stored.done():
                    each.stored.set_result(True)


async def _store(session: AsyncSession, traces: Sequence[Trace]) -> None:
    known = await _still_there(session, traces)
    for trace in traces:
        answer = trace.answer
        if answer.reported is not None:
            if answer.device_id is not None and answer.device_id in known.devices:
                session.add(event_row(trace.at, trace.ask, answer.device_id, answer.reported))
            continue
        agent = parse_user_agent(trace.ask.agent)
        session.add(
            ProvisioningRequestRow(
                at=trace.at,
                device_id=answer.device_id if answer.device_id in known.devices else None,
                mac=answer.mac or (agent.mac if agent else None),
                source=trace.ask.source,
                user_agent=printable(trace.ask.agent),
                model_claimed=printable(agent.model) if agent and agent.model else None,
                firmware_claimed=agent.firmware if agent else None,
                method=trace.method,
                path=redacted(trace.ask),
                file_name=answer.file_name,
                revision_id=answer.revision_id if answer.revision_id in known.revisions else None,
                status=trace.status,
                reason=answer.reason,
                sent_bytes=trace.sent_bytes,
            )
        )
    await _note_progress(session, traces)


@dataclass(frozen=True, slots=True)
class _Known:
    """What traces refer to and is there."""

    devices: frozenset[int]
    revisions: frozenset[int]


async def _still_there(session: AsyncSession, traces: Sequence[Trace]) -> _Known:
    """A phone may have been taken off the list since its answer; its trace is kept without it."""
    devices = {trace.answer.device_id for trace in traces if trace.answer.device_id is not None}
    revisions = {trace.answer.revision_id for trace in traces if trace.answer.revision_id is not None}
    return _Known(
        frozenset(await session.scalars(select(DeviceRow.id).where(DeviceRow.id.in_(devices)))),
        frozenset(await session.scalars(select(RevisionRow.id).where(RevisionRow.id.in_(revisions)))),
    )


async def _note_progress(session: AsyncSession, traces: Sequence[Trace]) -> None:
    """How far each listed phone came, beside the trace that is forgotten one day."""
    newest: dict[int, Trace] = {
        trace.answer.device_id: trace
        for trace in traces
        if trace.answer.device_id and trace.answer.reported is None
    }
    fetched: dict[int, Trace] = {
        trace.answer.device_id: trace
        for trace in traces
        if trace.answer.device_id and trace.answer.is_own_file and trace.method == "GET"
    }
    if not newest:
        return
    rows = await session.scalars(select(DeviceRow).where(DeviceRow.id.in_(list(newest))))
    for row in rows:
        trace = newest[row.id]
        row.contacted_at, row.contacted_from = trace.at, trace.ask.source
        if (got := fetched.get(row.id)) is not None:
            row.fetched_at, row.fetched_revision_id = got.at, got.answer.revision_id


def redacted(ask: Ask) -> str:
    """The path without the token, also where it stands in the wrong place."""
    path = printable(_LIKE_A_TOKEN.sub("…", ask.path)[:_LONGEST_PATH])
    return f"/…/{path}" if ask.token else f"/{path}"


async def prune(session: AsyncSession, memory: Memory, owners: Collection[int | None]) -> None:
    """Forgets the oldest requests beyond what is to be kept, of these devices; None is all strangers."""
    requests = ProvisioningRequestRow
    for owner in owners:
        theirs = requests.device_id.is_(None) if owner is None else requests.device_id == owner
        kept = memory.requests_of_strangers if owner is None else memory.requests_per_device
        newest_first = select(requests.id).where(theirs).order_by(requests.id.desc())
        oldest = await session.scalar(newest_first.offset(kept).limit(1))
        if oldest is not None:
            await session.execute(delete(requests).where(theirs, requests.id <= oldest))
