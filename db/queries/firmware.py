"""Firmware files, and who names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.schema import (
    CustomerRow,
    DeviceFileRow,
    DeviceRow,
    FirmwareRow,
    ProvisioningRequestRow,
    SettingRow,
    SiteRow,
)


class Say(NamedTuple):
    """What one level says of firmware."""

    value: str
    "As JSON: a name, or names by model."
    vendor: str | None
    model: str | None
    customer: str | None
    site: str | None
    site_of: str | None
    "The login of the site's customer."
    mac: str | None


async def all_files(session: AsyncSession) -> Sequence[FirmwareRow]:
    """Every firmware file, by name."""
    return (await session.scalars(select(FirmwareRow).order_by(FirmwareRow.name))).all()


async def names(session: AsyncSession) -> frozenset[str]:
    """The names of all files."""
    return frozenset(await session.scalars(select(FirmwareRow.name)))


async def file_named(session: AsyncSession, name: str) -> FirmwareRow | None:
    """One file, or None."""
    return await session.get(FirmwareRow, name)


async def says(session: AsyncSession) -> list[Say]:
    """What all levels say, in no order."""
    owner = aliased(CustomerRow)
    query = (
        select(
            SettingRow.value,
            SettingRow.vendor,
            SettingRow.model,
            CustomerRow.login,
            SiteRow.name,
            owner.login,
            DeviceRow.mac,
        )
        .outerjoin(CustomerRow, SettingRow.customer_id == CustomerRow.id)
        .outerjoin(SiteRow, SettingRow.site_id == SiteRow.id)
        .outerjoin(owner, SiteRow.customer_id == owner.id)
        .outerjoin(DeviceRow, SettingRow.device_id == DeviceRow.id)
        .where(SettingRow.kind == "option", SettingRow.name == "firmware")
    )
    return [Say(value or "null", *row) for value, *row in await session.execute(query)]


async def phones_by_version(session: AsyncSession) -> dict[str, int]:
    """How many phones said last that they run each version."""
    query = select(DeviceRow.firmware_seen, func.count()).where(DeviceRow.firmware_seen.is_not(None))
    rows = await session.execute(query.group_by(DeviceRow.firmware_seen))
    return {version: phones for version, phones in rows if version is not None}


async def times_fetched(session: AsyncSession, customer_id: int) -> dict[str, int]:
    """By MAC: how often a customer's phones have fetched their own file as it is now, as far as is kept."""
    requests = ProvisioningRequestRow
    query = (
        select(DeviceRow.mac, func.count())
        .join(DeviceFileRow, DeviceFileRow.device_id == DeviceRow.id)
        .join(requests, requests.revision_id == DeviceFileRow.current_revision_id)
        .where(
            DeviceRow.customer_id == customer_id,
            DeviceFileRow.name == "mac",
            requests.device_id == DeviceRow.id,
            requests.method == "GET",
            requests.status == 200,
        )
        .group_by(DeviceRow.mac)
    )
    return {row[0]: row[1] for row in await session.execute(query)}
