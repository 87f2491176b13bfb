"""Call records: one row a call and one a leg, and what happened to calls lately."""

from __future__ import annotations

import uuid as uuids
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of, owned
from db.schema.types import Id

_OPEN = text("ended_at IS NULL")


class CallRecordRow(Numbered):
    """One call. A customer with call records can't be deleted: bills rest on them."""

    __tablename__ = "call_records"
    __table_args__ = (
        one_of("direction", "internal", "incoming", "outgoing"),
        Index(None, "customer_id", "started_at"),
        Index(None, "customer_id", "id"),
        Index("ix_call_records_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    uuid: Mapped[uuids.UUID] = mapped_column(Uuid(), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    direction: Mapped[str]
    sip_call_id: Mapped[str | None]
    """Call-ID of the caller's dialog, under which its phone logs the call. NULL: the caller is another
    customer's, whose own record says it; this one is of those who were called."""
    from_number: Mapped[str]
    "The caller's extension, or its line where it has none."
    from_name: Mapped[str | None]
    to_number: Mapped[str]
    "As it was dialled."
    billed_line_id: Mapped[int | None] = mapped_column(
        ForeignKey("lines.id", ondelete="SET NULL"), index=True
    )
    billed_number: Mapped[str | None] = mapped_column(index=True)
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
    plan: Mapped[str | None]
    """Digest of what the number led to when it was dialled (`call_plans`); NULL: nobody has noted that. There
    may be none of that digest any more."""
    recording_id: Mapped[int | None] = mapped_column(ForeignKey("media.id", ondelete="SET NULL"), index=True)

    legs: Mapped[list[CallLegRow]] = owned("CallLegRow.position")


class CallLegRow(Base):
    """One phone or trunk that a call rang, and why it did or did not answer. Names outlive their rows."""

    __tablename__ = "call_legs"

    call_id: Mapped[int] = mapped_column(ForeignKey("call_records.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Counts from 1, in the order of ringing."
    line: Mapped[str | None] = mapped_column(index=True)
    extension: Mapped[str | None]
    name: Mapped[str | None]
    "Of the extension."
    hunt_group: Mapped[str | None] = mapped_column(index=True)
    "The group that rang it."
    hunt_groups: Mapped[str | None]
    "The groups by which it was reached, outermost first, with blanks between; the last one is `hunt_group`."
    owner_id: Mapped[int | None] = mapped_column(Id)
    "The number of the customer whose line it was; there may be none of that number any more."
    phones: Mapped[int | None]
    "How many were asked; 0: it was not registered."
    began_at: Mapped[datetime | None]
    "When it was tried."
    ring_started_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    "Why it ended or was skipped."
    sip_code: Mapped[int | None]
    "What its phones have said; NULL: nothing, or it was stopped."


class CallPlanRow(Numbered):
    """What a number that was dialled led to, by what its customer had set then. The newest are kept."""

    __tablename__ = "call_plans"
    __table_args__ = (UniqueConstraint("customer_id", "digest"), Index(None, "customer_id", "id"))

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    digest: Mapped[str]
    "Of the plan: what has not changed is there once, however many calls go that way."
    plan: Mapped[str]
    "As JSON (`provisioner.centrex.reach`)."


class CallEventRow(Numbered):
    """One thing that happened to a call, for those who follow calls."""

    __tablename__ = "call_events"
    __table_args__ = (UniqueConstraint("call_id", "serial"), Index(None, "customer_id", "id"))

    call_id: Mapped[int] = mapped_column(ForeignKey("call_records.id", ondelete="CASCADE"))
    serial: Mapped[int]
    "Counts the events of the call, so that one that is written again is not there twice."
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str]
    "Such as `began`, `ringing`, `answered` or `ended`."
    details: Mapped[str]
    "As JSON."
