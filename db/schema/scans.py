"""Sources that ask for MACs that are not listed, and what is done about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of


class MissRow(Numbered):
    """A MAC that a source asked for without a token, and that was not listed. Forgotten after a while."""

    __tablename__ = "misses"
    __table_args__ = (UniqueConstraint("source", "mac"),)

    source: Mapped[str]
    "As `BanRow.source`."
    mac: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(index=True)
    "When it was asked for first."


class BanRow(Base):
    """A source that is answered slowly, or gets nothing without a token. Kept a while after its end."""

    __tablename__ = "bans"
    __table_args__ = (one_of("verdict", "slowed", "banned"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    "An IPv4 address, or the /64 network of an IPv6 address."
    verdict: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)
    misses: Mapped[int] = mapped_column(default=0)
    "How many had been counted by then."
    times: Mapped[int] = mapped_column(default=0)
    "How often it was banned lately: each ban is longer than the one before."
    actor: Mapped[str]
    "Who did it, as in the audit."
