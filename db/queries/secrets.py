"""The sealed values behind the references of files."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from db.schema import CustomerRow, DeviceRow, DeviceTokenRow, LineRow, SettingRow, SiteRow


async def line_passwords(session: AsyncSession, numbers: Sequence[str]) -> dict[str, bytes]:
    """Sealed SIP passwords by line number."""
    query = select(LineRow.number, LineRow.password_sealed).where(LineRow.number.in_(numbers))
    return {row.number: row.password_sealed for row in await session.execute(query)}


async def device(session: AsyncSession, mac: str) -> DeviceRow | None:
    """The device with its sealed passwords."""
    return await session.scalar(select(DeviceRow).where(DeviceRow.mac == mac))


async def newest_token(session: AsyncSession, device_id: int) -> DeviceTokenRow | None:
    """The device token that files say today, with the key that goes with it."""
    return await session.scalar(
        select(DeviceTokenRow)
        .where(DeviceTokenRow.device_id == device_id)
        .order_by(DeviceTokenRow.version.desc())
        .limit(1)
        .options(joinedload(DeviceTokenRow.encryption_key))
        .execution_options(populate_existing=True)
    )


async def setting(session: AsyncSession, level: str, subject: Sequence[str], name: str) -> SettingRow | None:
    """A sealed parameter of a level. `subject` is what names the level: a login and a site's name, a MAC …"""
    query = select(SettingRow).where(
        SettingRow.level == level, SettingRow.kind == "parameter", SettingRow.name == name
    )
    if level == "vendor":
        query = query.where(SettingRow.vendor == subject[0])
    elif level == "model":
        query = query.where(SettingRow.model == subject[0])
    elif level == "customer":
        query = query.join(CustomerRow, SettingRow.customer_id == CustomerRow.id)
        query = query.where(CustomerRow.login == subject[0])
    elif level == "site":
        query = query.join(SiteRow, SettingRow.site_id == SiteRow.id)
        query = query.join(CustomerRow, SiteRow.customer_id == CustomerRow.id)
        query = query.where(CustomerRow.login == subject[0], SiteRow.name == subject[1])
    else:
        query = query.join(DeviceRow, SettingRow.device_id == DeviceRow.id).where(DeviceRow.mac == subject[0])
    return await session.scalar(query)
