"""Phones that are to be told to fetch their files: which ones changes call for, and what became of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.engine import Database
from db.queries.pruning import prune
from db.saving import next_numbers
from db.schema import (
    DeviceAccountRow,
    DeviceFileRow,
    DeviceRow,
    InstanceRow,
    LineRow,
    ProvisioningRequestRow,
    RegistrationRow,
    ResyncRow,
    RevisionRow,
)
from db.writing import Writer

FOLLOWED = "resyncs_up_to"
"The fact of the installation that says up to which revision phones have been told, or are noted to be."
_NEW = ("id", "device_id", "revision_id", "kind", "cause", "actor", "asked_at")
_CHANGE = "change"
_ASKED = "asked"


class Changed(NamedTuple):
    """A file of a device's own that phones get now, and that nobody has been told of."""

    revision_id: int
    file: str
    "What `device_files.name` calls it."
    device_id: int
    actor: str


class Phone(NamedTuple):
    """What is to be known of a phone to tell it."""

    device_id: int
    mac: str
    customer_id: int
    model: str
    heeds: bool
    "The file that it has contains the text that was asked for."
    own_revision_id: int | None
    "Of its own file, which it gets now."
    lines: tuple[str, ...]
    "The numbers on its accounts, in their order, and those by which it is registered still."


class Fetched(NamedTuple):
    """A resync whose phone has got what it was to fetch."""

    id: int
    number: int | None
    "Of the revision of its own file that it got last."


async def how_far(database: Database) -> tuple[int | None, int]:
    """The revision up to which changes have been followed, None: never yet; and the newest one.

    Changes are serial, so none with a lower number comes later. By plain SQL: while phones ask, this is
    looked up four times a second, mostly in vain.
    """
    statement = "SELECT (SELECT value FROM instance WHERE key = :key), (SELECT max(id) FROM revisions)"
    ((followed, newest),) = await database.rows(statement, key=FOLLOWED)
    return None if followed is None else int(followed), newest or 0


async def begin_following(session: AsyncSession, up_to: int) -> None:
    """Notes for the first time how far changes have been followed."""
    session.add(InstanceRow(key=FOLLOWED, value=str(up_to)))
    await session.flush()


async def follow(writer: Writer, before: int, up_to: int) -> bool:
    """Moves on from `before` to `up_to`. False: somebody else has moved on from there."""
    move = "UPDATE instance SET value = ? WHERE key = ? AND value = ? RETURNING key"
    return bool(await writer.rows(move, (str(up_to), FOLLOWED, str(before))))


async def changed_files(session: AsyncSession, after: int, up_to: int, limit: int) -> Sequence[Changed]:
    """Files that are others since revision `after`, and are served: staged ones are not. In order.

    Without those of phones that have never fetched anything nor registered: they get the newest when they
    come.
    """
    is_known = or_(
        DeviceRow.fetched_at.is_not(None), exists().where(RegistrationRow.device_id == DeviceRow.id)
    )
    query = (
        select(RevisionRow.id, DeviceFileRow.name, DeviceRow.id, RevisionRow.actor)
        .join(DeviceFileRow, DeviceFileRow.current_revision_id == RevisionRow.id)
        .join(DeviceRow, DeviceFileRow.device_id == DeviceRow.id)
        .where(RevisionRow.id > after, RevisionRow.id <= up_to, is_known)
        .order_by(RevisionRow.id)
        .limit(limit)
    )
    return [Changed(*row) for row in await session.execute(query)]


async def phones(session: AsyncSession, device_ids: Collection[int], own_file: str, text: str) -> list[Phone]:
    """These devices. `text` is looked for, as a line, in the file `own_file` that each fetched last."""
    has, gets = aliased(RevisionRow), aliased(RevisionRow)
    query = (
        select(
            DeviceRow.id,
            DeviceRow.mac,
            DeviceRow.customer_id,
            DeviceRow.model,
            func.coalesce(has.content, gets.content, "").contains(f"\n{text}\n", autoescape=True),
            gets.id,
        )
        .outerjoin(has, DeviceRow.fetched_revision_id == has.id)
        .outerjoin(
            DeviceFileRow, and_(DeviceFileRow.device_id == DeviceRow.id, DeviceFileRow.name == own_file)
        )
        .outerjoin(gets, DeviceFileRow.current_revision_id == gets.id)
        .where(DeviceRow.id.in_(device_ids))
    )
    lines = await _lines(session, device_ids)
    return [
        Phone(device_id, mac, customer_id, model, bool(heeds), own, lines.get(device_id, ()))
        for device_id, mac, customer_id, model, heeds, own in await session.execute(query)
    ]


