"""Files that people upload; their bytes lie in the data directory under their checksum."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Numbered, one_of


class MediaRow(Numbered):
    """One uploaded file. Without a customer it is everybody's (firmware, stock music)."""

    __tablename__ = "media"
    __table_args__ = (
        one_of("kind", "music", "recorded_name", "ringtone", "logo", "firmware", "greeting", "recording"),
        UniqueConstraint("customer_id", "kind", "file_name"),
        # NULLs differ from one another in a unique constraint; everybody's files need their own.
        Index(
            "uq_media_shared_kind_file_name",
            "kind",
            "file_name",
            unique=True,
            sqlite_where=text("customer_id IS NULL"),
            postgresql_where=text("customer_id IS NULL"),
        ),
    )

    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str]
    "As phones ask for it."
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    "Bytes."
    created_at: Mapped[datetime]
