"""Bindings of lines, written and read by the thousand in plain SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from db.engine import Database
from db.plain import Rows
from db.queries.pruning import prune
from db.writing import Writer

_PAGE = 20_000
"Bindings that are read at a time."
_BASIS = "sip-clock"
"The row of `instance` that says by which clock moments of bindings are to be understood."


class BindingId(NamedTuple):
    """What tells one binding from all others."""

    line_id: int
    contact: str
    instance_id: str
    reg_id: int


class BindingRow(NamedTuple):
    """A row of `registrations`, in the order in which it is written."""

    line_id: int
    contact: str
    instance_id: str
    reg_id: int
    device_id: int | None
    q: int | None
    call_id: str
    cseq: int
    path: str
    user_agent: str
    transport: str
    source: str
    local_address: str
    registered_at: datetime
    refreshed_at: datetime
    refreshes: int
    expires_at: datetime
    heard_at: datetime


class BindingRefresh(NamedTuple):
    """What a refresh changes in a row of `registrations`, in the order in which it is written."""

    call_id: str
    cseq: int
    refreshed_at: datetime
    refreshes: int
    expires_at: datetime
    heard_at: datetime
    binding: BindingId


class StoredBinding(NamedTuple):
    """A row of `registrations`, in the order in which it is read. Moments are Unix time, in seconds."""

    id: int
    number: str
    "The line's."
    line_id: int
    password_version: int
    "The line's, as it is now."
    contact: str
    instance_id: str
    reg_id: int
    device_id: int | None
    q: int | None
    call_id: str
    cseq: int
    path: str
    user_agent: str
    transport: str
    source: str
    local_address: str
    registered_at: float
    refreshed_at: float
    refreshes: int
    expires_at: float
    heard_at: float | None
    reachable: bool | None
    rtt_ms: int | None


class BindingEvent(NamedTuple):
    """A row of `registration_events`, in the order in which it is written."""

    line_id: int
    device_id: int | None
    at: datetime
    kind: str
    contact: str
    source: str
    transport: str
    user_agent: str
    details: str


class Heard(NamedTuple):
    """Whether the phone behind a binding answers, in the order in which it is written. None is no news."""

    reachable: bool
    heard_at: datetime | None
    rtt_ms: int | None
    binding: BindingId


_KEY = BindingId._fields
_SAME = " AND ".join(f"{column} = ?" for column in _KEY)
_FLOW = ("transport", "source", "local_address", "path")
_SAME_FLOW = " AND ".join(f"registrations.{column} = excluded.{column}" for column in _FLOW)
# What was known of the phone holds for the flow on which it was found out, as long as the binding goes on.
_PUT = (
    f"INSERT INTO registrations ({', '.join(BindingRow._fields)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(BindingRow._fields))}) ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in BindingRow._fields[len(_KEY) :])
    + "".join(
        f", {column} = CASE WHEN excluded.refreshes > 0 AND {_SAME_FLOW} THEN registrations.{column} END"
        for column in ("reachable", "rtt_ms")
    )
)
_REFRESH = (
    f"UPDATE registrations SET {', '.join(f'{column} = ?' for column in BindingRefresh._fields[:-1])}"  # noqa: S608
    f" WHERE {_SAME}"
)
_REMOVE = f"DELETE FROM registrations WHERE {_SAME}"  # noqa: S608
_HEARD = (
    "UPDATE registrations SET reachable = ?, heard_at = coalesce(?, heard_at), rtt_ms = coalesce(?, rtt_ms)"  # noqa: S608
    f" WHERE {_SAME}"
)
_HAPPENED = (
    f"INSERT INTO registration_events ({', '.join(BindingEvent._fields)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(BindingEvent._fields))})"
)
_UNIX = {
    "sqlite": "(julianday(r.{0}) - 2440587.5) * 86400.0",
    "postgresql": "CAST(extract(epoch FROM r.{0}) AS double precision)",
}
_SHIFTED = {
    "sqlite": "{0} = strftime('%Y-%m-%d %H:%M:%f', {0}, '{1:+.3f} seconds') || '000'",
    "postgresql": "{0} = {0} + {1:.3f} * interval '1 s'",
}
_OF_LINE = ("number", "password_version")
_MOMENTS = ("registered_at", "refreshed_at", "expires_at", "heard_at")


async def all_bindings(database: Database) -> AsyncIterator[Sequence[StoredBinding]]:
    """Every binding, page by page, in the order of their making."""
    unix = _UNIX[database.url.drivername]
    columns = ", ".join(
        f"l.{each}" if each in _OF_LINE else unix.format(each) if each in _MOMENTS else f"r.{each}"
        for each in StoredBinding._fields
    )
    after = 0
    while True:
        async with database.read() as session:
            found = await (await session.connection()).exec_driver_sql(
                f"SELECT {columns} FROM registrations r JOIN lines l ON l.id = r.line_id"  # noqa: S608 - ours
                f" WHERE r.id > {after} ORDER BY r.id LIMIT {_PAGE}"
            )
            page = list(map(StoredBinding._make, found))
        if not page:
            return
        yield page
        after = page[-1].id


async def put_bindings(writer: Writer, rows: Sequence[BindingRow]) -> None:
    """Writes bindings, over those that are the same."""
    await writer.many(_PUT, rows)


async def refresh_bindings(writer: Writer, rows: Sequence[BindingRefresh]) -> bool:
    """Writes what refreshes have changed; False where some of the bindings are not there any more.

    That costs a fraction of writing them whole: no index is touched, and nothing that they refer to.
    """
    if writer.database == "postgresql":
        # Whose line is just being taken away is not waited for.
        line_ids = {row.binding.line_id for row in rows}
        if len(await lines_there(writer, line_ids)) < len(line_ids):
            return False
    return await writer.many(_REFRESH, [(*row[:-1], *row.binding) for row in rows]) == len(rows)


async def remove_bindings(writer: Writer, gone: Sequence[BindingId]) -> None:
    """Takes bindings away, as far as they are there."""
    await writer.many(_REMOVE, gone)


async def remove_lapsed(writer: Writer, before: datetime) -> None:
    """Takes all bindings away that have lapsed by then."""
    await writer.many("DELETE FROM registrations WHERE expires_at < ?", [(before,)])


async def add_events(writer: Writer, events: Sequence[BindingEvent]) -> None:
    """Writes what happened."""
    await writer.many(_HAPPENED, events)


async def note_heard(writer: Writer, heard: Sequence[Heard]) -> None:
    """Writes which phones answer."""
    await writer.many(_HEARD, [(*each[:3], *each.binding) for each in heard])


async def prune_events(writer: Writer, line_ids: Collection[int], kept: int) -> None:
    """Forgets the oldest events of these lines beyond so many of each."""
    await prune(writer, "registration_events", "line_id", line_ids, kept)


async def lines_there(writer: Writer, ids: Collection[int]) -> dict[int, int]:
    """The versions of the passwords of those lines that are there, and stay until this transaction ends."""
    found = await _there(writer, "id, password_version", "lines", ids)
    return {row[0]: row[1] for row in found}


async def devices_there(writer: Writer, ids: Collection[int]) -> frozenset[int]:
    """Which of these devices are there, and stay until this transaction ends."""
    return frozenset(row[0] for row in await _there(writer, "id", "devices", ids))


async def _there(writer: Writer, columns: str, table: str, ids: Collection[int]) -> Rows:
    if not ids:
        return []
    # On SQLite nobody else writes meanwhile. What a change is just taking away counts as gone: nobody waits
    # for that change, which may be a long one.
    lock = "" if writer.database == "sqlite" else " FOR KEY SHARE SKIP LOCKED"
    numbers = ", ".join(map(str, sorted(map(int, ids))))
    return await writer.rows(f"SELECT {columns} FROM {table} WHERE id IN ({numbers}){lock}")  # noqa: S608


async def lines_left(database: Database, ids: Collection[int]) -> dict[int, int]:
    """The versions of the passwords of those lines that are there."""
    found: dict[int, int] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _PAGE):
        listed = ", ".join(map(str, map(int, wanted[start : start + _PAGE])))
        asked = f"SELECT id, password_version FROM lines WHERE id IN ({listed})"  # noqa: S608 - numbers
        found.update((row[0], row[1]) for row in await database.rows(asked))
    return found


async def end_bindings(writer: Writer, line_id: int, at: datetime) -> None:
    """Has all bindings of a line lapse: whoever keeps registrations takes them away."""
    await writer.rows(
        "UPDATE registrations SET expires_at = ? WHERE line_id = ? AND expires_at > ?", (at, line_id, at)
    )


class PhoneOfLine(NamedTuple):
    """A device that has a line on an account."""

    line_id: int
    device_id: int
    mac: str
    contacted_from: str | None


async def phones_of_lines(database: Database, line_ids: Collection[int]) -> list[PhoneOfLine]:
    """The devices that have one of the lines on an account."""
    listed = ", ".join(map(str, sorted(map(int, line_ids))))
    rows: list[Any] = await database.rows(
        "SELECT DISTINCT a.line_id, d.id, d.mac, d.contacted_from FROM device_accounts a"  # noqa: S608 - numbers
        f" JOIN devices d ON d.id = a.device_id WHERE a.line_id IN ({listed}) ORDER BY d.id"
    )
    return [PhoneOfLine(*row) for row in rows]


async def stored_basis(database: Database) -> str | None:
    """By which clock the moments of bindings are to be understood."""
    rows = await database.rows("SELECT value FROM instance WHERE key = :key", key=_BASIS)
    return rows[0][0] if rows else None


async def store_basis(writer: Writer, basis: str) -> None:
    """Keeps it."""
    await writer.rows(
        "INSERT INTO instance (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (_BASIS, basis),
    )


async def shift_moments(writer: Writer, before: str, after: str, by_s: float) -> bool:
    """Moves the moments of all bindings, which are of the basis `before`, to the basis `after`.

    False: they are of another basis already, and were left.
    """
    changed = "UPDATE instance SET value = ? WHERE key = ? AND value = ? RETURNING key"
    if not await writer.rows(changed, (after, _BASIS, before)):
        return False
    shifted = _SHIFTED[writer.database]
    moments = ", ".join(shifted.format(column, by_s) for column in _MOMENTS)
    await writer.rows(f"UPDATE registrations SET {moments}")  # noqa: S608 - a number of ours
    return True
