"""Lines, chosen by what people and programs know them by, and by how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import (
    CustomerRow,
    DeviceAccountRow,
    DeviceRow,
    ExtensionRow,
    LineRow,
    RegistrationEventRow,
    RegistrationRow,
)

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
    answers = reaches(lately)
    match standing:
        case Standing.REACHABLE:
            return _live(now, answers)
        case Standing.UNREACHABLE:
            return _live(now, RegistrationRow.reachable.is_(False))
        case Standing.REGISTERED:
            return _live(now, RegistrationRow.reachable.is_not(False), ~answers)
        case Standing.ENDED:
            return and_(_dark(now), or_(_has(RegistrationEventRow), _has(RegistrationRow)))
        case Standing.NEVER:
            return _dark(now)


def reaches(lately: datetime) -> ColumnElement[bool]:
    """The condition that a binding's phone answered after `lately`."""
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
