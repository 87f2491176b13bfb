"""Traces of requests, written by the thousand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from db.many import write_many


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
    "What it got, where it had another before."
    device_id: int


_INSERT = f"INSERT INTO provisioning_requests ({', '.join(RequestTrace._fields)}) VALUES ({{}})".format(  # noqa: S608
    ", ".join("?" * len(RequestTrace._fields))
)
_SEEN = (
    "UPDATE devices SET contacted_at = ?, contacted_from = ?, fetched_at = coalesce(?, fetched_at)"
    " WHERE id = ?"
)
# Apart from the rest: to write the same number again would cost as much as all of that, for its index and for
# a look whether there is such a revision.
_FETCHED = "UPDATE devices SET fetched_revision_id = ? WHERE id = ?"


async def devices_of_ids(connection: AsyncConnection, ids: Collection[int]) -> Sequence[tuple[Any, ...]]:
    """Number, MAC and the revision fetched last, of those of these devices that there are."""
    if not ids:
        return ()
    # Numbers of our own: as parameters, hundreds of them would cost more than the look.
    listed = ", ".join(str(int(each)) for each in ids)
    found = await connection.exec_driver_sql(
        f"SELECT id, mac, fetched_revision_id FROM devices WHERE id IN ({listed})"  # noqa: S608
    )
    return [tuple(row) for row in found]


async def add_requests(connection: AsyncConnection, traces: Sequence[RequestTrace]) -> None:
    """Writes the traces."""
    await write_many(connection, _INSERT, traces)


async def note_progress(connection: AsyncConnection, progress: Iterable[Progress]) -> None:
    """How far each device came, one entry for each."""
    # In one order: on PostgreSQL two processes that write of the same devices would wait for each other.
    rows = sorted(progress, key=attrgetter("device_id"))
    seen = [(each.at, each.source, each.fetched_at, each.device_id) for each in rows]
    await write_many(connection, _SEEN, seen)
    fetched = [(each.revision_id, each.device_id) for each in rows if each.revision_id is not None]
    await write_many(connection, _FETCHED, fetched)
