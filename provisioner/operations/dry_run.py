"""Changes that may be tried: a dry run does all of it and keeps nothing, so its plan is exact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.ext.asyncio import AsyncSession

from provisioner.operations.installation import Installation


class _NotWanted(Exception):
    """Ends a transaction whose changes are not to be kept."""


@asynccontextmanager
async def changing(installation: Installation, *, dry_run: bool) -> AsyncIterator[AsyncSession]:
    """A change of the database, kept on success unless it is a dry run."""
    with suppress(_NotWanted):
        async with installation.database.change() as session:
            yield session
            if dry_run:
                raise _NotWanted
