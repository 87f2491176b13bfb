"""What dialled numbers led to when they were dialled: written with calls, read when somebody asks why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.pruning import prune
from db.schema import CallPlanRow, CallRecordRow
from db.writing import Writer


class PlanRow(NamedTuple):
    """A row of `call_plans`, in the order in which it is written."""

    customer_id: int
    digest: str
    plan: str


_PUT = (
    "INSERT INTO call_plans (customer_id, digest, plan) VALUES (?, ?, ?)"
    " ON CONFLICT (customer_id, digest) DO NOTHING"
)


async def put_plans(writer: Writer, rows: Sequence[PlanRow], kept: int) -> None:
    """Writes those that are not there, and forgets the oldest beyond so many of each customer."""
    if not rows:
        return
    await writer.many(_PUT, rows)
    await prune(writer, "call_plans", "customer_id", {row.customer_id for row in rows}, kept)


async def plan_of(session: AsyncSession, call: UUID) -> str | None:
    """That of a call's record; None: it has none, or that is forgotten."""
    query = (
        select(CallPlanRow.plan)
        .join(
            CallRecordRow,
            (CallRecordRow.customer_id == CallPlanRow.customer_id)
            & (CallRecordRow.plan == CallPlanRow.digest),
        )
        .where(CallRecordRow.uuid == call)
    )
    found: str | None = await session.scalar(query)
    return found
