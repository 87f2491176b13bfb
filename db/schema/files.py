"""Files of phones and their revisions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.schema.base import Numbered


class DeviceFileRow(Numbered):
    """One file that phones fetch: a device's own, a model's, or a customer's. Exactly one owner is set."""

    __tablename__ = "device_files"
    __table_args__ = (
        CheckConstraint(
            "(device_id IS NOT NULL AND model IS NULL AND customer_id IS NULL)"
            " OR (device_id IS NULL AND model IS NOT NULL AND customer_id IS NULL)"
            " OR (device_id IS NULL AND model IS NULL AND customer_id IS NOT NULL)",
            name="owner",
        ),
        UniqueConstraint("device_id", "name"),
        UniqueConstraint("model", "name"),
        UniqueConstraint("customer_id", "name"),
    )

    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    model: Mapped[str | None]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    name: Mapped[str]
    current_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("revisions.id", use_alter=True), index=True
    )
    "What phones get."
    held_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("revisions.id", use_alter=True), index=True
    )
    "Rolled back to, and kept: data changes wait until it is let go. NULL: the file follows the data."

    current_revision: Mapped[RevisionRow | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[current_revision_id], post_update=True
    )
    held_revision: Mapped[RevisionRow | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[held_revision_id], post_update=True
    )


class RevisionRow(Numbered):
    """One text of a file, with references where secrets belong."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("file_id", "number"),)

    file_id: Mapped[int] = mapped_column(ForeignKey("device_files.id", ondelete="CASCADE"))
    number: Mapped[int]
    "Counts from 1 in its file."
    content: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    "SHA-256 of `content`, hex."
    created_at: Mapped[datetime]
    actor: Mapped[str]
    cause: Mapped[str]
    "Why the bytes changed, for people."
    audit_id: Mapped[int | None] = mapped_column(ForeignKey("audit.id", ondelete="SET NULL"), index=True)

    file: Mapped[DeviceFileRow] = relationship(lazy="raise_on_sql", foreign_keys=[file_id])


class OwedFilesRow(Numbered):
    """A customer whose data have changed, and whose files are still being written, some phones at a time."""

    __tablename__ = "owed_files"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), unique=True)
    after_mac: Mapped[str] = mapped_column(String(12), default="")
    "The files of the customer's phones up to this one are written; empty: none yet."
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    cause: Mapped[str]
    "What their revisions will say."
    audit_id: Mapped[int | None] = mapped_column(ForeignKey("audit.id", ondelete="SET NULL"), index=True)
