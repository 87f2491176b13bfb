"""Numbered changes: what a change touched, written with it, and waited for until every node knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Table, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import ChangeRow, NodeRow

logger = logging.getLogger(__name__)

ALL = "all"
CHANNEL = "centralka_changes"
"Of PostgreSQL's NOTIFY."
LEASE_S = 2.0
"How long a node may trust its memory without having heard from the database."

_SCOPES = "touched"
_MOST_SCOPES = 200
"More than these are told as `all`: reading the files again costs nodes less than the list."
_KEPT = 10_000
_FORGET_AFTER = 100
"Old ones are forgotten after so many new ones, and not at each."
_POLL_S = 0.01
_TABLE = cast(Table, ChangeRow.__table__)


def touch(session: AsyncSession, scope: str) -> None:
    """Notes in a `change` what is another now.

    Whose files: `device:ID`, `customer:ID`, `models` or `all`; whose password, or whether it is there at all:
    `line:NUMBER`.
    """
    session.info.setdefault(_SCOPES, set()).add(scope)


async def record(session: AsyncSession) -> int | None:
    """Numbers what the change touched, inside its transaction. Returns the last number; None for nothing."""
    scopes: set[str] = session.info.pop(_SCOPES, set())
    if not scopes:
        return None
    if len(scopes) > _MOST_SCOPES:
        scopes = {ALL}
    now = datetime.now(UTC)
    rows = [{"scope": scope, "at": now} for scope in sorted(scopes)]
    await session.flush()
    # By the table: rows that nobody holds in memory are written in half the time, and others wait for it.
    numbers: list[int] = list(await session.scalars(insert(_TABLE).returning(_TABLE.c.id), rows))
    number = max(numbers)
    if number // _FORGET_AFTER > (min(numbers) - 1) // _FORGET_AFTER:
        await session.execute(delete(_TABLE).where(_TABLE.c.id <= number - _KEPT))
    if session.get_bind().dialect.name == "postgresql":
        # Sent when the transaction is kept, and not otherwise.
        await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return number


async def newest(session: AsyncSession) -> int:
    """The number of the last change that the session sees; in a read, asked first, that of its moment."""
    return await session.scalar(select(func.max(ChangeRow.id))) or 0


async def touched_since(session: AsyncSession, number: int) -> frozenset[str]:
    """The scopes that were touched after change `number`; `all` where old ones are forgotten already."""
    found = await session.execute(select(ChangeRow.id, ChangeRow.scope).where(ChangeRow.id > number))
    rows = found.all()
    if len(rows) > _KEPT // 2:
        return frozenset({ALL})
    return frozenset(row.scope for row in rows)


def taken(session: AsyncSession) -> frozenset[str]:
    """What was noted in a session whose rows another one writes, to be noted there."""
    return frozenset(session.info.pop(_SCOPES, ()))


async def confirmed(number: int, reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]) -> None:
    """Returns when no node trusts anything older than change `number`.

    Each node with a lease has confirmed it, or has let its lease lapse: `LEASE_S` at the longest.
    """
    behind = select(func.count()).where(
        NodeRow.lease_until > func.clock_timestamp(), NodeRow.confirmed < number
    )
    while True:
        async with reading() as session:
            if not await session.scalar(behind):
                return
        await asyncio.sleep(_POLL_S)
