"""Rollouts: staged changes, their phones and files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, delete, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload

from db.schema import (
    CustomerRow,
    DeviceFileRow,
    DeviceRow,
    RevisionRow,
    RolloutFileRow,
    RolloutPhoneRow,
    RolloutRow,
    SiteRow,
)


async def newest_rollout(session: AsyncSession, customer_id: int) -> RolloutRow | None:
    """The customer's last rollout, open or closed."""
    query = select(RolloutRow).where(RolloutRow.customer_id == customer_id).order_by(RolloutRow.id.desc())
    return await session.scalar(query.limit(1))


async def open_rollout(session: AsyncSession, customer_id: int) -> RolloutRow | None:
    """The customer's rollout that is under way."""
    return await session.scalar(
        select(RolloutRow).where(RolloutRow.customer_id == customer_id, RolloutRow.closed_at.is_(None))
    )


async def shown_rollouts(
    session: AsyncSession, login: str | None
) -> Sequence[tuple[RolloutRow, str]]:
    """The newest rollout of the customer, or all that are open; each with its customer's login."""
    query = (
        select(RolloutRow, CustomerRow.login)
        .join(CustomerRow, RolloutRow.customer_id == CustomerRow.id)
        .order_by(CustomerRow.login, RolloutRow.id.desc())
    )
    if login is None:
        query = query.where(RolloutRow.closed_at.is_(None))
    else:
        query = query.where(CustomerRow.login == login).limit(1)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def rollouts_opened_before(
    session: AsyncSession, at: datetime
) -> Sequence[tuple[str, RolloutRow, int]]:
    """Rollouts that were opened before `at` and are under way: whose, and how many phones wait."""
    waiting = (
        select(func.count())
        .where(RolloutPhoneRow.rollout_id == RolloutRow.id, RolloutPhoneRow.released_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(CustomerRow.login, RolloutRow, waiting)
        .join(CustomerRow, RolloutRow.customer_id == CustomerRow.id)
        .where(RolloutRow.closed_at.is_(None), RolloutRow.opened_at < at)
        .order_by(CustomerRow.login)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def add_phones(session: AsyncSession, rollout: RolloutRow) -> None:
    """Every phone of the customer that has files is of the rollout, and keeps what it has."""
    of_customer = (DeviceRow.customer_id == rollout.customer_id) & DeviceFileRow.current_revision_id.is_not(
        None
    )
    phones = (
        select(literal(rollout.id), DeviceRow.id)
        .join(DeviceFileRow, DeviceFileRow.device_id == DeviceRow.id)
        .where(of_customer)
        .distinct()
    )
    await session.execute(insert(RolloutPhoneRow).from_select(["rollout_id", "device_id"], phones))
    files = (
        select(literal(rollout.id), DeviceFileRow.id, DeviceFileRow.current_revision_id)
        .join(DeviceRow, DeviceFileRow.device_id == DeviceRow.id)
        .where(of_customer)
    )
    columns = ["rollout_id", "file_id", "before_revision_id"]
    await session.execute(insert(RolloutFileRow).from_select(columns, files))


async def waiting_phones(
    session: AsyncSession, rollout_id: int, device_ids: Collection[int]
) -> dict[int, RolloutPhoneRow]:
    """Which of these devices keep what they had, by their rows."""
    query = select(RolloutPhoneRow).where(
        RolloutPhoneRow.rollout_id == rollout_id, RolloutPhoneRow.device_id.in_(device_ids)
    )
    # The session may know better than the database: it releases some.
    return {row.device_id: row for row in await session.scalars(query) if row.released_at is None}


async def files_of_rollout(
    session: AsyncSession, rollout_id: int, device_ids: Collection[int]
) -> dict[int, RolloutFileRow]:
    """What the files of these devices were and will be, texts included, by the files' rows."""
    query = (
        select(RolloutFileRow)
        .join(DeviceFileRow, RolloutFileRow.file_id == DeviceFileRow.id)
        .where(RolloutFileRow.rollout_id == rollout_id, DeviceFileRow.device_id.in_(device_ids))
        .options(joinedload(RolloutFileRow.before_revision), joinedload(RolloutFileRow.staged_revision))
    )
    return {row.file_id: row for row in await session.scalars(query)}


async def staged_revision(session: AsyncSession, file_id: int) -> RevisionRow | None:
    """What waits for the release of the file's phone."""
    return await session.scalar(
        select(RevisionRow)
        .join(RolloutFileRow, RolloutFileRow.staged_revision_id == RevisionRow.id)
        .join(RolloutRow, RolloutFileRow.rollout_id == RolloutRow.id)
        .where(RolloutFileRow.file_id == file_id, RolloutRow.closed_at.is_(None))
    )


async def phones_of(
    session: AsyncSession,
    rollout_id: int,
    *,
    waiting: bool,
    device_ids: Select[int],
    after: str = "",
    limit: int | None = None,
) -> list[tuple[RolloutPhoneRow, str]]:
    """Those of the devices that wait, or those that are released, with their MACs and in their order.

    They begin after the MAC `after`, and are no more than `limit`.
    """
    query = (
        select(RolloutPhoneRow, DeviceRow.mac)
        .join(DeviceRow, RolloutPhoneRow.device_id == DeviceRow.id)
        .where(
            RolloutPhoneRow.rollout_id == rollout_id,
            RolloutPhoneRow.released_at.is_(None) if waiting else RolloutPhoneRow.released_at.is_not(None),
            DeviceRow.id.in_(device_ids),
            DeviceRow.mac > after,
        )
        .order_by(DeviceRow.mac)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def is_waiting(session: AsyncSession, rollout_id: int, mac: str) -> bool:
    """Whether the phone keeps what it had. `mac` is twelve lower-case hex digits."""
    query = (
        select(RolloutPhoneRow.device_id)
        .join(DeviceRow, RolloutPhoneRow.device_id == DeviceRow.id)
        .where(
            RolloutPhoneRow.rollout_id == rollout_id,
            RolloutPhoneRow.released_at.is_(None),
            DeviceRow.mac == mac,
        )
    )
    return await session.scalar(query) is not None


async def anybody_waits(session: AsyncSession, rollout_id: int) -> bool:
    """Whether a phone of the rollout is not released."""
    query = select(
        exists().where(RolloutPhoneRow.rollout_id == rollout_id, RolloutPhoneRow.released_at.is_(None))
    )
    return bool(await session.scalar(query))


async def anything_staged(session: AsyncSession, rollout_id: int) -> bool:
    """Whether a file of the rollout would change with a release."""
    query = select(
        exists().where(
            RolloutFileRow.rollout_id == rollout_id, RolloutFileRow.staged_revision_id.is_not(None)
        )
    )
    return bool(await session.scalar(query))


async def set_closed(session: AsyncSession, rollout_id: int, now: datetime | None) -> None:
    """Closes a rollout, or with None opens it again."""
    await session.execute(update(RolloutRow).where(RolloutRow.id == rollout_id).values(closed_at=now))


async def drop(session: AsyncSession, rollout_id: int) -> None:
    """Forgets a rollout."""
    await session.execute(delete(RolloutRow).where(RolloutRow.id == rollout_id))


class FileNumbers(NamedTuple):
    """The revisions of one file of a device, by their numbers."""

    device_id: int
    name: str
    current_id: int | None
    current: int | None
    staged: int | None
    held: int | None


async def file_numbers(
    session: AsyncSession, *, customer_id: int | None = None, device_id: int | None = None
) -> list[FileNumbers]:
    """Which revision each file of the devices is, will be and is held at: all, a customer's, or one's."""
    current, staged, held = aliased(RevisionRow), aliased(RevisionRow), aliased(RevisionRow)
    waiting = (
        select(RolloutFileRow.file_id, RolloutFileRow.staged_revision_id)
        .join(RolloutRow, RolloutFileRow.rollout_id == RolloutRow.id)
        .where(RolloutRow.closed_at.is_(None))
        .subquery()
    )
    query = (
        select(
            DeviceFileRow.device_id,
            DeviceFileRow.name,
            DeviceFileRow.current_revision_id,
            current.number,
            staged.number,
            held.number,
        )
        .join(DeviceRow, DeviceFileRow.device_id == DeviceRow.id)
        .outerjoin(current, DeviceFileRow.current_revision_id == current.id)
        .outerjoin(waiting, waiting.c.file_id == DeviceFileRow.id)
        .outerjoin(staged, waiting.c.staged_revision_id == staged.id)
        .outerjoin(held, DeviceFileRow.held_revision_id == held.id)
        .order_by(DeviceFileRow.id)
    )
    if customer_id is not None:
        query = query.where(DeviceRow.customer_id == customer_id)
    if device_id is not None:
        query = query.where(DeviceRow.id == device_id)
    return [FileNumbers._make(row) for row in await session.execute(query)]


class Phone(NamedTuple):
    """A phone of a customer with what it fetched last, and how it stands in a rollout."""

    device_id: int
    mac: str
    name: str
    model: str
    site: str | None
    fetched_id: int | None
    fetched: int | None
    "The number of that revision."
    fetched_at: datetime | None
    is_of_rollout: bool
    released_at: datetime | None
    actor: str | None
    cause: str | None


async def phones_with_rollout(session: AsyncSession, customer_id: int, rollout_id: int) -> list[Phone]:
    """All phones of the customer, by site, then MAC; also those that came after the rollout."""
    below = select(RolloutRow.phones_below).where(RolloutRow.id == rollout_id).scalar_subquery()
    query = (
        select(
            DeviceRow.id,
            DeviceRow.mac,
            DeviceRow.name,
            DeviceRow.model,
            SiteRow.name,
            DeviceRow.fetched_revision_id,
            RevisionRow.number,
            DeviceRow.fetched_at,
            RolloutPhoneRow.rollout_id.is_not(None) | (DeviceRow.id < func.coalesce(below, 0)),
            RolloutPhoneRow.released_at,
            RolloutPhoneRow.actor,
            RolloutPhoneRow.cause,
        )
        .outerjoin(SiteRow, DeviceRow.site_id == SiteRow.id)
        .outerjoin(RevisionRow, DeviceRow.fetched_revision_id == RevisionRow.id)
        .outerjoin(
            RolloutPhoneRow,
            (RolloutPhoneRow.device_id == DeviceRow.id) & (RolloutPhoneRow.rollout_id == rollout_id),
        )
        .where(DeviceRow.customer_id == customer_id)
        .order_by(func.coalesce(SiteRow.name, ""), DeviceRow.mac)
    )
    return [Phone._make(row) for row in await session.execute(query)]
