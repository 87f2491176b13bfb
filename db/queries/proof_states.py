"""How numbers stand by their newest test calls, and how they stood before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, COMPANIES
from db.schema import ChangeRow, CustomerRow, ProofRow


class Result(NamedTuple):
    """A run of test calls to a number."""

    id: int
    number: str
    at: datetime
    passed: bool
    calls: int
    failed: int
    fingerprint: str | None
    "Of what was expected (`ProofRow`)."
    live: bool
    "People's own phones rang."
    reds: str | None
    "What was wrong with the number after it (`ProofRow`)."


class Stand(NamedTuple):
    """How the numbers of a customer stand that were tested."""

    login: str
    name: str
    passed: int
    failed: int


async def newest(session: AsyncSession, customer_id: int) -> Sequence[Result]:
    """The newest of each number of a customer."""
    ids = newest_ids().where(ProofRow.customer_id == customer_id)
    return await _results(session, _result().where(ProofRow.id.in_(ids)))


async def past(session: AsyncSession, customer_id: int, numbers: Collection[str]) -> Sequence[Result]:
    """All that are kept of these numbers, the oldest first."""
    own = (ProofRow.customer_id == customer_id, ProofRow.number.in_(numbers))
    return await _results(session, _result().where(*own).order_by(ProofRow.id))


async def stands(session: AsyncSession, text: str, after: str, most: int) -> Sequence[Stand]:
    """So many customers behind that login, in whose login or name `text` stands."""
    green = case((ProofRow.reds.is_(None), 1), else_=0)
    tested = (
        select(
            ProofRow.customer_id,
            func.sum(green).label("passed"),
            func.sum(1 - green).label("failed"),
        )
        .where(ProofRow.id.in_(newest_ids()))
        .group_by(ProofRow.customer_id)
        .subquery()
    )
    query = (
        select(
            CustomerRow.login,
            CustomerRow.name,
            func.coalesce(tested.c.passed, 0),
            func.coalesce(tested.c.failed, 0),
        )
        .outerjoin(tested, tested.c.customer_id == CustomerRow.id)
        .where(CustomerRow.login > after)
        .order_by(CustomerRow.login)
        .limit(most)
    )
    if text:
        query = query.where(
            CustomerRow.login.icontains(text, autoescape=True)
            | CustomerRow.name.icontains(text, autoescape=True)
        )
    return [Stand(*row) for row in await session.execute(query)]


async def changed_at(session: AsyncSession, customer_id: int) -> datetime | None:
    """When something of the company was changed last, as far as that is remembered.

    Where nothing is, but older changes are forgotten: up to when those may have been. None: never.
    """
    own = [f"{each}{customer_id}" for each in COMPANIES]
    of_lines = (ChangeRow.scope.startswith(f"{each}:", autoescape=True) for each in own)
    mine = or_(ChangeRow.scope.in_([ALL, *own]), *of_lines)
    last: datetime | None = await session.scalar(select(func.max(ChangeRow.at)).where(mine))
    if last is not None:
        return last
    oldest = select(ChangeRow.id, ChangeRow.at).order_by(ChangeRow.id).limit(1)
    first = (await session.execute(oldest)).first()
    return None if first is None or first.id == 1 else first.at


def newest_ids() -> Select[int]:
    """Of the last test of each number of each customer."""
    return select(func.max(ProofRow.id)).group_by(ProofRow.customer_id, ProofRow.number)


LIVE = '"live": true'
"Stands in what is kept of live runs, and in no other: quotes within its texts are escaped."
_Rows: TypeAlias = Select[int, str, datetime, bool, int, int, str | None, bool, str | None]


def _result() -> _Rows:
    row = ProofRow
    # What was seen of a number's whole trial is long, and need not be read: live runs are no such trial.
    is_whole, is_live = row.fingerprint.is_not(None), row.details.contains(LIVE, autoescape=True)
    live = case((is_whole, False), else_=is_live)
    came_to = row.passed, row.calls, row.failed, row.fingerprint
    return select(row.id, row.number, row.at, *came_to, live, row.reds)


async def _results(session: AsyncSession, query: _Rows) -> Sequence[Result]:
    return [Result(*row) for row in await session.execute(query)]
