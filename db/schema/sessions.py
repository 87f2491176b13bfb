"""Who is logged in to the pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base


class SessionRow(Base):
    """One browser in which a user is logged in. No backup holds it: nobody is logged in after a restore."""

    __tablename__ = "sessions"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    "SHA-256, as hex digits, of what the browser's cookie says."
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    "What each of its forms has to bring along."
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str]
    "The address that it was made from."
