"""Calls that were made and calls that live, the newest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.schema import (
    CallLegRow,
    CallRecordRow,
    CustomerFeatureRow,
    CustomerRow,
    FeatureRow,
    LineFeatureRow,
    LineRow,
    ProductFeatureRow,
)

_CODE = "service"
"How a call ends that was a code."
_ONCE = CallRecordRow.sip_call_id.is_not(None)
"A call of everybody's: what another customer than the caller's has of it stands in a record of its own."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which calls are looked for; what is None or empty chooses nothing."""

    customer_id: int | None = None
    feature: str | None = None
    "Calls alone that a line with this feature has made or was tried for."
    login: str | None = None
    line: str | None = None
    "That made it or was tried."
    group: str | None = None
    "A hunt group that rang somebody."
    text: str = ""
    "Stands in a number or a name."
    is_live: bool | None = None
    is_answered: bool | None = None
    since: datetime | None = None
    "Calls that began then or later."
    until: datetime | None = None
    "Calls that began before."
    uuid: UUID | None = None


class Call(NamedTuple):
    """A call."""

    id: int
    uuid: UUID
    login: str
    direction: str
    sip_call_id: str | None
    from_number: str
    from_name: str | None
    line: str | None
    to_number: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    sip_code: int | None


class Leg(NamedTuple):
    """Somebody who was tried for it."""

    call_id: int
    position: int
    line: str | None
    extension: str | None
    name: str | None
    hunt_groups: str | None
    owner_id: int | None
    phones: int | None
    began_at: datetime | None
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    sip_code: int | None


class Counts(NamedTuple):
    """How many calls there are and were."""

    live: int
    ringing: int
    "Of these, whom nobody has answered yet."
    answered: int
    "Of those that have ended since."
    unanswered: int


async def calls(session: AsyncSession, chosen: Chosen, before: int | None, most: int) -> Sequence[Call]:
    """So many of them, the newest first; `before`: only such with a lower number."""
    row = CallRecordRow
    query = (
        select(
            *(row.id, row.uuid, CustomerRow.login, row.direction, row.sip_call_id, row.from_number),
            *(row.from_name, row.billed_number, row.to_number, row.started_at, row.answered_at),
            *(row.ended_at, row.end_reason, row.sip_code),
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(*_conditions(chosen))
        .order_by(row.id.desc())
        .limit(most)
    )
    if before is not None:
        query = query.where(row.id < before)
    return [Call._make(found) for found in await session.execute(query)]


async def legs(session: AsyncSession, call_ids: Collection[int]) -> Sequence[Leg]:
    """The legs of these calls, in the order in which they were tried."""
    row = CallLegRow
    query = (
        select(
            *(row.call_id, row.position, row.line, row.extension, row.name, row.hunt_groups, row.owner_id),
            *(row.phones, row.began_at, row.ring_started_at, row.answered_at, row.ended_at),
            *(row.reason, row.sip_code),
        )
        .where(row.call_id.in_(call_ids))
        .order_by(row.call_id, row.position)
    )
    return [Leg._make(found) for found in await session.execute(query)]


async def counts(session: AsyncSession, since: datetime) -> Counts:
    """Of everybody's calls: those that live, and those that began since a moment and have ended.

    Codes are neither answered nor missed.
    """
    row = CallRecordRow
    live = select(func.count(), func.count(row.answered_at)).where(row.ended_at.is_(None), _ONCE)
    all_live, talking = (await session.execute(live)).one()
    ended = select(func.count(), func.count(row.answered_at)).where(
        *(row.ended_at.is_not(None), _ONCE, row.started_at >= since, row.end_reason.is_distinct_from(_CODE))
    )
    all_ended, answered = (await session.execute(ended)).one()
    return Counts(all_live, all_live - talking, answered, all_ended - answered)


async def lines_with(session: AsyncSession, customer_id: int, feature: str) -> frozenset[str]:
    """The numbers of a customer's lines that have a feature, which is a switch."""
    return frozenset(await session.scalars(_lines_with(customer_id, feature)))


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    row = CallRecordRow
    found: list[ColumnElement[bool]] = []
    if chosen.customer_id is None and chosen.login is None and chosen.uuid is None:
        found.append(_ONCE)
    mine: tuple[ColumnElement[bool], ...] = ()
    if chosen.customer_id is not None:
        found.append(row.customer_id == chosen.customer_id)
        # By what is another customer's nothing is found.
        mine = (or_(CallLegRow.owner_id.is_(None), CallLegRow.owner_id == chosen.customer_id),)
        if chosen.feature is not None:
            having = _lines_with(chosen.customer_id, chosen.feature)
            found.append(or_(row.billed_number.in_(having), _leg(CallLegRow.line.in_(having))))
    if chosen.login is not None:
        whose = select(CustomerRow.id).where(CustomerRow.login == chosen.login)
        found.append(row.customer_id == whose.scalar_subquery())
    if chosen.line is not None:
        found.append(or_(row.billed_number == chosen.line, _leg(CallLegRow.line == chosen.line, *mine)))
    if chosen.group is not None:
        padded = literal(" ") + CallLegRow.hunt_groups + literal(" ")
        found.append(_leg(padded.contains(f" {chosen.group} ", autoescape=True), *mine))
    if chosen.text:
        of_call = (row.from_number, row.from_name, row.billed_number, row.to_number)
        of_legs = (CallLegRow.line, CallLegRow.extension, CallLegRow.name)
        found.append(or_(_any(of_call, chosen.text), _leg(_any(of_legs, chosen.text), *mine)))
    if chosen.is_live is not None:
        found.append(row.ended_at.is_(None) if chosen.is_live else row.ended_at.is_not(None))
    if chosen.is_answered is not None:
        found.append(row.answered_at.is_not(None) if chosen.is_answered else row.answered_at.is_(None))
    if chosen.since is not None:
        found.append(row.started_at >= chosen.since)
    if chosen.until is not None:
        found.append(row.started_at < chosen.until)
    if chosen.uuid is not None:
        found.append(row.uuid == chosen.uuid)
    return found


def _leg(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A leg of the call meets all of them."""
    return select(CallLegRow.call_id).where(CallLegRow.call_id == CallRecordRow.id, *conditions).exists()


def _any(columns: Sequence[InstrumentedAttribute[Any]], text: str) -> ColumnElement[bool]:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _lines_with(customer_id: int, feature: str) -> Select[Any]:
    """A level's word counts unless a level above has locked the feature (`centrex.features.effective`)."""
    of_product, of_customer, of_line = ProductFeatureRow, CustomerFeatureRow, LineFeatureRow
    value = case(
        (of_product.locked, of_product.value),
        (of_customer.locked, of_customer.value),
        else_=func.coalesce(of_line.value, of_customer.value, of_product.value, FeatureRow.default),
    )
    return (
        select(LineRow.number)
        .join(FeatureRow, FeatureRow.name == feature)
        .outerjoin(
            of_product,
            (of_product.feature_id == FeatureRow.id) & (of_product.product_id == LineRow.product_id),
        )
        .outerjoin(
            of_customer,
            (of_customer.feature_id == FeatureRow.id) & (of_customer.customer_id == LineRow.customer_id),
        )
        .outerjoin(of_line, (of_line.feature_id == FeatureRow.id) & (of_line.line_id == LineRow.id))
        .where(LineRow.customer_id == customer_id, value == "1")
    )
