"""Alarms, with whom they are about."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AlarmRow, CustomerRow, DeviceRow


class About(NamedTuple):
    """An alarm, and whose it is."""

    alarm: AlarmRow
    mac: str | None
    "Twelve lower-case hex digits."
    customer: str | None
    "A login."


class Waiting(NamedTuple):
    """The alarms of a kind that nobody has acknowledged."""

    kind: str
    how_many: int
    newest: int
    "The number of the latest."


async def alarms(session: AsyncSession, *, waiting: bool) -> list[About]:
    """All alarms, or those that wait for somebody; the newest first."""
    query = (
        select(AlarmRow, DeviceRow.mac, CustomerRow.login)
        .outerjoin(DeviceRow, AlarmRow.device_id == DeviceRow.id)
        .outerjoin(CustomerRow, AlarmRow.customer_id == CustomerRow.id)
        .order_by(AlarmRow.id.desc())
    )
    if waiting:
        query = query.where(AlarmRow.acknowledged_at.is_(None))
    return [About._make(row) for row in await session.execute(query)]


async def waiting_by_kind(session: AsyncSession) -> list[Waiting]:
    """How many alarms of each kind wait for somebody, by kind."""
    query = (
        select(AlarmRow.kind, func.count(), func.max(AlarmRow.id))
        .where(AlarmRow.acknowledged_at.is_(None))
        .group_by(AlarmRow.kind)
        .order_by(AlarmRow.kind)
    )
    return [Waiting._make(row) for row in await session.execute(query)]


async def acknowledge(session: AsyncSession, number: int | None, now: datetime) -> list[int]:
    """Marks one alarm, or with None all that wait; gives the numbers of those that waited."""
    query = update(AlarmRow).where(AlarmRow.acknowledged_at.is_(None))
    if number is not None:
        query = query.where(AlarmRow.id == number)
    done = await session.scalars(query.values(acknowledged_at=now).returning(AlarmRow.id))
    return sorted(done)
