"""The files that phones brought."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from db.schema import UploadRow


async def newest(session: AsyncSession, device_id: int, kind: str) -> UploadRow | None:
    """The newest version of a device's file, or None while it has brought none."""
    query = select(UploadRow).where(UploadRow.device_id == device_id, UploadRow.kind == kind)
    return await session.scalar(query.order_by(UploadRow.number.desc()).limit(1))


async def version(session: AsyncSession, device_id: int, kind: str, number: int) -> UploadRow | None:
    """One version, or None."""
    return await session.scalar(
        select(UploadRow).where(
            UploadRow.device_id == device_id, UploadRow.kind == kind, UploadRow.number == number
        )
    )


async def of_device(session: AsyncSession, device_id: int, kind: str | None = None) -> Sequence[UploadRow]:
    """All versions of a device's files, or of one of them, without contents: by kind, the newest first."""
    query = select(UploadRow).where(UploadRow.device_id == device_id)
    if kind is not None:
        query = query.where(UploadRow.kind == kind)
    query = query.order_by(UploadRow.kind, UploadRow.number.desc())
    without = (defer(UploadRow.content), defer(UploadRow.content_sealed))
    return (await session.scalars(query.options(*without))).all()


async def forget(session: AsyncSession, device_id: int, kind: str, number: int) -> None:
    """Drops a file's versions up to `number`."""
    await session.execute(
        delete(UploadRow).where(
            UploadRow.device_id == device_id, UploadRow.kind == kind, UploadRow.number <= number
        )
    )
