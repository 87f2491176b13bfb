"""Who changed what, when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AuditRow
from provisioner.centrex.actor import Actor


async def record(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    verb: str,
    subject: str,
    summary: str,
    *,
    customer_id: int | None = None,
    changes: Sequence[str] = (),
) -> AuditRow:
    """One entry of the audit, in the transaction of the change itself. `changes` hold no secret."""
    row = AuditRow(
        at=now,
        actor=actor.name,
        role=actor.role,
        customer_id=customer_id,
        verb=verb,
        subject=subject,
        summary=summary,
        plan=json.dumps(list(changes), ensure_ascii=False) if changes else None,
    )
    session.add(row)
    await session.flush()
    return row
