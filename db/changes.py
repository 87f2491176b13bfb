"""Numbered changes: what a change touched, written with it, and waited for until every node knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.plain import Rows
from db.schema import ChangeRow
from db.writing import Writer

logger = logging.getLogger(__name__)

ALL = "all"
COMPANIES = ("customer:", "services:")
"How scopes begin that are about what a company, whose row's number follows, has configured."
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
_POLL_S, _LONGEST_POLL_S = 0.001, 0.016


def touch(session: AsyncSession, scope: str) -> None:
    """Notes in a `change` what is another now.

    Whose files: `device:ID`, `customer:ID`, `models` or `all`; whose password, or whether it is there at all:
    `line:NUMBER`; what a line does with its calls: `services:CUSTOMER_ID:NUMBER`.
    """
    session.info.setdefault(_SCOPES, set()).add(scope)


async def record(writer: Writer, scopes: Collection[str]) -> int | None:
    """Numbers what the change touched, inside its transaction. Returns the last number; None for nothing."""
    if not scopes:
        return None
    if len(scopes) > _MOST_SCOPES:
        scopes = {ALL}
    await _doubt(writer, scopes)
    now = datetime.now(UTC)
    rows = [(scope, now) for scope in sorted(scopes)]
    await writer.many("INSERT INTO changes (scope, at) VALUES (?, ?)", rows)
    # Changes are serial: the highest number is that of the last row.
    ((number,),) = await writer.rows("SELECT max(id) FROM changes")
    if number // _FORGET_AFTER > (number - len(scopes)) // _FORGET_AFTER:
        await writer.rows("DELETE FROM changes WHERE id <= ?", (number - _KEPT,))
    if writer.database == "postgresql":
        # Sent when the transaction is kept, and not otherwise.
        await writer.rows("SELECT pg_notify(?, '')", (CHANNEL,))
    return int(number)


async def _doubt(writer: Writer, scopes: Collection[str]) -> None:
    """Nothing is proved any more of the lines of companies that are others now."""
    is_proved = "UPDATE lines SET proved_at = NULL WHERE proved_at IS NOT NULL"
    if ALL in scopes:
        await writer.rows(is_proved, ())
        return
    customers = {scope.split(":")[1] for scope in scopes if scope.startswith(COMPANIES)}
    if customers:
        await writer.many(f"{is_proved} AND customer_id = ?", [(int(each),) for each in sorted(customers)])


async def newest(session: AsyncSession) -> int:
    """The number of the last change that the session sees; in a read, asked first, that of its moment."""
    return await session.scalar(select(func.max(ChangeRow.id))) or 0


async def scopes_since(session: AsyncSession, number: int) -> frozenset[str]:
    """`touched_since`, for a session; numbers that are forgotten are not missed."""
    return frozenset(await session.scalars(select(ChangeRow.scope).where(ChangeRow.id > number)))


async def touched_since(writer: Writer, number: int) -> frozenset[str]:
    """The scopes that were touched after change `number`; `all` where old ones are forgotten already."""
    rows = await writer.rows("SELECT scope FROM changes WHERE id > ?", (number,))
    if len(rows) > _KEPT // 2:
        return frozenset({ALL})
    return frozenset(scope for (scope,) in rows)


def taken(session: AsyncSession) -> frozenset[str]:
    """What was noted in a session; it holds nothing of it any more."""
    return frozenset(session.info.pop(_SCOPES, ()))


async def confirmed(number: int, reading: Callable[..., Awaitable[Rows]]) -> None:
    """Returns when no node trusts anything older than change `number`; `reading` is `Database.rows`.

    Each node with a lease has confirmed it, or has let its lease lapse: `LEASE_S` at the longest.
    """
    behind = "SELECT 1 FROM nodes WHERE lease_until > clock_timestamp() AND confirmed < :number LIMIT 1"
    pause_s = _POLL_S
    while await reading(behind, number=number):
        await asyncio.sleep(pause_s)
        # A node that says nothing is waited for until its lease is over.
        pause_s = min(2 * pause_s, _LONGEST_POLL_S)
