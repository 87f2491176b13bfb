"""Phones that looked for a server by multicast and are not listed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import DeviceRow, PnpInboxRow


class Sighting(NamedTuple):
    """A phone that asked, and what it says of itself."""

    mac: str
    "Twelve lower-case hex digits."
    vendor: str
    model: str
    version: str
    source: str


async def listed(session: AsyncSession, macs: Collection[str]) -> frozenset[str]:
    """Those of these MACs that belong to listed devices."""
    return frozenset(await session.scalars(select(DeviceRow.mac).where(DeviceRow.mac.in_(macs))))


async def note(session: AsyncSession, sightings: Iterable[Sighting], at: datetime, most: int) -> None:
    """Keeps who asked; of more than `most` phones, those that were not heard of for longest are forgotten."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # In one order: two processes that note the same phones would wait for each other.
    for each in sorted(sightings):
        new = insert(PnpInboxRow).values(
            **each._asdict(), first_seen_at=at, last_seen_at=at, times=1, dismissed_at=None
        )
        await session.execute(
            new.on_conflict_do_update(
                index_elements=["mac"],
                set_={
                    **{name: new.excluded[name] for name in ("vendor", "model", "version", "source")},
                    "last_seen_at": new.excluded.last_seen_at,
                    "times": PnpInboxRow.times + 1,
                },
            )
        )
    kept = select(PnpInboxRow.id).order_by(PnpInboxRow.last_seen_at.desc(), PnpInboxRow.id.desc())
    count = await session.scalar(select(func.count()).select_from(PnpInboxRow))
    if count is not None and count > most:
        oldest = kept.offset(most).subquery()
        await session.execute(
            delete(PnpInboxRow)
            .where(PnpInboxRow.id.in_(select(oldest.c.id)))
            .execution_options(synchronize_session=False)
        )


async def waiting(session: AsyncSession) -> Sequence[PnpInboxRow]:
    """Those that nobody has dismissed and that are not listed, the last heard of first."""
    query = (
        select(PnpInboxRow)
        .where(
            PnpInboxRow.dismissed_at.is_(None),
            PnpInboxRow.mac.not_in(select(DeviceRow.mac)),
        )
        .order_by(PnpInboxRow.last_seen_at.desc(), PnpInboxRow.id.desc())
    )
    return (await session.scalars(query)).all()


async def found(session: AsyncSession, mac: str) -> PnpInboxRow | None:
    """The phone, dismissed or not."""
    return await session.scalar(select(PnpInboxRow).where(PnpInboxRow.mac == mac))
