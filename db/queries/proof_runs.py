"""Runs of test calls over many numbers: which are to be made, who makes them, and how far they came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.queries.proof_states import newest_ids
from db.queries.pruning import forget_oldest
from db.schema import (
    CustomerRow,
    ExtensionRow,
    HuntGroupRow,
    InstanceRow,
    LineRow,
    ProofRow,
    ProofRunRow,
    ProofScheduleRow,
    SpeedDialRow,
)

_SEEN = "test calls after changes"
"Of `instance`: the last change that was looked at."

_WHOSE = " AND c.id = :customer"
_GROUPS = """
SELECT c.id, c.login, g.number FROM hunt_groups g JOIN customers c ON c.id = g.customer_id
WHERE EXISTS (SELECT 1 FROM lines l WHERE l.customer_id = c.id)
"""
_EXTENSIONS = """
SELECT c.id, c.login, e.number FROM extensions e JOIN customers c ON c.id = e.customer_id
WHERE e.line_id IS NOT NULL
"""
_LINES = """
SELECT c.id, c.login, l.number FROM lines l JOIN customers c ON c.id = l.customer_id
WHERE NOT EXISTS (SELECT 1 FROM extensions e WHERE e.line_id = l.id)
"""
_NEWEST = """
SELECT customer_id, number, id, reds IS NULL, fingerprint FROM proofs
WHERE id IN (SELECT max(id) FROM proofs GROUP BY customer_id, number)
"""
_DONE = "SELECT customer_id, number, passed FROM proofs WHERE run_id = :run"


class Number(NamedTuple):
    """A number that can be tested, and what is known of it."""

    customer_id: int
    login: str
    number: str
    is_group: bool
    last: int
    "The number of its last proof; 0: it has none."
    is_green: bool
    "Nothing is wrong with it that the same test has not found right since."
    fingerprint: str | None
    "Of what was proved then."


class Said(NamedTuple):
    """What a customer has otherwise than the others."""

    customer_id: int
    login: str
    time_zone: str
    row: ProofScheduleRow


class Owned(NamedTuple):
    """A run, and whose."""

    run: ProofRunRow
    login: str | None
    "None: the whole installation's."


async def numbers(database: Database, customer_id: int | None) -> list[Number]:
    """All groups and lines of a customer, or of all: each line by its extension, if it has one."""
    whose = "" if customer_id is None else _WHOSE
    given = {} if customer_id is None else {"customer": customer_id}
    newest = {(each[0], each[1]): each[2:] for each in await database.rows(_NEWEST)}
    found = []
    for statement, is_group in ((_GROUPS, True), (_EXTENSIONS, False), (_LINES, False)):
        for owner, login, number in await database.rows(statement + whose, **given):
            last, is_green, fingerprint = newest.get((owner, number), (0, False, None))
            found.append(Number(owner, login, number, is_group, last, bool(is_green), fingerprint))
    return found


async def done(database: Database, run_id: int) -> dict[tuple[int, str], bool]:
    """What a run has proved already, by customer and number."""
    return {(each[0], each[1]): bool(each[2]) for each in await database.rows(_DONE, run=run_id)}


async def schedules(session: AsyncSession) -> list[Said]:
    """Of all customers that have anything otherwise, by login."""
    return [Said(*each) for each in await session.execute(_schedules().order_by(CustomerRow.login))]


async def some_schedules(
    session: AsyncSession, customer_id: int | None, after: str, most: int
) -> list[Said]:
    """So many of them, behind that login; of one customer, if it has anything otherwise."""
    query = _schedules().where(CustomerRow.login > after).order_by(CustomerRow.login).limit(most)
    if customer_id is not None:
        query = query.where(CustomerRow.id == customer_id)
    return [Said(*each) for each in await session.execute(query)]


def _schedules() -> Select[int, str, str, ProofScheduleRow]:
    return select(CustomerRow.id, CustomerRow.login, CustomerRow.time_zone, ProofScheduleRow).join(
        CustomerRow, CustomerRow.id == ProofScheduleRow.customer_id
    )


async def of_slot(session: AsyncSession, slot: str) -> ProofRunRow | None:
    """The run that was made for it."""
    return await session.scalar(select(ProofRunRow).where(ProofRunRow.slot == slot))


def _waiting(now: datetime, causes: Collection[str]) -> Select[ProofRunRow]:
    """Those that somebody has to make, what a person asked for first."""
    free = or_(ProofRunRow.owner.is_(None), ProofRunRow.lease_until < now)
    query = select(ProofRunRow).where(
        ProofRunRow.finished_at.is_(None), ProofRunRow.due_at <= now, ProofRunRow.cause.in_(causes), free
    )
    return query.order_by(case((ProofRunRow.cause == "asked", 0), else_=1), ProofRunRow.due_at).limit(1)


async def is_any_waiting(session: AsyncSession, now: datetime, causes: Collection[str]) -> bool:
    """Whether `take` would find one."""
    return await session.scalar(_waiting(now, causes)) is not None


async def take(
    session: AsyncSession, owner: str, now: datetime, lease_until: datetime, causes: Collection[str]
) -> Owned | None:
    """The next run that has nobody who makes it: it is this owner's now. To be asked within a change."""
    row = await session.scalar(_waiting(now, causes))
    if row is None:
        return None
    row.owner, row.lease_until, row.began_at = owner, lease_until, row.began_at or now
    if row.cause == "change":
        # What is changed from now on calls for another one.
        row.slot = None
    login = None if row.customer_id is None else (await session.get_one(CustomerRow, row.customer_id)).login
    return Owned(row, login)


