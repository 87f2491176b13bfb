"""Lines, what they inherit, and where their calls are forwarded."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.schema.base import Base, Numbered, one_of, owned
from db.schema.customers import SiteRow
from db.schema.products import ProductRow


class LineRow(Numbered):
    """One AOR `sip:NUMBER@HOST` with credentials."""

    __tablename__ = "lines"
    __table_args__ = (one_of("type", "credit", "debit", "voucher"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    number: Mapped[str] = mapped_column(unique=True)
    "E.164 without +; one customer's alone."
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id", ondelete="SET NULL"), index=True)
    type: Mapped[str] = mapped_column(default="credit")
    "How its calls are paid: later, or before."
    credit_limit: Mapped[Decimal | None]
    "Its own, below the customer's; what is left of it are its available funds. NULL: the customer's alone."
    password_sealed: Mapped[bytes]
    ha1_sealed: Mapped[bytes | None]
    "Digest HA1 of the password, so that a registration needs no password (RFC 8760)."
    password_version: Mapped[int] = mapped_column(default=1)
    dnd: Mapped[bool] = mapped_column(default=False)
    "Not to be disturbed."
    call_waiting: Mapped[bool] = mapped_column(default=True)
    "A second call rings while the first goes on."
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
    "When a test call rang it as is configured; NULL: not since its company was changed last, or wrongly."

    product: Mapped[ProductRow] = relationship(lazy="raise_on_sql")
    site: Mapped[SiteRow | None] = relationship(lazy="raise_on_sql")
    forwardings: Mapped[list[ForwardingRow]] = owned("ForwardingRow.kind")


class LineFeatureRow(Base):
    """What a line has set of a feature; the customer's or product's value holds where there is no row."""

    __tablename__ = "line_features"

    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True)
    feature_id: Mapped[int] = mapped_column(
        ForeignKey("features.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    value: Mapped[str]
    locked: Mapped[bool] = mapped_column(default=False)
    "The line's own user may not set it otherwise."
    reason: Mapped[str] = mapped_column(default="")
    "Why it is locked, for people."


class ForwardingRow(Base):
    """Where a line's calls go instead, at most one target a kind."""

    __tablename__ = "forwardings"
    __table_args__ = (one_of("kind", "always", "busy", "no_answer", "unreachable"),)

    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    target: Mapped[str] = mapped_column(default="")
    "Kept while it is turned off."
    after_s: Mapped[int] = mapped_column(default=20)
    "Seconds of ringing; read for `no_answer` only."
