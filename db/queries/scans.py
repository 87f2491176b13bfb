"""Misses and bans, counted for sources. Python's side of the decisions is `operations.scans`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AlarmRow, BanRow, DeviceRow, MissRow

_LOCK = 0x4D697373
"The advisory lock of misses on PostgreSQL: `Miss`."


async def lock_misses(session: AsyncSession) -> None:
    """Nobody else counts until this transaction ends: two workers at once would each see too few.

    To be taken after all other locks of the transaction but rows of misses and bans.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def forget_misses(session: AsyncSession, before: datetime, most: int) -> None:
    """Drops what is from `before` or earlier, and the oldest beyond `most`."""
    await session.execute(delete(MissRow).where(MissRow.at <= before))
    newest = await session.scalar(select(func.max(MissRow.id)))
    if newest is not None:
        await session.execute(delete(MissRow).where(MissRow.id <= newest - most))


async def forget_listed(session: AsyncSession, sources: Collection[str]) -> None:
    """Drops the misses of these sources whose MAC was listed later."""
    listed = select(DeviceRow.id).where(DeviceRow.mac == MissRow.mac).exists()
    await session.execute(delete(MissRow).where(MissRow.source.in_(sources), listed))


async def misses_of(session: AsyncSession, sources: Collection[str]) -> dict[str, set[str]]:
    """The MACs that each of the sources has missed."""
    found: dict[str, set[str]] = {}
    query = select(MissRow.source, MissRow.mac).where(MissRow.source.in_(sources))
    for source, mac in await session.execute(query):
        found.setdefault(source, set()).add(mac)
    return found


async def verdicts_of(session: AsyncSession, sources: Collection[str], now: datetime) -> dict[str, str]:
    """The verdicts that hold for these sources."""
    query = select(BanRow.source, BanRow.verdict).where(BanRow.source.in_(sources), BanRow.until > now)
    return {row.source: row.verdict for row in await session.execute(query)}


async def has_misses(session: AsyncSession, since: datetime, count: int) -> bool:
    """Whether all sources together have made `count` misses after `since`."""
    query = select(MissRow.id).where(MissRow.at > since).limit(1).offset(count - 1)
    return await session.scalar(query) is not None


async def alarmed_sources(session: AsyncSession, kind: str, since: datetime) -> list[str | None]:
    """The sources of all alarms of a kind after `since`."""
    query = select(AlarmRow.source).where(AlarmRow.at > since, AlarmRow.kind == kind)
    return list(await session.scalars(query))


async def forget_bans(session: AsyncSession, before: datetime, most: int) -> None:
    """Drops bans that ended at `before` or earlier, and those that end first beyond `most`."""
    await session.execute(delete(BanRow).where(BanRow.until <= before))
    count = await session.scalar(select(func.count()).select_from(BanRow)) or 0
    if count > most:
        first = select(BanRow.source).order_by(BanRow.until).limit(count - most)
        await session.execute(delete(BanRow).where(BanRow.source.in_(first)))
