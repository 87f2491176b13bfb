"""API tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import ApiTokenRow


async def live_tokens(session: AsyncSession, ids: Collection[int], now: datetime) -> frozenset[int]:
    """Which of these API tokens still open anything."""
    query = select(ApiTokenRow.id).where(ApiTokenRow.id.in_(ids), is_live(now))
    return frozenset(await session.scalars(query))


def is_live(now: datetime) -> ColumnElement[bool]:
    """The condition that an API token is neither revoked nor past its time."""
    return ApiTokenRow.revoked_at.is_(None) & (
        ApiTokenRow.expires_at.is_(None) | (ApiTokenRow.expires_at > now)
    )
