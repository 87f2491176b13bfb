"""Customers with everything that their phones' files depend on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload
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


def _whole() -> tuple[ORMOption, ...]:
    return (
        selectinload(CustomerRow.sites),
        selectinload(CustomerRow.lines).options(joinedload(LineRow.product), joinedload(LineRow.site)),
        selectinload(CustomerRow.extensions).options(joinedload(ExtensionRow.line)),
        selectinload(CustomerRow.hunt_groups)
        .selectinload(HuntGroupRow.members)
        .options(joinedload(HuntGroupMemberRow.extension), joinedload(HuntGroupMemberRow.member_group)),
        selectinload(CustomerRow.speed_dials),
        selectinload(CustomerRow.feature_codes),
        selectinload(CustomerRow.devices).options(
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


async def settings_of_customer(session: AsyncSession, customer: CustomerRow) -> Sequence[SettingRow]:
    """What the customer, its sites and its devices say."""
    mine = [SettingRow.customer_id == customer.id]
    if customer.sites:
        mine.append(SettingRow.site_id.in_([site.id for site in customer.sites]))
    # A subquery, not a list: a customer may have more devices than a statement takes parameters.
    devices = select(DeviceRow.id).where(DeviceRow.customer_id == customer.id)
    mine.append(SettingRow.device_id.in_(devices))
    return (await session.scalars(select(SettingRow).where(or_(*mine)).order_by(SettingRow.name))).all()


async def settings_of_vendors(session: AsyncSession) -> Sequence[SettingRow]:
    """What vendors and models say."""
    query = select(SettingRow).where(SettingRow.level.in_(("vendor", "model"))).order_by(SettingRow.name)
    return (await session.scalars(query)).all()
