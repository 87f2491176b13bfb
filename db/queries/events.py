"""What phones reported, asked for, registered and called, and proofs, in the order in which it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.schema import (
    CallEventRow,
    CustomerRow,
    DeviceFileRow,
    DeviceRow,
    LineRow,
    PhoneEventRow,
    ProofRow,
    ProvisioningRequestRow,
    RegistrationEventRow,
    RevisionRow,
)

Log = (
    type[PhoneEventRow]
    | type[ProvisioningRequestRow]
    | type[RegistrationEventRow]
    | type[CallEventRow]
    | type[ProofRow]
)
"What is followed."


class Report(NamedTuple):
    """An event that a phone reported."""

    id: int
    at: datetime
    source: str
    mac: str
    customer_id: int
    login: str
    event: str
    details: str


class Request(NamedTuple):
    """A request of a listed phone."""

    id: int
    at: datetime
    source: str
    mac: str
    customer_id: int
    login: str
    method: str
    file_name: str | None
    status: int
    reason: str
    of_file: str | None
    "Which of the device's own files it was answered with, such as `mac`; None for anything else."
    revision: int | None
    "The number of that file's revision."


class OfBinding(NamedTuple):
    """Something that happened to a binding of a line."""

    id: int
    at: datetime
    source: str
    mac: str | None
    "None: no listed phone is known to hold it."
    customer_id: int
    login: str
    kind: str
    line: str
    contact: str
    transport: str
    user_agent: str
    details: str


class OfCall(NamedTuple):
    """Something that happened to a call."""

    id: int
    at: datetime
    customer_id: int
    login: str
    kind: str
    details: str
    source: str = ""
    mac: None = None


class OfProof(NamedTuple):
    """What test calls have proved of a number."""

    id: int
    at: datetime
    customer_id: int
    login: str
    number: str
    passed: bool
    calls: int
    failed: int
    run_id: int | None
    passed_before: bool | None
    "Whether the test before it did; None: there was none that is known."
    reds: str | None
    "What was wrong with the number after it (`ProofRow`)."
    source: str = ""
    mac: None = None


class Span(NamedTuple):
    """A piece of a log."""

    after: int
    up_to: int
    customer_id: int | None
    "None: everybody's."
    mac: str | None
    "Twelve hex digits; None: of all phones."


async def reports(session: AsyncSession, span: Span) -> Sequence[Report]:
    """The events of a span, in the order of their numbers."""
    row = PhoneEventRow
    query: Any = (
        select(
            *(row.id, row.at, row.source, DeviceRow.mac),
            *(DeviceRow.customer_id, CustomerRow.login, row.event, row.details),
        )
        .join(DeviceRow, DeviceRow.id == row.device_id)
        .join(CustomerRow, CustomerRow.id == DeviceRow.customer_id)
    )
    return [Report(*each) for each in await session.execute(_within(query, row, span, DeviceRow.customer_id))]


async def requests(session: AsyncSession, span: Span) -> Sequence[Request]:
    """The requests of a span that belong to listed phones, in the order of their numbers."""
    row, file = ProvisioningRequestRow, DeviceFileRow
    query: Any = (
        select(
            *(row.id, row.at, row.source, DeviceRow.mac, DeviceRow.customer_id, CustomerRow.login),
            *(row.method, row.file_name, row.status, row.reason, file.name, RevisionRow.number),
        )
        .join(DeviceRow, DeviceRow.id == row.device_id)
        .join(CustomerRow, CustomerRow.id == DeviceRow.customer_id)
        .outerjoin(RevisionRow, RevisionRow.id == row.revision_id)
        .outerjoin(file, (file.id == RevisionRow.file_id) & (file.device_id == DeviceRow.id))
    )
    return [
        Request(*each) for each in await session.execute(_within(query, row, span, DeviceRow.customer_id))
    ]


async def of_bindings(session: AsyncSession, span: Span) -> Sequence[OfBinding]:
    """What happened to bindings within a span, in the order of its numbers."""
    row = RegistrationEventRow
    query: Any = (
        select(
            *(row.id, row.at, row.source, DeviceRow.mac, LineRow.customer_id, CustomerRow.login, row.kind),
            *(LineRow.number, row.contact, row.transport, row.user_agent, row.details),
        )
        .join(LineRow, LineRow.id == row.line_id)
        .join(CustomerRow, CustomerRow.id == LineRow.customer_id)
        .outerjoin(DeviceRow, DeviceRow.id == row.device_id)
    )
    found = await session.execute(_within(query, row, span, LineRow.customer_id))
    return [OfBinding(*each) for each in found]


async def of_calls(session: AsyncSession, span: Span) -> Sequence[OfCall]:
    """What happened to calls within a span, in the order of its numbers. It has no `mac`."""
    row = CallEventRow
    query: Any = select(row.id, row.at, row.customer_id, CustomerRow.login, row.kind, row.details).join(
        CustomerRow, CustomerRow.id == row.customer_id
    )
    return [OfCall(*each) for each in await session.execute(_within(query, row, span, row.customer_id))]


async def of_proofs(session: AsyncSession, span: Span) -> Sequence[OfProof]:
    """What was proved within a span, in the order of its numbers."""
    row, before = ProofRow, aliased(ProofRow)
    same = before.customer_id == row.customer_id, before.number == row.number, before.id < row.id
    passed_before = select(before.passed).where(*same).order_by(before.id.desc()).limit(1).scalar_subquery()
    query: Any = select(
        *(row.id, row.at, row.customer_id, CustomerRow.login, row.number),
        *(row.passed, row.calls, row.failed, row.run_id, passed_before, row.reds),
    ).join(CustomerRow, CustomerRow.id == row.customer_id)
    return [OfProof(*each) for each in await session.execute(_within(query, row, span, row.customer_id))]


def _within(
    query: Select[Any], row: Log, span: Span, customer_id: InstrumentedAttribute[int]
) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [row.id > span.after, row.id <= span.up_to]
    if span.customer_id is not None:
        conditions.append(customer_id == span.customer_id)
    if span.mac is not None:
        conditions.append(DeviceRow.mac == span.mac)
    return query.where(*conditions).order_by(row.id)


async def page_end(session: AsyncSession, row: Log, after: int, up_to: int, rows: int) -> int:
    """The number behind which a page of so many rows ends; `up_to` where fewer are left."""
    later = select(row.id).where(row.id > after, row.id <= up_to).order_by(row.id)
    return await session.scalar(later.offset(rows - 1).limit(1)) or up_to
