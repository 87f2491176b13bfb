"""Hosts that phones are told to register at, other than the installation's own, by plain SQL."""

from __future__ import annotations

from db.engine import Database

_VALUES = "SELECT DISTINCT value FROM settings WHERE kind = 'option' AND name = 'sip_host'"


async def told_hosts(database: Database) -> list[str]:
    """What all levels say, each once, as their rows have it. Raises `StorageError`."""
    return [row[0] for row in await database.rows(_VALUES)]
