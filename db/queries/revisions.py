"""Revisions of files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, selectinload

from db.schema import DeviceFileRow, DeviceRow, RevisionRow


async def files_of_devices(session: AsyncSession, device_ids: Collection[int]) -> Sequence[DeviceFileRow]:
    """The files of these devices, with number and digest of what they are, without contents."""
    query = select(DeviceFileRow).where(DeviceFileRow.device_id.in_(device_ids)).options(*_revisions())
    return (await session.scalars(query)).all()


async def newest_numbers(session: AsyncSession, device_ids: Collection[int]) -> dict[int, int]:
    """The number of the last revision of each of these devices' files, served or not, by file."""
    query = (
        select(RevisionRow.file_id, func.max(RevisionRow.number))
        .join(DeviceFileRow, RevisionRow.file_id == DeviceFileRow.id)
        .where(DeviceFileRow.device_id.in_(device_ids))
        .group_by(RevisionRow.file_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def files_of_customer(session: AsyncSession, customer_id: int) -> Sequence[DeviceFileRow]:
    """The customer's own files, such as its phone book."""
    query = select(DeviceFileRow).where(DeviceFileRow.customer_id == customer_id).options(*_revisions())
    return (await session.scalars(query)).all()


async def files_of_models(session: AsyncSession) -> Sequence[DeviceFileRow]:
    """The files that belong to models."""
    query = select(DeviceFileRow).where(DeviceFileRow.model.is_not(None)).options(*_revisions())
    return (await session.scalars(query)).all()


async def file_of_device(session: AsyncSession, device_id: int, name: str) -> DeviceFileRow | None:
    """One file of a device."""
    query = (
        select(DeviceFileRow)
        .where(DeviceFileRow.device_id == device_id, DeviceFileRow.name == name)
        .options(*_revisions())
    )
    return await session.scalar(query)


async def fetched_numbers(session: AsyncSession) -> dict[int, int]:
    """The number of the revision that each device fetched last, by device."""
    query = select(DeviceRow.id, RevisionRow.number).join(
        RevisionRow, DeviceRow.fetched_revision_id == RevisionRow.id
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def revision(session: AsyncSession, file_id: int, number: int) -> RevisionRow | None:
    """One revision of a file, by its number."""
    return await session.scalar(
        select(RevisionRow).where(RevisionRow.file_id == file_id, RevisionRow.number == number)
    )


async def history(session: AsyncSession, file_id: int) -> Sequence[RevisionRow]:
    """All revisions of a file without their contents, the newest first."""
    query = (
        select(RevisionRow)
        .where(RevisionRow.file_id == file_id)
        .order_by(RevisionRow.number.desc())
        .options(defer(RevisionRow.content))
    )
    return (await session.scalars(query)).all()


async def content(session: AsyncSession, revision_id: int) -> str:
    """The text of a revision, with references where secrets belong."""
    return (await session.scalars(select(RevisionRow.content).where(RevisionRow.id == revision_id))).one()


def _revisions() -> tuple[Any, ...]:
    return (
        selectinload(DeviceFileRow.current_revision).defer(RevisionRow.content),
        selectinload(DeviceFileRow.held_revision),
    )
