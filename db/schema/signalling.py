"""The SIP side's memory: bindings of lines, hosts that phones were told, trunks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of, owned
from db.schema.types import Id


class RegistrationRow(Numbered):
    """One Contact bound to a line (RFC 3261 §10), kept over restarts."""

    __tablename__ = "registrations"
    __table_args__ = (
        # Two flows of one phone may carry one Contact and differ in reg-id alone (RFC 5626 §4.2).
        UniqueConstraint("line_id", "contact", "instance_id", "reg_id"),
        one_of("transport", "udp", "tcp", "tls"),
    )

    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    "The listed phone whose it is, as far as can be told; NULL: nobody knows."
    contact: Mapped[str]
    q: Mapped[int | None]
    "How much it is preferred, in thousandths (RFC 3261 §20.10); NULL: not said."
    call_id: Mapped[str]
    cseq: Mapped[int] = mapped_column(Id)
    instance_id: Mapped[str] = mapped_column(default="")
    "`+sip.instance`; empty where the phone sends none."
    reg_id: Mapped[int] = mapped_column(default=0)
    path: Mapped[str] = mapped_column(default="")
    "RFC 3327: the proxies on the way to it, one a line."
    user_agent: Mapped[str] = mapped_column(default="")
    transport: Mapped[str]
    source: Mapped[str]
    "`host:port` that it came from."
    local_address: Mapped[str] = mapped_column(default="")
    "`host:port` of ours that it came to: the other end of its flow."
    registered_at: Mapped[datetime]
    refreshed_at: Mapped[datetime]
    refreshes: Mapped[int] = mapped_column(default=0)
    "How often it was refreshed since `registered_at`."
    expires_at: Mapped[datetime]
    reachable: Mapped[bool | None]
    "Whether it answered the last OPTIONS; NULL: it was not asked yet."
    heard_at: Mapped[datetime | None]
    "When anything came from it last."
    rtt_ms: Mapped[int | None]
    "How long its last answer to an OPTIONS took."


class ToldHostRow(Numbered):
    """A host at which phones were told to register; one of theirs may not have heard of another yet."""

    __tablename__ = "told_hosts"

    host: Mapped[str] = mapped_column(unique=True)
    "As `sip.message.uri.canonical_host` writes it."


class SubscriptionRow(Numbered):
    """Somebody who is told of a state (RFC 6665), and how a server ends that which knows nothing of him."""

    __tablename__ = "subscriptions"

    tag: Mapped[str] = mapped_column(unique=True)
    "Ours, in its dialog."
    remote: Mapped[str]
    "`host:port` that it is told at, over UDP."
    local_address: Mapped[str]
    "`host:port` of ours."
    farewell: Mapped[str]
    "The NOTIFY that ends it."


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
