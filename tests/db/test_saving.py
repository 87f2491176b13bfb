"""What was worked out in a session that can't write becomes rows as SQLAlchemy would have written them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import schema as s
from db.changes import newest, touched_since
from db.engine import Database
from db.saving import Unsaved, save, unsaved
from db.writing import Writer, writer_of
from tests.db.conftest import insert_sample


def revision(file: s.DeviceFileRow, number: int, now: datetime) -> s.RevisionRow:
    return s.RevisionRow(
        file=file,
        number=number,
        content=f"text {number}",
        digest="0" * 64,
        created_at=now,
        actor="a",
        cause="c",
    )


async def worked_out(moment: AsyncSession, now: datetime) -> None:
    """A file that is new, and one with another revision than before; what refers to both; another name."""
    device = (await moment.scalars(select(s.DeviceRow))).one()
    device.name, device.fetched_at = "Recepcja", now
    rollout = (await moment.scalars(select(s.RolloutRow))).one()
    old = (await moment.scalars(select(s.DeviceFileRow).where(s.DeviceFileRow.device_id == device.id))).one()
    before = await moment.get_one(s.RevisionRow, old.current_revision_id)
    new = s.DeviceFileRow(device_id=device.id, name="boot", current_revision=None, held_revision=None)
    moment.add(new)
    for file, number in ((new, 1), (old, before.number + 7)):
        file.current_revision = revision(file, number, now)
        moment.add(file.current_revision)
    # Numbers of other tables than those of its own are its key.
    moment.add(
        s.RolloutFileRow(rollout_id=rollout.id, file=new, before_revision=before, staged_revision=None)
    )


async def found(database: Database) -> list[tuple[object, ...]]:
    """Everything that was worked out, but for the numbers of rows."""
    async with database.read() as session:
        file, revision, phone = s.DeviceFileRow, s.RevisionRow, s.DeviceRow
        query = (
            select(phone.name, phone.fetched_at, phone.mac, file.name, file.held_revision_id)
            .add_columns(revision.number, revision.content, revision.created_at, revision.audit_id)
            .add_columns(revision.file_id == file.id, s.RolloutFileRow.before_revision_id.is_not(None))
            .join(file, file.device_id == phone.id)
            .join(revision, revision.id == file.current_revision_id)
            .outerjoin(s.RolloutFileRow, s.RolloutFileRow.file_id == file.id)
        )
        return [tuple(row) for row in await session.execute(query.order_by(file.name))]


async def begun(database: Database) -> int:
    """The number of the newest change."""
    async with database.change() as session:
        await insert_sample(session, "one", "48223809887", "0015654aa937", str.encode)
        return await newest(session)


async def prepared(database: Database, now: datetime) -> Unsaved:
    async with database.read() as moment:
        await worked_out(moment, now)
        rows = unsaved(moment)
        assert not moment.identity_map
    return rows


async def test_what_was_worked_out_is_there_as_after_a_flush(database: Database, now: datetime):
    before = await begun(database)
    rows = await prepared(database, now)
    assert await database.changed(lambda writer: saved(writer, rows), {"device:1"})
    mac = "0015654aa937"
    assert await found(database) == [
        ("Recepcja", now, mac, f"{mac}.cfg", None, 8, "text 8", now, None, True, True),
        ("Recepcja", now, mac, "boot", None, 1, "text 1", now, None, True, True),
    ]
    # The numbers that it took are nobody else's.
    async with database.change() as session:
        (file,) = await session.scalars(select(s.DeviceFileRow).where(s.DeviceFileRow.name == "boot"))
        session.add(revision(file, 2, now))
        await session.flush()
        assert await session.scalar(select(func.count(s.RevisionRow.id))) == 4
        assert await touched_since(await writer_of(session), before) == {"device:1"}


async def test_what_ends_without_having_changed_anything_touches_nothing(database: Database, now: datetime):
    before = await begun(database)

    async def nothing(writer: Writer) -> bool:
        return False

    assert not await database.changed(nothing, {"device:1"})
    async with database.read() as session:
        assert await newest(session) == before


async def saved(writer: Writer, rows: Unsaved) -> bool:
    await save(writer, rows)
    return True