async def _lines(session: AsyncSession, device_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    on_accounts = (
        select(DeviceAccountRow.device_id, LineRow.number)
        .join(LineRow, DeviceAccountRow.line_id == LineRow.id)
        .where(DeviceAccountRow.device_id.in_(device_ids))
        .order_by(DeviceAccountRow.device_id, DeviceAccountRow.account)
    )
    registered = (
        select(RegistrationRow.device_id, LineRow.number)
        .join(LineRow, RegistrationRow.line_id == LineRow.id)
        .where(RegistrationRow.device_id.in_(device_ids))
        .order_by(RegistrationRow.id)
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for query in (on_accounts, registered):
        for device_id, number in await session.execute(query):
            if device_id is not None:
                found[device_id][number] = None
    return {device_id: tuple(numbers) for device_id, numbers in found.items()}


async def under_way(session: AsyncSession, after: int = 0) -> Sequence[ResyncRow]:
    """What is not done yet, with a number above `after`, the oldest first."""
    query = select(ResyncRow).where(ResyncRow.done_at.is_(None), ResyncRow.id > after)
    return (await session.scalars(query.order_by(ResyncRow.id))).all()


async def fetched(session: AsyncSession) -> list[Fetched]:
    """What is not done yet though the phone has got what it was to fetch.

    What a change calls for is done by any fetch of that revision or a later one; what a person asked for by
    a fetch after the phone was told.
    """
    got = exists().where(
        ProvisioningRequestRow.device_id == ResyncRow.device_id,
        ProvisioningRequestRow.revision_id == ResyncRow.revision_id,
    )
    query = (
        select(ResyncRow.id, RevisionRow.number)
        .join(DeviceRow, ResyncRow.device_id == DeviceRow.id)
        .outerjoin(RevisionRow, DeviceRow.fetched_revision_id == RevisionRow.id)
        .where(
            ResyncRow.done_at.is_(None),
            or_(
                and_(
                    ResyncRow.cause == _CHANGE,
                    or_(DeviceRow.fetched_revision_id >= ResyncRow.revision_id, got),
                ),
                and_(ResyncRow.cause == _ASKED, DeviceRow.fetched_at >= ResyncRow.sent_at),
            ),
        )
    )
    return [Fetched(*row) for row in await session.execute(query)]


async def newest_of(session: AsyncSession, device_id: int, limit: int) -> list[tuple[ResyncRow, int | None]]:
    """What a device was told, or is to be told, the latest first, with the number of the revision meant."""
    query = (
        select(ResyncRow, RevisionRow.number)
        .outerjoin(RevisionRow, ResyncRow.revision_id == RevisionRow.id)
        .where(ResyncRow.device_id == device_id)
        .order_by(ResyncRow.id.desc())
        .limit(limit)
    )
    return [(row, number) for row, number in await session.execute(query)]


async def add(writer: Writer, rows: Sequence[ResyncRow]) -> None:
    """Writes new rows, one for each device, and gives them their numbers."""
    for row, number in zip(rows, await next_numbers(writer, ResyncRow.__tablename__, len(rows)), strict=True):
        row.id = number
    await writer.many(
        f"INSERT INTO resyncs ({', '.join(_NEW)}) VALUES ({', '.join('?' * len(_NEW))})",  # noqa: S608
        [tuple(getattr(row, name) for name in _NEW) for row in rows],
    )


async def supersede(writer: Writer, rows: Sequence[ResyncRow], at: datetime) -> None:
    """Ends what is under way for the same phones and causes as these new rows."""
    await writer.many(
        "UPDATE resyncs SET done_at = ?, outcome = 'superseded'"
        " WHERE device_id = ? AND cause = ? AND done_at IS NULL AND id < ?",
        [(at, row.device_id, row.cause, row.id) for row in rows],
    )


class Mark(NamedTuple):
    """What became of a resync; None: nothing new."""

    id: int
    sent_at: datetime | None = None
    answered_status: int | None = None
    done_at: datetime | None = None
    outcome: str | None = None

    def over(self, older: Mark) -> Mark:
        """What is known when `older` was known before."""
        return Mark(
            self.id,
            self.sent_at or older.sent_at,
            self.answered_status or older.answered_status,
            self.done_at or older.done_at,
            self.outcome or older.outcome,
        )


async def mark(writer: Writer, marks: Iterable[Mark]) -> None:
    """Notes what became of resyncs; what is done stays as it is."""
    given = ", ".join(f"{name} = coalesce(?, {name})" for name in Mark._fields[1:])
    await writer.many(
        f"UPDATE resyncs SET {given} WHERE id = ? AND done_at IS NULL",  # noqa: S608 - ours
        [(*each[1:], each.id) for each in sorted(marks, key=attrgetter("id"))],
    )


async def prune_done(writer: Writer, device_ids: Collection[int], keep: int) -> None:
    """Forgets the oldest of these devices beyond `keep` of each; never what is under way."""
    await prune(writer, "resyncs", "device_id", device_ids, keep, only="done_at IS NOT NULL")
