"""Who is registered, line by line: the bindings, the phones that have the line, and what happened last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import (
    CustomerRow,
    DeviceAccountRow,
    DeviceFileRow,
    DeviceRow,
    ExtensionRow,
    LineRow,
    RegistrationEventRow,
    RegistrationRow,
)

_OWN_FILE = "mac"
_ESCAPE = "\\"


class Standing(StrEnum):
    """How a line stands on some phone."""

    REACHABLE = "reachable"
    "Its binding has not run out, and the phone answered lately."
    UNREACHABLE = "unreachable"
    "Its binding has not run out, and the phone did not answer."
    REGISTERED = "registered"
    "Its binding has not run out, and that is all."
    ENDED = "ended"
    "It has no binding any more."
    NEVER = "never"
    "Nothing is known of any binding."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines are looked for; what is None or empty chooses nothing."""

    customer_id: int | None = None
    login: str | None = None
    line: str | None = None
    mac: str | None = None
    "Twelve lower-case hex digits, of a phone that has the line or has registered it."
    text: str = ""
    "Stands in the number, in a name, in the phone's model or address, or in what registered."
    standings: frozenset[Standing] = frozenset()
    lately: datetime | None = None
    "What was heard after this moment was heard lately; wanted with `standings`."


class Line(NamedTuple):
    """A line and whose it is."""

    id: int
    number: str
    customer_id: int
    login: str


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


async def customer_called(session: AsyncSession, login: str) -> int | None:
    """The number of the customer's row."""
    return await session.scalar(select(CustomerRow.id).where(CustomerRow.login == login))


async def lines(
    session: AsyncSession, chosen: Chosen, now: datetime, after: str, most: int
) -> Sequence[Line]:
    """The next lines behind the number `after`, by their numbers."""
    query = (
        select(LineRow.id, LineRow.number, LineRow.customer_id, CustomerRow.login)
        .join(CustomerRow, CustomerRow.id == LineRow.customer_id)
        .where(LineRow.number > after, *_conditions(chosen, now))
        .order_by(LineRow.number)
        .limit(most)
    )
    return [Line._make(row) for row in await session.execute(query)]


async def line_ids(session: AsyncSession, numbers: Sequence[str]) -> dict[str, int]:
    """The rows of lines, by their numbers."""
    query = select(LineRow.number, LineRow.id).where(LineRow.number.in_(numbers))
    return {row[0]: row[1] for row in await session.execute(query)}


async def count_lines(session: AsyncSession, chosen: Chosen, now: datetime) -> int:
    """How many lines there are to choose from."""
    query = (
        select(func.count())
        .select_from(LineRow)
        .join(CustomerRow, CustomerRow.id == LineRow.customer_id)
        .where(*_conditions(chosen, now))
    )
    return await session.scalar(query) or 0


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
        func.count(case((_reaches(lately), 1))),
        func.count(case((row.reachable.is_(False), 1))),
        func.count(row.line_id.distinct()),
    ).where(row.expires_at > now)
    return Counts._make((await session.execute(query)).one())


async def ladders(session: AsyncSession, now: datetime, lately: datetime) -> dict[tuple[bool, ...], int]:
    """How many phones there are, by whether they have contacted us, fetched, have the current file, are
    registered, and are reachable.
    """
    row = RegistrationRow
    live = exists().where(row.device_id == DeviceRow.id, row.expires_at > now)
    steps = (
        DeviceRow.contacted_at.is_not(None),
        DeviceRow.fetched_at.is_not(None),
        func.coalesce(DeviceRow.fetched_revision_id == DeviceFileRow.current_revision_id, false()),
        live,
        live.where(_reaches(lately)),
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


async def counts_by_transport(session: AsyncSession, now: datetime) -> dict[str, int]:
    """How many bindings are live, by the transport that they came by."""
    row = RegistrationRow
    query = select(row.transport, func.count()).where(row.expires_at > now).group_by(row.transport)
    return {row[0]: row[1] for row in await session.execute(query)}


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


def _conditions(chosen: Chosen, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.customer_id is not None:
        found.append(LineRow.customer_id == chosen.customer_id)
    if chosen.login is not None:
        found.append(CustomerRow.login == chosen.login)
    if chosen.line is not None:
        found.append(LineRow.number == chosen.line)
    if chosen.mac is not None:
        found.append(_with_phone(DeviceRow.mac == chosen.mac))
    if chosen.standings:
        found.append(or_(*(_stands(each, chosen.lately or now, now) for each in chosen.standings)))
    if chosen.text:
        found.append(_says(chosen.text))
    return found


def _stands(standing: Standing, lately: datetime, now: datetime) -> ColumnElement[bool]:
    reaches = _reaches(lately)
    match standing:
        case Standing.REACHABLE:
            return _live(now, reaches)
        case Standing.UNREACHABLE:
            return _live(now, RegistrationRow.reachable.is_(False))
        case Standing.REGISTERED:
            return _live(now, RegistrationRow.reachable.is_not(False), ~reaches)
        case Standing.ENDED:
            return and_(_dark(now), or_(_has(RegistrationEventRow), _has(RegistrationRow)))
        case Standing.NEVER:
            return _dark(now)


def _reaches(lately: datetime) -> ColumnElement[bool]:
    row = RegistrationRow
    heard = or_(func.coalesce(row.heard_at > lately, false()), row.refreshed_at > lately)
    return and_(row.reachable.is_(True), heard)


def _has(row: type[RegistrationEventRow] | type[RegistrationRow]) -> ColumnElement[bool]:
    return exists().where(row.line_id == LineRow.id)


def _live(now: datetime, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    row = RegistrationRow
    return exists().where(row.line_id == LineRow.id, row.expires_at > now, *conditions)


def _dark(now: datetime) -> ColumnElement[bool]:
    """No live binding of the line, or none of one of the phones that have it."""
    account, row = DeviceAccountRow, RegistrationRow
    its_own = exists().where(
        row.line_id == account.line_id, row.device_id == account.device_id, row.expires_at > now
    )
    return or_(~_live(now), exists().where(account.line_id == LineRow.id, ~its_own))


def _with_phone(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A phone that has the line, or has registered it."""
    account, row = DeviceAccountRow, RegistrationRow
    has = exists().where(account.line_id == LineRow.id, account.device_id == DeviceRow.id, condition)
    registers = exists().where(row.line_id == LineRow.id, row.device_id == DeviceRow.id, condition)
    return or_(has, registers)


def _says(text: str) -> ColumnElement[bool]:
    def within(*columns: object) -> ColumnElement[bool]:
        plain = text.replace(_ESCAPE, _ESCAPE * 2).replace("%", r"\%").replace("_", r"\_")
        return or_(*(column.ilike(f"%{plain}%", escape=_ESCAPE) for column in columns))  # type: ignore[attr-defined]

    row = RegistrationRow
    of_phone = within(DeviceRow.name, DeviceRow.model)
    digits = "".join(each for each in text.lower() if each not in ":-. ")
    if digits:
        of_phone = or_(of_phone, DeviceRow.mac.contains(digits, autoescape=True))
    of_extension = within(ExtensionRow.number, ExtensionRow.name)
    of_binding = within(row.contact, row.source, row.user_agent)
    return or_(
        within(LineRow.number, CustomerRow.login, CustomerRow.name),
        _with_phone(of_phone),
        exists().where(and_(ExtensionRow.line_id == LineRow.id, of_extension)),
        exists().where(and_(row.line_id == LineRow.id, of_binding)),
    )
