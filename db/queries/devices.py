"""Devices, their tokens, claims and files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from db.schema import (
    AlarmRow,
    ClaimRow,
    CustomerRow,
    DeviceAccountRow,
    DeviceFileRow,
    DeviceRow,
    DeviceTokenRow,
    RevisionRow,
)


class Selected(NamedTuple):
    """A device with its customer's login and tokens loaded."""

    device: DeviceRow
    login: str


async def device_by_mac(session: AsyncSession, mac: str) -> Selected | None:
    """The device, or None. `mac` is twelve lower-case hex digits."""
    query = (
        select(DeviceRow, CustomerRow.login)
        .join(CustomerRow, DeviceRow.customer_id == CustomerRow.id)
        .where(DeviceRow.mac == mac)
        .options(
            selectinload(DeviceRow.tokens),
            selectinload(DeviceRow.site),
            selectinload(DeviceRow.accounts).selectinload(DeviceAccountRow.line),
        )
    )
    row = (await session.execute(query)).one_or_none()
    return Selected(*row) if row else None


async def all_devices(session: AsyncSession, login: str | None = None) -> Sequence[Selected]:
    """All devices, or one customer's, by MAC."""
    query = (
        select(DeviceRow, CustomerRow.login)
        .join(CustomerRow, DeviceRow.customer_id == CustomerRow.id)
        .order_by(DeviceRow.mac)
        .options(selectinload(DeviceRow.tokens), selectinload(DeviceRow.site))
    )
    if login is not None:
        query = query.where(CustomerRow.login == login)
    return [Selected(*row) for row in (await session.execute(query)).all()]


async def device_of_service_token(session: AsyncSession, token_hash: str) -> DeviceRow | None:
    """The device that has the service token."""
    return await session.scalar(select(DeviceRow).where(DeviceRow.service_token_hash == token_hash))


async def device_of_mac(session: AsyncSession, mac: str) -> DeviceRow | None:
    """The bare device. `mac` is twelve lower-case hex digits."""
    return await session.scalar(select(DeviceRow).where(DeviceRow.mac == mac))


async def devices_by_id(session: AsyncSession, ids: Collection[int]) -> dict[int, DeviceRow]:
    """The bare devices that are there, by number."""
    return {row.id: row for row in await session.scalars(select(DeviceRow).where(DeviceRow.id.in_(ids)))}


async def set_firmware_seen(session: AsyncSession, device_id: int, firmware: str) -> None:
    """What the phone says that it runs. A row that the session holds does not hear of it."""
    await session.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(firmware_seen=firmware))


async def open_claim(session: AsyncSession, device_id: int) -> ClaimRow | None:
    """The claim of the device that has not ended (it may have lapsed by the clock)."""
    return await session.scalar(
        select(ClaimRow)
        .where(ClaimRow.device_id == device_id, ClaimRow.ended_at.is_(None))
        .order_by(ClaimRow.id.desc())
        .limit(1)
    )


async def has_used_token(session: AsyncSession, device_id: int) -> bool:
    """Whether the device ever fetched anything under a token of its own."""
    query = select(DeviceTokenRow.version).where(
        DeviceTokenRow.device_id == device_id, DeviceTokenRow.first_used_at.is_not(None)
    )
    return await session.scalar(query.limit(1)) is not None


async def last_claim(session: AsyncSession, device_id: int) -> ClaimRow | None:
    """The newest claim of the device, ended or not."""
    return await session.scalar(
        select(ClaimRow).where(ClaimRow.device_id == device_id).order_by(ClaimRow.id.desc()).limit(1)
    )


async def delivered_tokens(session: AsyncSession, customer_id: int) -> set[tuple[int, int]]:
    """The tokens that claims of the customer's devices have let out: device and version."""
    query = (
        select(ClaimRow.device_id, ClaimRow.token_version)
        .join(DeviceRow, DeviceRow.id == ClaimRow.device_id)
        .where(DeviceRow.customer_id == customer_id, ClaimRow.delivered_at.is_not(None))
    )
    return {(device_id, version) for device_id, version in await session.execute(query)}


async def never_claimed(session: AsyncSession, customer_id: int) -> Sequence[tuple[int, int]]:
    """The customer's devices without any claim, whose first token nobody was given: device and version."""
    query = (
        select(DeviceRow.id, DeviceTokenRow.version)
        .join(DeviceTokenRow, DeviceTokenRow.device_id == DeviceRow.id)
        .where(
            DeviceRow.customer_id == customer_id,
            DeviceRow.released_at.is_(None),
            DeviceTokenRow.version == 1,
            DeviceTokenRow.first_used_at.is_(None),
            ~exists().where(ClaimRow.device_id == DeviceRow.id),
        )
    )
    return [(device_id, version) for device_id, version in await session.execute(query)]


async def has_open_alarm(session: AsyncSession, device_id: int, text: str) -> bool:
    """Whether the same alarm about the device waits for somebody already."""
    query = select(AlarmRow.id).where(
        AlarmRow.device_id == device_id, AlarmRow.text == text, AlarmRow.acknowledged_at.is_(None)
    )
    return await session.scalar(query.limit(1)) is not None


async def devices_on_lines(session: AsyncSession, line_ids: Sequence[int]) -> Sequence[DeviceRow]:
    """The devices that have one of the lines on an account."""
    query = select(DeviceRow).join(DeviceAccountRow).where(DeviceAccountRow.line_id.in_(line_ids)).distinct()
    return (await session.scalars(query)).all()


class Current(NamedTuple):
    """What phones get of a file now. `content` holds references where secrets belong."""

    file_id: int
    revision_id: int
    number: int
    digest: str
    content: str


async def current_of_device(session: AsyncSession, device_id: int, name: str) -> Current | None:
    """The current revision of one of the device's files, or None while it has none."""
    return await _current(session, DeviceFileRow.device_id == device_id, name)


async def current_of_customer(session: AsyncSession, customer_id: int, name: str) -> Current | None:
    """The current revision of a customer's file."""
    return await _current(session, DeviceFileRow.customer_id == customer_id, name)


async def _current(session: AsyncSession, owner: object, name: str) -> Current | None:
    query = (
        select(DeviceFileRow.id, RevisionRow.id, RevisionRow.number, RevisionRow.digest, RevisionRow.content)
        .join(RevisionRow, DeviceFileRow.current_revision_id == RevisionRow.id)
        .where(owner, DeviceFileRow.name == name)  # type: ignore[arg-type]
    )
    row = (await session.execute(query)).one_or_none()
    return Current(*row) if row else None
