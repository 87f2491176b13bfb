"""Alarms, with whom they are about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.queries.pruning import forget_oldest
from db.schema import AlarmRow, CustomerRow, DeviceRow, ProofRow
from db.writing import Writer


class About(NamedTuple):
    """An alarm, and whose it is."""

    alarm: AlarmRow
    mac: str | None
    "Twelve lower-case hex digits."
    customer: str | None
    "A login."
    proof: int | None
    "The newest test of its number that went wrong."


class Standing(StrEnum):
    """How an alarm stands."""

    WAITING = "waiting"
    "Nobody has seen to it, and it is not over."
    SEEN = "seen"
    "Somebody has, and it is not over as far as is known."
    OVER = "over"
    "What it is about was found in order again."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which are looked for; what is None or empty chooses nothing."""

    customer_id: int | None = None
    standing: Standing | None = None
    kind: str | None = None
    text: str = ""


class Place(NamedTuple):
    """Behind which alarm a page begins."""

    waits: bool
    number: int


class Waiting(NamedTuple):
    """The alarms of a kind that nobody has acknowledged, and that are not over."""

    kind: str
    how_many: int
    newest: int
    "The number of the latest."


_WAITS = AlarmRow.acknowledged_at.is_(None), AlarmRow.over_at.is_(None)
_WAITS_SAID = "acknowledged_at IS NULL AND over_at IS NULL"
"The same in plain SQL."
_STANDS = {
    Standing.WAITING: _WAITS,
    Standing.SEEN: (AlarmRow.acknowledged_at.is_not(None), AlarmRow.over_at.is_(None)),
    Standing.OVER: (AlarmRow.over_at.is_not(None),),
}
_RANK = case((and_(*_WAITS), 0), else_=1)
_OF_STRANGERS = AlarmRow.device_id.is_(None), AlarmRow.number.is_(None)
_BETWEEN = re.compile(r"[:.\s-]")
_PART_OF_MAC = re.compile(r"[0-9a-f]{2,12}")


async def alarms(
    session: AsyncSession, chosen: Chosen, behind: Place | None = None, most: int | None = None
) -> list[About]:
    """So many of them: those that wait for somebody first, and of these and the others the newest first."""
    went_wrong = (
        select(func.max(ProofRow.id))
        .where(
            ProofRow.customer_id == AlarmRow.customer_id,
            ProofRow.number == AlarmRow.number,
            ProofRow.passed.is_(False),
        )
        .scalar_subquery()
    )
    query = (
        select(AlarmRow, DeviceRow.mac, CustomerRow.login, went_wrong)
        .outerjoin(DeviceRow, AlarmRow.device_id == DeviceRow.id)
        .outerjoin(CustomerRow, AlarmRow.customer_id == CustomerRow.id)
        .where(*_conditions(chosen))
        .order_by(_RANK, AlarmRow.id.desc())
    )
    if behind is not None:
        rank = 0 if behind.waits else 1
        query = query.where(tuple_(_RANK, -AlarmRow.id) > tuple_(rank, -behind.number))
    if most is not None:
        query = query.limit(most)
    return [About._make(row) for row in await session.execute(query)]


async def how_many(session: AsyncSession) -> dict[Standing, int]:
    """Of all of them, by how they stand."""
    each = (func.count().filter(and_(*conditions)) for conditions in _STANDS.values())
    found = (await session.execute(select(*each).select_from(AlarmRow))).one()
    return dict(zip(_STANDS, found, strict=True))


async def how_many_wait(database: Database) -> int:
    """For somebody to see to."""
    return int((await database.rows(f"SELECT count(*) FROM alarms WHERE {_WAITS_SAID}"))[0][0])  # noqa: S608 - ours


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


async def put(session: AsyncSession, new: Iterable[AlarmRow], strange: int) -> None:
    """Adds alarms; each takes the place of the one that waits about the same thing for the same cause.

    The thing is a phone, or where there is none the source. Of each kind, so many are kept waiting that are
    about no phone and no number: there are as many sources as strangers make.
    """
    newest = {(row.kind, row.device_id, row.device_id is None and row.source): row for row in new}
    for row in newest.values():
        thing = AlarmRow.device_id == row.device_id
        if row.device_id is None:
            thing = and_(*_OF_STRANGERS, AlarmRow.source == row.source)
        await session.execute(delete(AlarmRow).where(AlarmRow.kind == row.kind, thing, *_WAITS))
    session.add_all(newest.values())
    await session.flush()
    for kind in sorted({row.kind for row in newest.values()}):
        await forget_oldest(session, AlarmRow, (AlarmRow.kind == kind, *_OF_STRANGERS, *_WAITS), strange)


async def give_way(writer: Writer, kind: str, device_ids: Collection[int]) -> None:
    """Forgets those of that kind that wait about these phones, which a new one is about to be added of."""
    statement = f"DELETE FROM alarms WHERE kind = ? AND device_id = ? AND {_WAITS_SAID}"  # noqa: S608 - ours
    await writer.many(statement, [(str(kind), each) for each in sorted(device_ids)])


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


async def forget_past(session: AsyncSession, kept: int) -> None:
    """All that are over, or seen to and can't be, but the newest."""
    # One about a number is not raised again until it is over, though somebody has seen to it.
    seen = and_(AlarmRow.acknowledged_at.is_not(None), AlarmRow.number.is_(None))
    past = or_(AlarmRow.over_at.is_not(None), seen)
    await forget_oldest(session, AlarmRow, (past,), kept)


def _about(customer_id: int, number: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return AlarmRow.customer_id == customer_id, AlarmRow.number == number, AlarmRow.kind == kind


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.customer_id is not None:
        conditions.append(AlarmRow.customer_id == chosen.customer_id)
    if chosen.standing is not None:
        conditions += _STANDS[chosen.standing]
    if chosen.kind is not None:
        conditions.append(AlarmRow.kind == chosen.kind)
    if chosen.text:
        looked_in = (AlarmRow.text, AlarmRow.source, AlarmRow.number, CustomerRow.login, CustomerRow.name)
        found = [column.icontains(chosen.text, autoescape=True) for column in looked_in]
        mac = _BETWEEN.sub("", chosen.text.lower())
        if _PART_OF_MAC.fullmatch(mac):
            found.append(DeviceRow.mac.contains(mac))
        conditions.append(or_(*found))
    return conditions
