"""Call records, written by the hundred in plain SQL. What is written twice is there once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.queries.pruning import prune
from db.schema import CallEventRow
from db.schema.types import Id, UtcDateTime
from db.writing import Writer

_SEEN = "calls-seen"
"The row of `instance` that says when the server last wrote that it lives, while there were calls."


class LineOfCall(NamedTuple):
    """Whose a line is, and what it is called inside the company."""

    line_id: int | None
    "None: it is that of a test, and in no database."
    customer_id: int
    extension: str | None
    name: str | None


class RecordRow(NamedTuple):
    """A row of `call_records`, in the order in which it is written."""

    uuid: str
    "32 hex digits, as both databases take it."
    customer_id: int
    direction: str
    sip_call_id: str | None
    from_number: str
    from_name: str | None
    to_number: str
    billed_line_id: int | None
    billed_number: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    sip_code: int | None
    plan: str | None


class LegRow(NamedTuple):
    """A row of `call_legs`, in the order in which it is written."""

    call_id: int
    position: int
    line: str
    extension: str | None
    name: str | None
    hunt_group: str | None
    hunt_groups: str | None
    owner_id: int | None
    phones: int
    began_at: datetime
    ring_started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    sip_code: int | None


class EventRow(NamedTuple):
    """A row of `call_events`, in the order in which it is written."""

    call_id: int
    serial: int
    customer_id: int
    at: datetime
    kind: str
    details: str


class OpenCall(NamedTuple):
    """A record that says that its call lives."""

    id: int
    uuid: UUID
    customer_id: int
    line: str | None
    "The caller's."
    from_number: str
    to_number: str
    known_at: datetime
    "The last moment that it tells of."


class Used(NamedTuple):
    """A line has made or taken a call."""

    at: datetime
    number: str


class Answered(NamedTuple):
    """A member of a group has answered a call of it."""

    group: str
    line: str
    "The member's."
    at: datetime


def _put(table: str, columns: tuple[str, ...], key: tuple[str, ...], changing: tuple[str, ...]) -> str:
    """Writes a row, or of one that is there what may have changed."""
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in changing)
    )


_PUT_RECORD = _put(
    "call_records",
    RecordRow._fields,
    ("uuid",),
    ("direction", "answered_at", "ended_at", "end_reason", "sip_code"),
)
_PUT_LEG = _put(
    "call_legs",
    LegRow._fields,
    ("call_id", "position"),
    ("phones", "ring_started_at", "answered_at", "ended_at", "reason", "sip_code"),
)
_ADD_EVENT = (
    f"INSERT INTO call_events ({', '.join(EventRow._fields)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(EventRow._fields))}) ON CONFLICT (call_id, serial) DO NOTHING"
)
_CLOSE_LEGS = (
    "UPDATE call_legs SET ended_at = ?, reason = coalesce(reason, ?) WHERE call_id = ? AND ended_at IS NULL"
)
_CLOSE = "UPDATE call_records SET ended_at = ?, end_reason = ? WHERE id = ?"
_ANSWERED = (
    "INSERT INTO hunt_group_usage (group_id, extension_id, last_answered_at)"
    " SELECT g.id, e.id, CAST(? AS {moment}) FROM lines l"
    " JOIN hunt_groups g ON g.customer_id = l.customer_id AND g.number = ?"
    " JOIN hunt_group_members m ON m.group_id = g.id"
    " JOIN extensions e ON e.id = m.extension_id AND e.line_id = l.id"
    " WHERE l.number = ? GROUP BY g.id, e.id"
    " ON CONFLICT (group_id, extension_id) DO UPDATE SET last_answered_at = excluded.last_answered_at"
)
_MOMENT = {"sqlite": "TEXT", "postgresql": "timestamptz"}
_CALLED = (
    "SELECT l.number, l.id, l.customer_id, e.number, e.name FROM lines l"
    " LEFT JOIN extensions e ON e.line_id = l.id WHERE l.number IN ({wanted}) ORDER BY e.number DESC"
)
_NOTE_SEEN = (
    "INSERT INTO instance (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_OPEN = text(
    "SELECT r.id, r.uuid, r.customer_id, r.billed_number AS line, r.from_number, r.to_number,"
    " coalesce(r.answered_at, r.started_at) AS known_at"
    " FROM call_records r WHERE r.ended_at IS NULL AND r.id > :after ORDER BY r.id LIMIT :most"
).columns(
    id=Id,
    uuid=Uuid(),
    customer_id=Id,
    line=Text(),
    from_number=Text(),
    to_number=Text(),
    known_at=UtcDateTime(),
)


async def lines_called(writer: Writer, numbers: Collection[str]) -> dict[str, LineOfCall]:
    """Those of the lines that are there, by number; they stay until this transaction ends."""
    if not numbers:
        return {}
    query = _CALLED.format(wanted=", ".join("?" * len(numbers)))
    if writer.database == "postgresql":
        # What a change is just taking away counts as gone: nobody waits for that change.
        query += " FOR KEY SHARE OF l SKIP LOCKED"
    # Of several extensions the first.
    return {row[0]: LineOfCall(*row[1:]) for row in await writer.rows(query, sorted(numbers))}


async def put_records(writer: Writer, rows: Sequence[RecordRow]) -> None:
    """Writes calls, or how they are now."""
    await writer.many(_PUT_RECORD, rows)


async def record_ids(writer: Writer, uuids: Collection[UUID]) -> dict[UUID, int]:
    """The numbers of the rows of these calls."""
    if not uuids:
        return {}
    query = f"SELECT uuid, id FROM call_records WHERE uuid IN ({', '.join('?' * len(uuids))})"  # noqa: S608
    rows = await writer.rows(query, [each.hex for each in uuids])
    return {UUID(str(found)): number for found, number in rows}


async def put_legs(writer: Writer, rows: Sequence[LegRow]) -> None:
    """Writes legs, or how they are now."""
    await writer.many(_PUT_LEG, rows)


async def add_events(writer: Writer, rows: Sequence[EventRow]) -> None:
    """Writes what happened, unless it stands there."""
    await writer.many(_ADD_EVENT, rows)


async def prune_events(writer: Writer, customer_ids: Collection[int], kept: int) -> None:
    """Forgets the oldest events of these customers beyond so many of each."""
    await prune(writer, "call_events", "customer_id", customer_ids, kept)


# What others read of it


async def note_used(writer: Writer, used: Sequence[Used]) -> None:
    """Writes when lines were used last."""
    await writer.many("UPDATE lines SET last_used_at = ? WHERE number = ?", used)


async def note_answered(writer: Writer, answered: Sequence[Answered]) -> None:
    """Writes when members answered a call of their group last, as far as they are its members."""
    statement = _ANSWERED.format(moment=_MOMENT[writer.database])
    for each in answered:
        await writer.rows(statement, (each.at, each.group, each.line))


# After the end of a server


async def open_calls(connection: AsyncConnection, after: int, most: int) -> list[OpenCall]:
    """So many of the calls whose record says that they live, behind the row `after`."""
    found = await connection.execute(_OPEN, {"after": after, "most": most})
    return [OpenCall(*row) for row in found]


async def last_serials(connection: AsyncConnection, call_ids: Collection[int]) -> dict[int, int]:
    """The highest serial among the events of each of these calls that has any."""
    row = CallEventRow
    query = (
        select(row.call_id, func.max(row.serial).label("serial"))
        .where(row.call_id.in_(call_ids))
        .group_by(row.call_id)
    )
    return {found.call_id: found.serial for found in await connection.execute(query)}


async def close_calls(
    writer: Writer, calls: Sequence[OpenCall], ended_at: Sequence[datetime], reason: str
) -> None:
    """Says of calls and what is left of their legs when and why they ended."""
    ends = list(zip(calls, ended_at, strict=True))
    await writer.many(_CLOSE_LEGS, [(at, reason, call.id) for call, at in ends])
    await writer.many(_CLOSE, [(at, reason, call.id) for call, at in ends])


async def seen_at(connection: AsyncConnection) -> datetime | None:
    """When a server with calls has said last that it lives."""
    query = text("SELECT value FROM instance WHERE key = :key")
    value = await connection.scalar(query, {"key": _SEEN})
    return datetime.fromisoformat(value) if value is not None else None


async def note_seen(writer: Writer, at: datetime) -> None:
    """Says that it lives."""
    await writer.many(_NOTE_SEEN, [(_SEEN, at.isoformat())])
