"""Staged changes: which phones a change has reached, and what the others keep meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.schema.base import Base, Numbered
from db.schema.files import DeviceFileRow, RevisionRow
from db.schema.types import Id


class RolloutRow(Numbered):
    """A change of a customer that goes to one phone after the other. At most one is open."""

    __tablename__ = "rollouts"
    __table_args__ = (
        Index(
            "uq_rollouts_open",
            "customer_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    "When no phone waited any more. A rollout that is taken back is opened again."
    actor: Mapped[str]
    cause: Mapped[str]
    "Which change it is, for people."
    audit_id: Mapped[int | None] = mapped_column(ForeignKey("audit.id", ondelete="SET NULL"), index=True)
    phones_below: Mapped[int | None] = mapped_column(Id)
    """While it is being opened: devices with lower numbers keep what they have, also those without a row.

    They get their rows together with their files. NULL: all of them have.
    """


class RolloutPhoneRow(Base):
    """A phone that had files when the rollout was opened. Later ones follow the data and have no row."""

    __tablename__ = "rollout_phones"

    rollout_id: Mapped[int] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[int] = mapped_column(
        ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    released_at: Mapped[datetime | None]
    "Since when it follows the data. NULL: it keeps what it had."
    actor: Mapped[str | None]
    "Who released it or took it back last; NULL until somebody has."
    cause: Mapped[str | None]
    "By which step, for people."
    audit_id: Mapped[int | None] = mapped_column(ForeignKey("audit.id", ondelete="SET NULL"), index=True)


class RolloutFileRow(Base):
    """A file of such a phone: what it was, and what it will be."""

    __tablename__ = "rollout_files"

    rollout_id: Mapped[int] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"), primary_key=True)
    file_id: Mapped[int] = mapped_column(
        ForeignKey("device_files.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    before_revision_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"), index=True)
    "What phones got when the rollout was opened. NULL: there was no such file."
    staged_revision_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"), index=True)
    "What the phone gets when it is released, where that differs. An empty text: no such file any more."

    file: Mapped[DeviceFileRow] = relationship(lazy="raise_on_sql")
    before_revision: Mapped[RevisionRow | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[before_revision_id]
    )
    staged_revision: Mapped[RevisionRow | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[staged_revision_id]
    )
