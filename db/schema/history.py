"""What happened: requests of phones, alarms, the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Numbered
from db.schema.types import Id


class ProvisioningRequestRow(Numbered):
    """One request of a phone and what it got.

    Found by device, the newest, too: a device has some hundreds of them. Strangers have ten thousand.
    """

    __tablename__ = "provisioning_requests"
    __table_args__ = (
        Index(None, "device_id", "revision_id", "id"),
        Index(
            "ix_provisioning_requests_strangers",
            "device_id",
            "id",
            sqlite_where=text("device_id IS NULL"),
            postgresql_where=text("device_id IS NULL"),
        ),
    )

    at: Mapped[datetime]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    mac: Mapped[str | None] = mapped_column(String(12))
    "As the file name or the User-Agent said; nobody vouches for it."
    source: Mapped[str]
    "The address it came from."
    user_agent: Mapped[str] = mapped_column(default="")
    model_claimed: Mapped[str | None]
    firmware_claimed: Mapped[str | None]
    method: Mapped[str]
    path: Mapped[str]
    "With tokens redacted."
    file_name: Mapped[str | None]
    revision_id: Mapped[int | None] = mapped_column(Id)
    """Which revision it got. No reference, whose check and index each request would pay for: the revision may
    be gone with its phone, and its number is never given again."""
    status: Mapped[int]
    reason: Mapped[str]
    "A stable word for why it got this answer."
    sent_bytes: Mapped[int] = mapped_column(default=0)


class AlarmRow(Numbered):
    """Something that a person should look at."""

    __tablename__ = "alarms"

    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    text: Mapped[str]
    source: Mapped[str | None]
    "The address that caused it."
    number: Mapped[str | None]
    "The extension, group or line that it is about."
    at: Mapped[datetime] = mapped_column(index=True)
    acknowledged_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]
    "When what it is about was found in order again."


class AuditRow(Numbered):
    """One change that somebody made. It outlives the customer it was about."""

    __tablename__ = "audit"

    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    role: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", ondelete="SET NULL"), index=True
    )
    verb: Mapped[str]
    "Such as `apply` or `devices.claim`."
    subject: Mapped[str]
    "What was changed: a login, a MAC, a file."
    summary: Mapped[str]
    plan: Mapped[str | None]
    "What changed in detail, as JSON without secrets."
