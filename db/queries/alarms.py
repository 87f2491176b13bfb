"""Alarms, with whom they are about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.pruning import forget_oldest
from db.schema import AlarmRow, CustomerRow, DeviceRow


class About(NamedTuple):
    """An alarm, and whose it is."""

    alarm: AlarmRow
    mac: str | None
    "Twelve lower-case hex digits."
    customer: str | None
    "A login."


class Waiting(NamedTuple):
    """The alarms of a kind that nobody has acknowledged, and that are not over."""

    kind: str
    how_many: int
    newest: int
    "The number of the latest."


_WAITS = AlarmRow.acknowledged_at.is_(None), AlarmRow.over_at.is_(None)


async def alarms(session: AsyncSession, *, waiting: bool) -> list[About]:
    """All alarms, or those that wait for somebody; the newest first."""
    query = (
        select(AlarmRow, DeviceRow.mac, CustomerRow.login)
        .outerjoin(DeviceRow, AlarmRow.device_id == DeviceRow.id)
        .outerjoin(CustomerRow, AlarmRow.customer_id == CustomerRow.id)
        .order_by(AlarmRow.id.desc())
    )
    if waiting:
        query = query.where(*_WAITS)
    return [About._make(row) for row in await session.execute(query)]


async def waiting_by_kind(session: AsyncSession) -> list[Waiting]:
    """How many alarms of each kind wait for somebody, by kind."""
    query = (
        select(AlarmRow.kind, func.count(), func.max(AlarmRow.id))
        .where(*_WAITS)
        .group_by(AlarmRow.kind)
        .order_by(AlarmRow.kind)
    )
    return [Waiting._make(row) for row in await session.execute(query)]


async def acknowledge(session: AsyncSession, number: int | None, now: datetime) -> list[int]:
    """Marks one alarm, or with None all that wait; gives the numbers of those that waited."""
    query = update(AlarmRow).where(*_WAITS)
    if number is not None:
        query = query.where(AlarmRow.id == number)
    done = await session.scalars(query.values(acknowledged_at=now).returning(AlarmRow.id))
    return sorted(done)


async def is_raised(session: AsyncSession, customer_id: int, number: str, kind: str) -> bool:
    """Whether there is one about that number of a customer that is not over, seen or not."""
    query = select(AlarmRow.id).where(*_about(customer_id, number, kind), AlarmRow.over_at.is_(None))
    return await session.scalar(query.limit(1)) is not None


async def end(session: AsyncSession, customer_id: int, number: str, kind: str, at: datetime) -> None:
    """What they are about is in order again."""
    query = update(AlarmRow).where(*_about(customer_id, number, kind), AlarmRow.over_at.is_(None))
    await session.execute(query.values(over_at=at))


async def raised(session: AsyncSession, kind: str) -> Sequence[AlarmRow]:
    """All of that kind about numbers that are not over, seen or not."""
    query = select(AlarmRow).where(
        AlarmRow.kind == kind, AlarmRow.number.is_not(None), AlarmRow.over_at.is_(None)
    )
    return (await session.scalars(query)).all()


async def forget_over(session: AsyncSession, customer_id: int, number: str, kind: str, kept: int) -> None:
    """All about that number that are over but the newest."""
    over = (*_about(customer_id, number, kind), AlarmRow.over_at.is_not(None))
    await forget_oldest(session, AlarmRow, over, kept)


def _about(customer_id: int, number: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return AlarmRow.customer_id == customer_id, AlarmRow.number == number, AlarmRow.kind == kind
