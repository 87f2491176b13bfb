"""What a line does with its calls, and the groups that it is rung for."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from db.schema import ExtensionRow, FeatureCodeRow, HuntGroupMemberRow, HuntGroupRow, LineRow


async def line_with_services(session: AsyncSession, number: str) -> LineRow | None:
    """The line of that number."""
    query = select(LineRow).where(LineRow.number == number)
    loading = (joinedload(LineRow.product), joinedload(LineRow.site), selectinload(LineRow.forwardings))
    return await session.scalar(query.options(*loading))


async def members_of_line(
    session: AsyncSession, line_id: int, group: str | None
) -> list[tuple[HuntGroupMemberRow, str, str]]:
    """As what the extensions of a line are in groups, or in one: each with the group's and its own number."""
    query = (
        select(HuntGroupMemberRow, HuntGroupRow.number, ExtensionRow.number)
        .join(HuntGroupRow, HuntGroupMemberRow.group_id == HuntGroupRow.id)
        .join(ExtensionRow, HuntGroupMemberRow.extension_id == ExtensionRow.id)
        .where(ExtensionRow.line_id == line_id)
        .order_by(HuntGroupRow.number, HuntGroupMemberRow.position)
    )
    if group is not None:
        query = query.where(HuntGroupRow.number == group)
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def codes_of_line(session: AsyncSession, number: str) -> Mapping[str, str]:
    """The codes that the customer of a line has changed, by their names."""
    query = (
        select(FeatureCodeRow.name, FeatureCodeRow.code)
        .join(LineRow, LineRow.customer_id == FeatureCodeRow.customer_id)
        .where(LineRow.number == number)
    )
    return {row.name: row.code for row in await session.execute(query)}
