"""Questions about a whole database that a person asks who looks after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import VaultError
from db.rotation import BATCH, sealed_columns
from db.vault import Vault


async def unopenable_secrets(session: AsyncSession, vault: Vault) -> tuple[int, dict[str, int]]:
    """How many secrets there are, and by table how many of them no key at hand opens."""
    count = 0
    spoilt: dict[str, int] = {}
    for table, columns in sealed_columns().items():
        found = await session.stream(select(*columns).execution_options(yield_per=BATCH))
        async for rows in found.partitions():
            # Half a millisecond a row is too long for the loop.
            secrets, failed = await asyncio.to_thread(_tried, vault, rows)
            count += secrets
            if failed:
                spoilt[table.name] = spoilt.get(table.name, 0) + failed
    return count, spoilt


def _tried(vault: Vault, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[int, int]:
    secrets = [sealed for row in rows for sealed in row if sealed is not None]
    failed = 0
    for sealed in secrets:
        try:
            vault.open(sealed)
        except VaultError:
            failed += 1
    return len(secrets), failed