async def renew(session: AsyncSession, run_id: int, owner: str, lease_until: datetime) -> ProofRunRow | None:
    """Holds on to it; None: it is another's, or there is no such run any more."""
    own = update(ProofRunRow).where(ProofRunRow.id == run_id, ProofRunRow.owner == owner)
    query = own.where(ProofRunRow.finished_at.is_(None)).values(lease_until=lease_until)
    return await session.scalar(query.returning(ProofRunRow))


async def let_go(session: AsyncSession, run_id: int, owner: str) -> None:
    """Whoever comes next may take it up."""
    own = update(ProofRunRow).where(ProofRunRow.id == run_id, ProofRunRow.owner == owner)
    await session.execute(own.values(owner=None, lease_until=None))


async def let_go_of_all(session: AsyncSession, owner: str) -> Sequence[int]:
    """The same of all that it makes. Returns which they were."""
    own = update(ProofRunRow).where(ProofRunRow.owner == owner)
    left = await session.scalars(own.values(owner=None, lease_until=None).returning(ProofRunRow.id))
    return sorted(left)


async def begin(session: AsyncSession, run_id: int, **counts: int) -> None:
    """How many numbers it is about, and what is known of them already."""
    own = update(ProofRunRow).where(ProofRunRow.id == run_id)
    await session.execute(own.values(**counts, untested=0, reasons="[]"))


async def count(session: AsyncSession, run_id: int, *, passed: bool) -> None:
    """One number more is tested."""
    column = ProofRunRow.green if passed else ProofRunRow.red
    await session.execute(update(ProofRunRow).where(ProofRunRow.id == run_id).values({column: column + 1}))


async def note_untested(session: AsyncSession, run_id: int, untested: int, reasons: str) -> None:
    """How many numbers could not be tested so far, and why."""
    own = update(ProofRunRow).where(ProofRunRow.id == run_id)
    await session.execute(own.values(untested=untested, reasons=reasons))


async def finish(session: AsyncSession, run_id: int, owner: str, outcome: str, at: datetime) -> None:
    """It is over: what it has not come to is untested."""
    own = update(ProofRunRow).where(ProofRunRow.id == run_id, ProofRunRow.owner == owner)
    night = ProofRunRow.cause.in_(("nightly", "weekly"))
    await session.execute(
        own.values(
            outcome=outcome,
            finished_at=at,
            owner=None,
            lease_until=None,
            untested=ProofRunRow.numbers - ProofRunRow.green - ProofRunRow.red - ProofRunRow.unchanged,
            # A night has had its run; the same may be asked for again.
            slot=case((night, ProofRunRow.slot), else_=None),
        )
    )


async def forget(session: AsyncSession, kept: int) -> None:
    """All that are over but the newest."""
    await forget_oldest(session, ProofRunRow, (ProofRunRow.finished_at.is_not(None),), kept)


def _owned() -> Select[ProofRunRow, str]:
    return select(ProofRunRow, CustomerRow.login).outerjoin(
        CustomerRow, CustomerRow.id == ProofRunRow.customer_id
    )


async def runs(
    session: AsyncSession, customer_id: int | None, before: int | None, most: int
) -> Sequence[Owned]:
    """The newest first, those of one customer alone or all."""
    query = _owned().order_by(ProofRunRow.id.desc()).limit(most)
    if customer_id is not None:
        query = query.where(ProofRunRow.customer_id == customer_id)
    if before is not None:
        query = query.where(ProofRunRow.id < before)
    return [Owned(*each) for each in await session.execute(query)]


async def one_run(session: AsyncSession, run_id: int) -> Owned | None:
    """One of them."""
    found = (await session.execute(_owned().where(ProofRunRow.id == run_id))).first()
    return None if found is None else Owned(*found)


async def last_finished(session: AsyncSession) -> dict[str, ProofRunRow]:
    """By cause, the last run over the whole installation that is over."""
    over = ProofRunRow.finished_at.is_not(None), ProofRunRow.customer_id.is_(None)
    last = select(func.max(ProofRunRow.id)).where(*over).group_by(ProofRunRow.cause)
    rows = await session.scalars(select(ProofRunRow).where(ProofRunRow.id.in_(last)))
    return {row.cause: row for row in rows}


async def red_numbers(session: AsyncSession) -> int:
    """How many numbers that are there rang wrong, and the same test has not passed since."""
    is_there = or_(
        *(
            exists().where(row.customer_id == ProofRow.customer_id, row.number == ProofRow.number)
            for row in (HuntGroupRow, ExtensionRow, LineRow, SpeedDialRow)
        )
    )
    query = select(func.count()).where(ProofRow.id.in_(newest_ids()), ProofRow.reds.is_not(None), is_there)
    return await session.scalar(query) or 0


async def changes_seen(session: AsyncSession) -> int | None:
    """The last change after which was looked what is to be tested; None: nobody has looked yet."""
    row = await session.get(InstanceRow, _SEEN)
    return None if row is None else int(row.value)


async def see_changes(session: AsyncSession, number: int) -> None:
    """Notes that."""
    await session.merge(InstanceRow(key=_SEEN, value=str(number)))
