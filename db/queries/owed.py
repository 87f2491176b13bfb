"""Files that are owed, and what writing them in slices asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import (
    CustomerRow,
    DeviceRow,
    ExtensionRow,
    OwedFilesRow,
    RevisionRow,
    RolloutPhoneRow,
    RolloutRow,
)
from db.writing import Writer


async def count_devices(session: AsyncSession, logins: Collection[str] | None) -> int:
    """How many phones these customers have, or all."""
    query = select(func.count(DeviceRow.id))
    if logins is not None:
        query = query.join(CustomerRow, DeviceRow.customer_id == CustomerRow.id).where(
            CustomerRow.login.in_(logins)
        )
    return await session.scalar(query) or 0


async def newest_device(session: AsyncSession) -> int:
    """The highest number of a device; 0: there is none. A device that is listed later has a higher one."""
    return await session.scalar(select(func.max(DeviceRow.id))) or 0


async def customers_with_devices(session: AsyncSession) -> Sequence[int]:
    """The customers that have phones."""
    return (await session.scalars(select(DeviceRow.customer_id).distinct())).all()


async def customer_ids(session: AsyncSession) -> Sequence[int]:
    """All customers: some files belong to no phone."""
    return (await session.scalars(select(CustomerRow.id))).all()


async def owing(session: AsyncSession, logins: Collection[str] | None) -> list[tuple[int, str]]:
    """Which of these customers, or of all, are owed files: number and login, by login."""
    query = select(CustomerRow.id, CustomerRow.login).join(
        OwedFilesRow, OwedFilesRow.customer_id == CustomerRow.id
    )
    if logins is not None:
        query = query.where(CustomerRow.login.in_(logins))
    return [(row.id, row.login) for row in await session.execute(query.order_by(CustomerRow.login))]


async def owed(session: AsyncSession, customer_id: int) -> OwedFilesRow | None:
    """What the customer is owed."""
    return await session.scalar(select(OwedFilesRow).where(OwedFilesRow.customer_id == customer_id))


async def owe(session: AsyncSession, customer_ids: Collection[int], **cause: object) -> None:
    """All files of these customers, from the first on."""
    rows = [{"customer_id": each, "after_mac": "", **cause} for each in sorted(customer_ids)]
    if rows:
        await session.execute(insert(OwedFilesRow), rows)


async def come_to(writer: Writer, debt: OwedFilesRow, mac: str) -> bool:
    """Notes that all up to `mac` is written. False where somebody else has come further since `debt`."""
    update = "UPDATE owed_files SET after_mac = ? WHERE id = ? AND after_mac = ? RETURNING id"
    return bool(await writer.rows(update, (mac, debt.id, debt.after_mac)))


async def settled(writer: Writer, debt: OwedFilesRow) -> None:
    """Nothing of it is owed any more."""
    await writer.rows("DELETE FROM owed_files WHERE id = ?", (debt.id,))


async def macs_after(session: AsyncSession, customer_id: int, mac: str, limit: int) -> Sequence[str]:
    """The customer's next phones, in the order of their MACs. SQLite looks through all that it has."""
    query = select(DeviceRow.mac).where(DeviceRow.customer_id == customer_id, DeviceRow.mac > mac)
    return (await session.scalars(query.order_by(DeviceRow.mac).limit(limit))).all()


async def extensions(session: AsyncSession, customer_id: int) -> list[tuple[str, str, bool]]:
    """Number, name and whether it is published, of all extensions of the customer."""
    query = select(ExtensionRow.number, ExtensionRow.name, ExtensionRow.published)
    rows = await session.execute(query.where(ExtensionRow.customer_id == customer_id))
    return [(row.number, row.name, row.published) for row in rows]


async def phones_in_rollout(
    session: AsyncSession, rollout_id: int, device_ids: Collection[int]
) -> frozenset[int]:
    """Which of these devices are written down as phones of the rollout."""
    query = select(RolloutPhoneRow.device_id).where(
        RolloutPhoneRow.rollout_id == rollout_id, RolloutPhoneRow.device_id.in_(device_ids)
    )
    return frozenset(await session.scalars(query))


async def all_phones_joined(session: AsyncSession, rollout_id: int) -> None:
    """Every phone of the rollout has its row now."""
    await session.execute(update(RolloutRow).where(RolloutRow.id == rollout_id).values(phones_below=None))


async def with_contents(session: AsyncSession, revision_ids: Collection[int]) -> Sequence[RevisionRow]:
    """Revisions with their texts, also where the session has them without."""
    return (await session.scalars(select(RevisionRow).where(RevisionRow.id.in_(revision_ids)))).all()
