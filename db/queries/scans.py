"""Misses and bans, counted for sources. Python's side of the decisions is `operations.scans`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import BanRow
from db.writing import Writer

_LOCK = 0x4D697373
"The advisory lock of misses on PostgreSQL: `Miss`."


async def lock_misses(writer: Writer) -> None:
    """Nobody else counts until this transaction ends: two workers at once would each see too few.

    To be taken after all other locks of the transaction but rows of misses and bans.
    """
    if writer.database == "postgresql":
        await writer.rows("SELECT pg_advisory_xact_lock(?)", (_LOCK,))


async def forget_misses(writer: Writer, before: datetime, most: int) -> None:
    """Drops what is from `before` or earlier, and the oldest beyond `most`."""
    await writer.rows("DELETE FROM misses WHERE at <= ?", (before,))
    await writer.rows("DELETE FROM misses WHERE id <= (SELECT max(id) FROM misses) - ?", (most,))


async def forget_listed(writer: Writer, sources: Collection[str]) -> None:
    """Drops the misses of these sources whose MAC was listed later."""
    listed = "EXISTS (SELECT 1 FROM devices d WHERE d.mac = misses.mac)"
    await writer.many(
        f"DELETE FROM misses WHERE source = ? AND {listed}",  # noqa: S608
        [(source,) for source in sources],
    )


async def add_misses(writer: Writer, misses: Sequence[tuple[str, str, datetime]]) -> None:
    """Writes misses: source, MAC, when."""
    await writer.many("INSERT INTO misses (source, mac, at) VALUES (?, ?, ?)", misses)


async def misses_of(writer: Writer, sources: Collection[str]) -> dict[str, set[str]]:
    """The MACs that each of the sources has missed."""
    found: dict[str, set[str]] = {}
    query = f"SELECT source, mac FROM misses WHERE source IN ({_marks(sources)})"  # noqa: S608
    for source, mac in await writer.rows(query, tuple(sources)):
        found.setdefault(source, set()).add(mac)
    return found


async def verdicts_of(writer: Writer, sources: Collection[str], now: datetime) -> dict[str, str]:
    """The verdicts that hold for these sources."""
    query = f"SELECT source, verdict FROM bans WHERE until > ? AND source IN ({_marks(sources)})"  # noqa: S608
    return dict(await writer.rows(query, (now, *sources)))


async def has_misses(writer: Writer, since: datetime, count: int) -> bool:
    """Whether all sources together have made `count` misses after `since`."""
    query = "SELECT id FROM misses WHERE at > ? LIMIT 1 OFFSET ?"
    return bool(await writer.rows(query, (since, count - 1)))


async def alarmed_sources(writer: Writer, kind: str, since: datetime) -> list[str | None]:
    """The sources of all alarms of a kind after `since`."""
    query = "SELECT source FROM alarms WHERE at > ? AND kind = ?"
    return [source for (source,) in await writer.rows(query, (since, str(kind)))]


def _marks(values: Collection[object]) -> str:
    """For the values of an IN, of which there is at least one."""
    return ", ".join("?" * len(values))


async def forget_bans(session: AsyncSession, before: datetime, most: int) -> None:
    """Drops bans that ended at `before` or earlier, and those that end first beyond `most`."""
    await session.execute(delete(BanRow).where(BanRow.until <= before))
    count = await session.scalar(select(func.count()).select_from(BanRow)) or 0
    if count > most:
        first = select(BanRow.source).order_by(BanRow.until).limit(count - most)
        await session.execute(delete(BanRow).where(BanRow.source.in_(first)))
