"""What phones tell of themselves: events, and the files that they bring."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Numbered


class PhoneEventRow(Numbered):
    """One event that a phone reported by an action URL. Its newest are found by device."""

    __tablename__ = "phone_events"
    __table_args__ = (Index(None, "device_id", "id"),)

    at: Mapped[datetime]
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    event: Mapped[str]
    "As V81 calls it, such as `registered`."
    source: Mapped[str]
    "The address it came from."
    details: Mapped[str] = mapped_column(default="{}")
    "What the phone said of it, as JSON: texts by name."


class UploadRow(Numbered):
    """One version of a file that a phone brought, or that was put in its place."""

    __tablename__ = "uploads"
    __table_args__ = (
        UniqueConstraint("device_id", "kind", "number"),
        CheckConstraint("(content IS NULL) <> (content_sealed IS NULL)", name="content"),
    )

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    kind: Mapped[str]
    "Such as `local` or `contacts`."
    number: Mapped[int]
    "Counts from 1 for each file of a device; numbers of versions that were forgotten are not used again."
    content: Mapped[str | None]
    content_sealed: Mapped[bytes | None]
    "Instead of `content` where secrets may stand in it."
    digest: Mapped[str | None] = mapped_column(String(64))
    "SHA-256 of `content`, hex; none of what is sealed: it would give a short secret away."
    size: Mapped[int]
    "In bytes."
    at: Mapped[datetime]
    origin: Mapped[str]
    "Where it came from, for people: the phone's address, or another phone."
