"""The memory of what phones asked and got. Bounded; many requests are written with one commit."""

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
from db.schema import DeviceRow, ProvisioningRequestRow
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.operations.installation import Installation
from provisioner.operations.provisioning import Answer, Ask
from provisioner.settings import Memory

logger = logging.getLogger(__name__)

_BATCH = 256
_WAITING = 4096
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Trace:
    """One request with its answer."""

    at: datetime
    ask: Ask
    answer: Answer
    method: str
    status: int
    sent_bytes: int


class RequestLog:
    """Writes traces in batches. `record` returns when the trace is stored."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._queue: asyncio.Queue[tuple[Trace, asyncio.Future[None]]] = asyncio.Queue(_WAITING)
        self._since_pruning: Counter[int | None] = Counter()

    async def record(self, trace: Trace) -> None:
        """Keeps the trace. A database that can't be written costs the trace, never the phone its answer."""
        stored = asyncio.get_running_loop().create_future()
        await self._queue.put((trace, stored))
        await stored

    async def run(self) -> None:
        """Writes what comes in until it is cancelled; what had come in by then is written."""
        try:
            while True:
                await self._write([await self._queue.get()])
        finally:
            while not self._queue.empty():
                await self._write([self._queue.get_nowait()])

    async def _write(self, batch: list[tuple[Trace, asyncio.Future[None]]]) -> None:
        while len(batch) < _BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        traces = [trace for trace, _ in batch]
        try:
            async with self._installation.database.append() as session:
                await _store(session, traces)
                self._since_pruning.update(trace.answer.device_id for trace in traces)
                if self._since_pruning.total() >= _BATCH:
                    await prune(session, self._installation.settings.memory, set(self._since_pruning))
                    self._since_pruning.clear()
        except StorageError:
            logger.exception("traces lost count=%d", len(traces))
        finally:
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)


async def _store(session: AsyncSession, traces: Sequence[Trace]) -> None:
    for trace in traces:
        answer = trace.answer
        agent = parse_user_agent(trace.ask.agent)
        session.add(
            ProvisioningRequestRow(
                at=trace.at,
                device_id=answer.device_id,
                mac=answer.mac or (agent.mac if agent else None),
                source=trace.ask.source,
                user_agent=_UNPRINTABLE.sub("?", trace.ask.agent),
                model_claimed=agent.model if agent else None,
                firmware_claimed=agent.firmware if agent else None,
                method=trace.method,
                path=redacted(trace.ask),
                file_name=answer.file_name,
                revision_id=answer.revision_id,
                status=trace.status,
                reason=answer.reason,
                sent_bytes=trace.sent_bytes,
            )
        )
    await _note_progress(session, traces)


async def _note_progress(session: AsyncSession, traces: Sequence[Trace]) -> None:
    """How far each listed phone came, beside the trace that is forgotten one day."""
    newest: dict[int, Trace] = {trace.answer.device_id: trace for trace in traces if trace.answer.device_id}
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
    """The path without the token."""
    path = _UNPRINTABLE.sub("?", ask.path[:300])
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
