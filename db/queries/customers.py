"""Customers with everything that their phones' files depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from db.schema import (
    CustomerRow,
    DeviceAccountRow,
    DeviceRow,
    ExtensionRow,
    HuntGroupMemberRow,
    HuntGroupRow,
    LineRow,
    ProductRow,
    SettingRow,
)

_Rows = QueryableAttribute[Any]


def _whole() -> tuple[ORMOption, ...]:
    extensions = selectinload(CustomerRow.extensions).joinedload(ExtensionRow.line)
    return (extensions, *_loading(CustomerRow.lines, CustomerRow.devices))


def _loading(lines: _Rows, devices: _Rows) -> tuple[ORMOption, ...]:
    return (
        joinedload(CustomerRow.proof_schedule),
        selectinload(CustomerRow.sites),
        selectinload(lines).options(
            joinedload(LineRow.product), joinedload(LineRow.site), selectinload(LineRow.forwardings)
        ),
        selectinload(CustomerRow.hunt_groups)
        .selectinload(HuntGroupRow.members)
        .options(joinedload(HuntGroupMemberRow.extension), joinedload(HuntGroupMemberRow.member_group)),
        selectinload(CustomerRow.speed_dials),
        selectinload(CustomerRow.feature_codes),
        selectinload(devices).options(
            selectinload(DeviceRow.accounts).options(joinedload(DeviceAccountRow.line)),
            selectinload(DeviceRow.keys),
            selectinload(DeviceRow.tokens),
            joinedload(DeviceRow.site),
        ),
    )


async def whole_customer(session: AsyncSession, login: str) -> CustomerRow | None:
    """The customer with its exchange and devices, or None."""
    query = select(CustomerRow).where(CustomerRow.login == login).options(*_whole())
    return await session.scalar(query)


async def whole_customer_by_id(session: AsyncSession, customer_id: int) -> CustomerRow | None:
    """The same by the row's number."""
    query = select(CustomerRow).where(CustomerRow.id == customer_id).options(*_whole())
    return await session.scalar(query)


async def part_of_customer(
    session: AsyncSession, customer_id: int, macs: Collection[str]
) -> CustomerRow | None:
    """The customer with some of its devices, and of its lines and extensions those that these have."""
    # By their numbers: SQLite would look for other columns among all rows of the customer.
    ids = select(DeviceRow.id).where(DeviceRow.mac.in_(macs))
    line_ids = select(DeviceAccountRow.line_id).where(DeviceAccountRow.device_id.in_(ids))
    lines = CustomerRow.lines.and_(LineRow.id.in_(line_ids))
    devices = CustomerRow.devices.and_(DeviceRow.id.in_(ids))
    query = select(CustomerRow).where(CustomerRow.id == customer_id).options(*_loading(lines, devices))
    row = await session.scalar(query)
    if row is not None:
        # These by their lines, which are the customer's own. Named by customer, too, SQLite would take that
        # index, since it is part of a unique one.
        of_lines = select(ExtensionRow).where(ExtensionRow.line_id.in_(line_ids)).order_by(ExtensionRow.id)
        extensions = (await session.scalars(of_lines.options(joinedload(ExtensionRow.line)))).all()
        set_committed_value(row, "extensions", list(extensions))
    return row


async def own_of_customer(session: AsyncSession, customer_id: int) -> CustomerRow:
    """The customer with its sites, short numbers, codes and times of tests; looking at other lists raises."""
    own = (CustomerRow.sites, CustomerRow.speed_dials, CustomerRow.feature_codes)
    query = select(CustomerRow).where(CustomerRow.id == customer_id)
    options = (joinedload(CustomerRow.proof_schedule), *(selectinload(each) for each in own))
    return (await session.scalars(query.options(*options))).one()


async def customer_logins(session: AsyncSession) -> Sequence[str]:
    """All logins, in order."""
    return (await session.scalars(select(CustomerRow.login).order_by(CustomerRow.login))).all()


async def owners_of_lines(session: AsyncSession, numbers: Iterable[str]) -> dict[str, str]:
    """Which customer's login has each of the lines that exist."""
    query = (
        select(LineRow.number, CustomerRow.login)
        .join(CustomerRow, LineRow.customer_id == CustomerRow.id)
        .where(LineRow.number.in_(list(numbers)))
    )
    return {row.number: row.login for row in await session.execute(query)}


async def owners_of_macs(session: AsyncSession, macs: Iterable[str]) -> dict[str, str]:
    """Which customer's login has each of the devices that exist, by MAC."""
    query = (
        select(DeviceRow.mac, CustomerRow.login)
        .join(CustomerRow, DeviceRow.customer_id == CustomerRow.id)
        .where(DeviceRow.mac.in_(list(macs)))
    )
    return {row.mac: row.login for row in await session.execute(query)}


async def products(session: AsyncSession) -> dict[str, ProductRow]:
    """All products by name."""
    return {row.name: row for row in await session.scalars(select(ProductRow))}


async def settings_of_customer(
    session: AsyncSession, customer: CustomerRow, device_ids: Collection[int] | None = None
) -> Sequence[SettingRow]:
    """What the customer, its sites and its devices (all, or some) say."""
    mine = [SettingRow.customer_id == customer.id]
    if customer.sites:
        mine.append(SettingRow.site_id.in_([site.id for site in customer.sites]))
    # A subquery for all: a customer may have more devices than a statement takes parameters.
    devices = select(DeviceRow.id).where(DeviceRow.customer_id == customer.id)
    mine.append(SettingRow.device_id.in_(devices if device_ids is None else device_ids))
    return (await session.scalars(select(SettingRow).where(or_(*mine)).order_by(SettingRow.name))).all()


async def settings_of_vendors(session: AsyncSession) -> Sequence[SettingRow]:
    """What vendors and models say."""
    # By names, which have indexes: asked for the level, SQLite looks through what all phones say.
    said = or_(SettingRow.vendor > "", SettingRow.model > "")
    return (await session.scalars(select(SettingRow).where(said).order_by(SettingRow.name))).all()
