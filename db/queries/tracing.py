"""Traces of requests, written by the thousand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from db.plain import Rows
from db.queries.pruning import prune
from db.writing import Writer


class RequestTrace(NamedTuple):
    """A row of `provisioning_requests`, in the order in which it is written."""

    at: datetime
    "UTC."
    device_id: int | None
    mac: str | None
    source: str
    user_agent: str
    model_claimed: str | None
    firmware_claimed: str | None
    method: str
    path: str
    file_name: str | None
    revision_id: int | None
    status: int
    reason: str
    sent_bytes: int


class Progress(NamedTuple):
    """The last request for a file of a device, in the order in which it is written."""

    at: datetime
    source: str
    fetched_at: datetime | None
    "When it got its own file, then or shortly before; None: it did not."
    revision_id: int | None
    "What it got then."
    device_id: int


_INSERT = f"INSERT INTO provisioning_requests ({', '.join(RequestTrace._fields)}) VALUES ({{}})".format(  # noqa: S608
    ", ".join("?" * len(RequestTrace._fields))
)
_SEEN = (
    "UPDATE devices SET contacted_at = ?, contacted_from = ?, fetched_at = coalesce(?, fetched_at),"
    " fetched_revision_id = coalesce(?, fetched_revision_id) WHERE id = ?"
)


class PhoneEvent(NamedTuple):
    """A row of `phone_events`, in the order in which it is written."""

    at: datetime
    "UTC."
    device_id: int
    event: str
    source: str
    details: str
    "JSON."


_HAPPENED = f"INSERT INTO phone_events ({', '.join(PhoneEvent._fields)}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
_LISTED = """
SELECT d.id, d.mac,
    EXISTS (SELECT 1 FROM device_tokens t WHERE t.device_id = d.id AND t.first_used_at IS NOT NULL)
FROM devices d WHERE d.mac IN
"""


async def devices_of_ids(writer: Writer, ids: Collection[int]) -> Rows:
    """Number and MAC of those of these devices that there are."""
    if not ids:
        return []
    return await writer.rows(f"SELECT id, mac FROM devices WHERE id IN ({_listed(ids)})")  # noqa: S608


async def devices_of_macs(writer: Writer, macs: Collection[str]) -> Rows:
    """The same of those with these MACs, and whether a token of theirs was ever used."""
    if not macs:
        return []
    return await writer.rows(f"{_LISTED} ({', '.join('?' * len(macs))})", tuple(macs))


def _listed(ids: Collection[int]) -> str:
    """Numbers of our own: as parameters, hundreds of them would cost more than the look."""
    return ", ".join(str(int(each)) for each in ids)


async def add_requests(writer: Writer, traces: Sequence[RequestTrace]) -> None:
    """Writes the traces."""
    await writer.many(_INSERT, traces)


async def add_events(writer: Writer, events: Sequence[PhoneEvent]) -> None:
    """Writes what phones reported."""
    await writer.many(_HAPPENED, events)


async def note_progress(writer: Writer, progress: Iterable[Progress]) -> None:
    """How far each device came, one entry for each."""
    # In one order: on PostgreSQL two processes that write of the same devices would wait for each other.
    rows = sorted(progress, key=attrgetter("device_id"))
    await writer.many(_SEEN, rows)


async def prune_requests(writer: Writer, devices: Collection[int], kept: int) -> None:
    """Forgets the oldest requests of these devices beyond so many of each."""
    await prune(writer, "provisioning_requests", "device_id", devices, kept)


async def prune_events(writer: Writer, devices: Collection[int], kept: int) -> None:
    """Forgets the oldest events of these devices beyond so many of each."""
    await prune(writer, "phone_events", "device_id", devices, kept)


async def prune_strangers(writer: Writer, kept: int) -> None:
    """Forgets the oldest requests that belong to no listed phone, beyond so many."""
    await writer.rows(
        "DELETE FROM provisioning_requests WHERE device_id IS NULL AND id <= (SELECT id"
        " FROM provisioning_requests WHERE device_id IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (kept,),
    )
