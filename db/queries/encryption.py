"""The keys of encrypted files, and how far each phone has come to the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import CustomerRow, DeviceRow, DeviceTokenRow, EncryptionKeyRow


async def newest_keys(session: AsyncSession, customer_id: int) -> dict[int, int]:
    """The customer's newest keys: the number of each row, by how many characters the key has."""
    query = (
        select(EncryptionKeyRow.characters, EncryptionKeyRow.id)
        .where(EncryptionKeyRow.customer_id == customer_id)
        .order_by(EncryptionKeyRow.version)
    )
    return {row.characters: row.id for row in await session.execute(query)}


async def newest_version(session: AsyncSession, customer_id: int) -> int:
    """The version of the newest keys; 0 where the customer has none."""
    query = select(func.max(EncryptionKeyRow.version)).where(EncryptionKeyRow.customer_id == customer_id)
    return await session.scalar(query) or 0


async def customers_by_newest_key(session: AsyncSession) -> list[tuple[str, datetime]]:
    """When the newest keys were made of each customer one of whose phones has a key, by login."""
    phones = (
        select(DeviceTokenRow.encryption_key_id)
        .join(DeviceRow, DeviceTokenRow.device_id == DeviceRow.id)
        .where(
            DeviceRow.customer_id == CustomerRow.id,
            DeviceTokenRow.revoked_at.is_(None),
            DeviceTokenRow.encryption_key_id.is_not(None),
        )
    )
    query = (
        select(CustomerRow.login, func.max(EncryptionKeyRow.created_at))
        .join(EncryptionKeyRow, EncryptionKeyRow.customer_id == CustomerRow.id)
        .where(phones.exists())
        .group_by(CustomerRow.login)
        .order_by(CustomerRow.login)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


class TokenKey(NamedTuple):
    """A live token of a phone, and the key that goes with it."""

    mac: str
    model: str
    token: int
    is_used: bool
    key_version: int | None
    characters: int | None


async def keys_of_tokens(session: AsyncSession, customer_id: int) -> Sequence[TokenKey]:
    """The live tokens of the customer's phones, by MAC and age."""
    query = (
        select(
            DeviceRow.mac,
            DeviceRow.model,
            DeviceTokenRow.version,
            DeviceTokenRow.first_used_at.is_not(None),
            EncryptionKeyRow.version,
            EncryptionKeyRow.characters,
        )
        .join(DeviceTokenRow, DeviceTokenRow.device_id == DeviceRow.id)
        .outerjoin(EncryptionKeyRow, EncryptionKeyRow.id == DeviceTokenRow.encryption_key_id)
        .where(DeviceRow.customer_id == customer_id, DeviceTokenRow.revoked_at.is_(None))
        .order_by(DeviceRow.mac, DeviceTokenRow.version)
    )
    return [TokenKey(*row) for row in await session.execute(query)]


async def keys_by_token(session: AsyncSession, device_ids: Sequence[int]) -> dict[tuple[int, int], bytes]:
    """The sealed keys that go with tokens of these devices, by device and version of the token."""
    query = (
        select(DeviceTokenRow.device_id, DeviceTokenRow.version, EncryptionKeyRow.key_sealed)
        .join(EncryptionKeyRow, EncryptionKeyRow.id == DeviceTokenRow.encryption_key_id)
        .where(DeviceTokenRow.device_id.in_(device_ids))
    )
    return {(device_id, version): key for device_id, version, key in await session.execute(query)}
