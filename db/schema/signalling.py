"""The SIP side's memory: bindings of lines, trunks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of, owned


class RegistrationRow(Numbered):
    """One Contact bound to a line (RFC 3261 §10), kept over restarts."""

    __tablename__ = "registrations"
    __table_args__ = (
        # Two flows of one phone may carry one Contact and differ in reg-id alone (RFC 5626 §4.2).
        UniqueConstraint("line_id", "contact", "instance_id", "reg_id"),
        one_of("transport", "udp", "tcp", "tls"),
    )

    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"))
    contact: Mapped[str]
    call_id: Mapped[str]
    cseq: Mapped[int]
    instance_id: Mapped[str] = mapped_column(default="")
    "`+sip.instance`; empty where the phone sends none."
    reg_id: Mapped[int] = mapped_column(default=0)
    path: Mapped[str] = mapped_column(default="")
    "RFC 3327, as received."
    user_agent: Mapped[str] = mapped_column(default="")
    transport: Mapped[str]
    source: Mapped[str]
    "`host:port` that it came from."
    registered_at: Mapped[datetime]
    refreshed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class TrunkRow(Numbered):
    """A way out (no customer), or a customer's own PBX that registers or sits at an address."""

    __tablename__ = "trunks"
    __table_args__ = (
        UniqueConstraint("customer_id", "name"),
        # NULLs differ from one another in a unique constraint; the operator's trunks need their own.
        Index(
            "uq_trunks_operator_name",
            "name",
            unique=True,
            sqlite_where=text("customer_id IS NULL"),
            postgresql_where=text("customer_id IS NULL"),
        ),
        one_of("transport", "udp", "tcp", "tls"),
    )

    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    name: Mapped[str]
    host: Mapped[str | None]
    "NULL: it registers."
    port: Mapped[int | None]
    transport: Mapped[str] = mapped_column(default="udp")
    user: Mapped[str | None]
    password_sealed: Mapped[bytes | None]
    max_calls: Mapped[int | None]

    numbers: Mapped[list[TrunkNumberRow]] = owned("TrunkNumberRow.number")


class TrunkNumberRow(Base):
    """A public number that leads to a trunk."""

    __tablename__ = "trunk_numbers"

    number: Mapped[str] = mapped_column(primary_key=True)
    "E.164 without +."
    trunk_id: Mapped[int] = mapped_column(ForeignKey("trunks.id", ondelete="CASCADE"), index=True)
