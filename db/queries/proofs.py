"""Runs of test calls, the newest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, COMPANIES, scopes_since
from db.queries.pruning import forget_oldest
from db.schema import CustomerRow, LineRow, ProofRow
from db.writing import writer_of

_KEEPING = 0x50524F46
"An advisory lock on PostgreSQL, for each number."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which are looked for; None chooses nothing."""

    customer_id: int | None = None
    login: str | None = None
    number: str | None = None
    passed: bool | None = None
    run_id: int | None = None


async def proofs(
    session: AsyncSession, chosen: Chosen, before: int | None, most: int
) -> Sequence[tuple[str, ProofRow]]:
    """Each with its customer's login, those with a lower id than `before` alone."""
    query = _chosen(chosen).order_by(ProofRow.id.desc()).limit(most)
    if before is not None:
        query = query.where(ProofRow.id < before)
    return [(login, row) for login, row in await session.execute(query)]


async def one_proof(session: AsyncSession, chosen: Chosen, proof_id: int) -> tuple[str, ProofRow] | None:
    """One of those that are chosen, with its customer's login."""
    found = (await session.execute(_chosen(chosen).where(ProofRow.id == proof_id))).first()
    return None if found is None else (found[0], found[1])


async def of_run(session: AsyncSession, run_id: int) -> Sequence[str]:
    """The details of all proofs of a run over many numbers."""
    query = select(ProofRow.details).where(ProofRow.run_id == run_id).order_by(ProofRow.id)
    return (await session.scalars(query)).all()


async def details_of(session: AsyncSession, customer_id: int, number: str, most: int) -> Sequence[str]:
    """The details of the newest proofs of a number, the newest first."""
    own = (ProofRow.customer_id == customer_id, ProofRow.number == number)
    query = select(ProofRow.details).where(*own).order_by(ProofRow.id.desc()).limit(most)
    return (await session.scalars(query)).all()


async def reds_of(session: AsyncSession, customer_id: int, number: str) -> str | None:
    """What is wrong with a number (`ProofRow`). Nobody else keeps a proof of it until this ends."""
    writer = await writer_of(session)
    if writer.database == "postgresql":
        await writer.rows(
            "SELECT pg_advisory_xact_lock(?, hashtext(?))", (_KEEPING, f"{customer_id} {number}")
        )
    own = (ProofRow.customer_id == customer_id, ProofRow.number == number)
    query = select(ProofRow.reds).where(*own).order_by(ProofRow.id.desc()).limit(1)
    return await session.scalar(query)


async def forget_proofs(
    session: AsyncSession, customer_id: int, number: str, kept: int, spared: Collection[int]
) -> None:
    """All of a number but the newest, and those that are spared."""
    own = (ProofRow.customer_id == customer_id, ProofRow.number == number, ProofRow.id.not_in(spared))
    await forget_oldest(session, ProofRow, own, kept)


async def forget_messages(session: AsyncSession, customer_id: int, number: str) -> None:
    """The messages of all of a number but the newest, and the newest that went wrong."""
    own = (ProofRow.customer_id == customer_id, ProofRow.number == number)
    newest = select(func.max(ProofRow.id)).where(*own)
    kept = await session.scalars(newest.union(newest.where(ProofRow.passed.is_(False))))
    ids = [each for each in kept if each is not None]
    old = (*own, ProofRow.messages.is_not(None), ProofRow.id.not_in(ids))
    await session.execute(update(ProofRow).where(*old).values(messages=None))


async def note_proved(session: AsyncSession, lines: Collection[str], at: datetime | None) -> None:
    """Test calls have rung these lines as is configured; `at` is None: they went wrong."""
    await session.execute(update(LineRow).where(LineRow.number.in_(lines)).values(proved_at=at))


async def is_changed(session: AsyncSession, customer_id: int, since: int) -> bool:
    """Whether a company may be another since that change (`db.changes`)."""
    own = [f"{each}{customer_id}" for each in COMPANIES]
    scopes = await scopes_since(session, since)
    return any(scope == ALL or ":".join(scope.split(":")[:2]) in own for scope in scopes)


def _chosen(chosen: Chosen) -> Select[str, ProofRow]:
    query = select(CustomerRow.login, ProofRow).join(CustomerRow, CustomerRow.id == ProofRow.customer_id)
    for column, value in (
        (ProofRow.customer_id, chosen.customer_id),
        (CustomerRow.login, chosen.login),
        (ProofRow.number, chosen.number),
        (ProofRow.passed, chosen.passed),
        (ProofRow.run_id, chosen.run_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return query
