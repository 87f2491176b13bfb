"""Hosts that phones are told to register at, now or once, by plain SQL."""

from __future__ import annotations

from collections.abc import Collection

from db.engine import Database
from db.writing import Writer

_VALUES = "SELECT DISTINCT value FROM settings WHERE kind = 'option' AND name = 'sip_host'"
_KEPT = "SELECT host FROM told_hosts ORDER BY id"


async def told_hosts(database: Database) -> list[str]:
    """What all levels say, each once, as their rows have it. Raises `StorageError`."""
    return [row[0] for row in await database.rows(_VALUES)]


async def kept_hosts(database: Database) -> list[str]:
    """What phones were ever told, as far as that is kept, the newest last. Raises `StorageError`."""
    return [row[0] for row in await database.rows(_KEPT)]


async def keep_hosts(writer: Writer, new: Collection[str], old: Collection[str]) -> None:
    """Keeps the hosts that are `new`, in their order, and those no longer that are `old`."""
    await writer.many("DELETE FROM told_hosts WHERE host = ?", [(host,) for host in old])
    await writer.many("INSERT INTO told_hosts (host) VALUES (?)", [(host,) for host in new])
