"""Who is registered, line by line: the bindings, the phones that have the line, and what happened last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, exists, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.chosen_lines import reaches
from db.schema import (
    DeviceAccountRow,
    DeviceFileRow,
    DeviceRow,
    ExtensionRow,
    LineRow,
    RegistrationEventRow,
    RegistrationRow,
)

_OWN_FILE = "mac"


class Phone(NamedTuple):
    """A listed phone, as provisioning knows it."""

    id: int
    mac: str
    model: str
    name: str
    firmware: str | None
    contacted_at: datetime | None
    fetched_at: datetime | None
    fetched_revision_id: int | None
    current_revision_id: int | None
    is_proved: bool
    "Whether a test call has rung one of its lines as is configured."


class PhoneOnLine(NamedTuple):
    """A listed phone that has a line on one of its accounts."""

    line_id: int
    device_id: int


class Extension(NamedTuple):
    """A short number that leads to a line."""

    line_id: int
    number: str
    name: str


class Happened(NamedTuple):
    """Something that happened to a binding of a line."""

    line_id: int
    device_id: int | None
    at: datetime
    kind: str
    contact: str
    source: str
    transport: str
    user_agent: str


class Counts(NamedTuple):
    """How many bindings there are now."""

    live: int
    "That have not run out."
    reachable: int
    "That were heard lately, of these."
    unreachable: int
    "That did not answer, of these."
    lines: int
    "Lines with a live binding."


async def phones_on_lines(session: AsyncSession, line_ids: Sequence[int]) -> Sequence[PhoneOnLine]:
    """Which phones have the lines, each once, by MAC."""
    account = DeviceAccountRow
    query = (
        select(account.line_id, account.device_id)
        .join(DeviceRow, DeviceRow.id == account.device_id)
        .where(account.line_id.in_(line_ids))
        .group_by(account.line_id, account.device_id, DeviceRow.mac)
        .order_by(DeviceRow.mac)
    )
    return [PhoneOnLine._make(row) for row in await session.execute(query)]


async def phones(session: AsyncSession, device_ids: Sequence[int]) -> dict[int, Phone]:
    """The phones by their rows, each with the revision of its own file that it gets now."""
    query = (
        select(
            *(DeviceRow.id, DeviceRow.mac, DeviceRow.model, DeviceRow.name, DeviceRow.firmware_seen),
            *(DeviceRow.contacted_at, DeviceRow.fetched_at, DeviceRow.fetched_revision_id),
            DeviceFileRow.current_revision_id,
            _has_proved_line(),
        )
        .outerjoin(
            DeviceFileRow, (DeviceFileRow.device_id == DeviceRow.id) & (DeviceFileRow.name == _OWN_FILE)
        )
        .where(DeviceRow.id.in_(device_ids))
    )
    return {row[0]: Phone._make(row) for row in await session.execute(query)}


async def extensions_of_lines(session: AsyncSession, line_ids: Sequence[int]) -> dict[int, Extension]:
    """The first extension of each line that has any."""
    query = (
        select(ExtensionRow.line_id, ExtensionRow.number, ExtensionRow.name)
        .where(ExtensionRow.line_id.in_(line_ids))
        .order_by(ExtensionRow.number.desc())
    )
    found = [Extension._make(row) for row in await session.execute(query)]
    return {each.line_id: each for each in found}


async def bindings_of_lines(session: AsyncSession, line_ids: Sequence[int]) -> Sequence[RegistrationRow]:
    """All bindings of the lines, the oldest first; also such as have run out and are still there."""
    query = select(RegistrationRow).where(RegistrationRow.line_id.in_(line_ids)).order_by(RegistrationRow.id)
    return (await session.scalars(query)).all()


async def bindings_of_devices(session: AsyncSession, now: datetime) -> Sequence[RegistrationRow]:
    """The live bindings of listed phones."""
    row = RegistrationRow
    query = select(row).where(row.device_id.is_not(None), row.expires_at > now)
    return (await session.scalars(query)).all()


async def last_of_each(
    session: AsyncSession, line_ids: Sequence[int], before: datetime | None = None
) -> Sequence[Happened]:
    """What happened last with each phone on each line, or last before a moment."""
    row = RegistrationEventRow
    newest = select(func.max(row.id)).where(row.line_id.in_(line_ids)).group_by(row.line_id, row.device_id)
    if before is not None:
        newest = newest.where(row.at < before)
    return await _happened(session, row.id.in_(newest))


async def happened_since(
    session: AsyncSession, line_ids: Sequence[int], since: datetime
) -> Sequence[Happened]:
    """What happened with the lines since a moment, in its order."""
    row = RegistrationEventRow
    return await _happened(session, row.line_id.in_(line_ids) & (row.at >= since))


async def counts(session: AsyncSession, now: datetime, lately: datetime) -> Counts:
    """How many bindings are live; what was heard after `lately` was heard lately."""
    row = RegistrationRow
    query = select(
        func.count(),
        func.count(case((reaches(lately), 1))),
        func.count(case((row.reachable.is_(False), 1))),
        func.count(row.line_id.distinct()),
    ).where(row.expires_at > now)
    return Counts._make((await session.execute(query)).one())


async def ladders(session: AsyncSession, now: datetime, lately: datetime) -> dict[tuple[bool, ...], int]:
    """How many phones there are, by whether they have contacted us, fetched, have the current file, are
    registered, are reachable, and a line of theirs was proved by a test call.
    """
    row = RegistrationRow
    live = exists().where(row.device_id == DeviceRow.id, row.expires_at > now)
    steps = (
        DeviceRow.contacted_at.is_not(None),
        DeviceRow.fetched_at.is_not(None),
        func.coalesce(DeviceRow.fetched_revision_id == DeviceFileRow.current_revision_id, false()),
        live,
        live.where(reaches(lately)),
        _has_proved_line(),
    )
    named = [case((step, 1), else_=0).label(f"step_{number}") for number, step in enumerate(steps)]
    each = (
        select(*named)
        .select_from(DeviceRow)
        .outerjoin(
            DeviceFileRow, (DeviceFileRow.device_id == DeviceRow.id) & (DeviceFileRow.name == _OWN_FILE)
        )
        .subquery()
    )
    query = select(*each.c, func.count()).group_by(*each.c)
    return {tuple(map(bool, found[:-1])): found[-1] for found in await session.execute(query)}


async def proved_devices(session: AsyncSession) -> set[int]:
    """The phones that have a line which was proved by a test call."""
    return set(await session.scalars(select(DeviceRow.id).where(_has_proved_line())))


async def counts_by_transport(session: AsyncSession, now: datetime) -> dict[str, int]:
    """How many bindings are live, by the transport that they came by."""
    row = RegistrationRow
    query = select(row.transport, func.count()).where(row.expires_at > now).group_by(row.transport)
    return {row[0]: row[1] for row in await session.execute(query)}


def _has_proved_line() -> ColumnElement[bool]:
    account = DeviceAccountRow
    return exists().where(
        account.device_id == DeviceRow.id, LineRow.id == account.line_id, LineRow.proved_at.is_not(None)
    )


async def _happened(session: AsyncSession, condition: ColumnElement[bool]) -> Sequence[Happened]:
    row = RegistrationEventRow
    query = (
        select(
            *(row.line_id, row.device_id, row.at, row.kind),
            *(row.contact, row.source, row.transport, row.user_agent),
        )
        .where(condition)
        .order_by(row.id)
    )
    return [Happened._make(each) for each in await session.execute(query)]
