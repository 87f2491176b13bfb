"""Call records: one row a call and one a leg."""

from __future__ import annotations

import uuid as uuids
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of, owned


class CallRecordRow(Numbered):
    """One call. A customer with call records can't be deleted: bills rest on them."""

    __tablename__ = "call_records"
    __table_args__ = (
        one_of("direction", "internal", "incoming", "outgoing"),
        Index(None, "customer_id", "started_at"),
    )

    uuid: Mapped[uuids.UUID] = mapped_column(Uuid(), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    direction: Mapped[str]
    from_number: Mapped[str]
    to_number: Mapped[str]
    "As it was dialled."
    billed_line_id: Mapped[int | None] = mapped_column(
        ForeignKey("lines.id", ondelete="SET NULL"), index=True
    )
    billed_number: Mapped[str | None]
    "The billed line's number, which outlives the line."
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    "NULL while the call lives."
    end_reason: Mapped[str | None]
    sip_code: Mapped[int | None]
    "Final status code that the caller got."
    cost: Mapped[Decimal | None]
    "NULL until it is rated."
    recording_id: Mapped[int | None] = mapped_column(ForeignKey("media.id", ondelete="SET NULL"), index=True)

    legs: Mapped[list[CallLegRow]] = owned("CallLegRow.position")


class CallLegRow(Base):
    """One phone or trunk that a call rang, and why it did or did not answer. Names outlive their rows."""

    __tablename__ = "call_legs"

    call_id: Mapped[int] = mapped_column(ForeignKey("call_records.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Counts from 1, in the order of ringing."
    line: Mapped[str | None]
    extension: Mapped[str | None]
    hunt_group: Mapped[str | None]
    "The group that rang it."
    ring_started_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    "Why it ended or was skipped."
