"""The texts of many files at once, with the moments since which they are what they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.schema import DeviceFileRow, RevisionRow, UploadRow


class FileText(NamedTuple):
    """The current revision of a file. `content` holds references where secrets belong."""

    device_id: int | None
    name: str
    content: str
    created_at: datetime


async def texts_of_devices(session: AsyncSession, device_ids: Sequence[int]) -> list[FileText]:
    """The files of these devices."""
    query = _current().where(DeviceFileRow.device_id.in_(device_ids)).order_by(DeviceFileRow.id)
    return [FileText(*row) for row in await session.execute(query)]


async def text_of_model(session: AsyncSession, model: str, name: str) -> FileText | None:
    """A file of a model."""
    return await _one(session, _current().where(DeviceFileRow.model == model, DeviceFileRow.name == name))


async def text_of_customer(session: AsyncSession, customer_id: int, name: str) -> FileText | None:
    """A file of a customer."""
    query = _current().where(DeviceFileRow.customer_id == customer_id, DeviceFileRow.name == name)
    return await _one(session, query)


async def newest_uploads(session: AsyncSession, device_ids: Sequence[int]) -> Sequence[UploadRow]:
    """The newest version of each file that these devices brought."""
    later = aliased(UploadRow)
    newest = ~exists().where(
        later.device_id == UploadRow.device_id, later.kind == UploadRow.kind, later.number > UploadRow.number
    )
    query = select(UploadRow).where(UploadRow.device_id.in_(device_ids), newest).order_by(UploadRow.id)
    return (await session.scalars(query)).all()


def _current() -> Select[int | None, str, str, datetime]:
    columns = (DeviceFileRow.device_id, DeviceFileRow.name, RevisionRow.content, RevisionRow.created_at)
    return select(*columns).join(RevisionRow, DeviceFileRow.current_revision_id == RevisionRow.id)


async def _one(session: AsyncSession, query: Select[int | None, str, str, datetime]) -> FileText | None:
    row = (await session.execute(query)).one_or_none()
    return FileText(*row) if row else None
