"""What became of registrations, of check-syncs, and of phones that PnP met."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Numbered, one_of

_UNDER_WAY = text("done_at IS NULL")


class RegistrationEventRow(Numbered):
    """One thing that happened to a binding of a line. A refresh is none: it counts in `registrations`."""

    __tablename__ = "registration_events"
    __table_args__ = (Index(None, "line_id", "id"), Index(None, "device_id", "id"))

    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    "As `RegistrationRow.device_id`."
    at: Mapped[datetime]
    kind: Mapped[str]
    "Such as `registered`, `moved`, `expired` or `unreachable`."
    contact: Mapped[str]
    source: Mapped[str] = mapped_column(default="")
    "`host:port` that the binding's last REGISTER came from."
    transport: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")
    details: Mapped[str] = mapped_column(default="{}")
    "What else there is to tell, as JSON: texts by name."


class ResyncRow(Numbered):
    """A phone that is to be told, or was, to fetch its files or to start again."""

    __tablename__ = "resyncs"
    __table_args__ = (
        one_of("kind", "resync", "reboot"),
        one_of("cause", "change", "asked"),
        CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="outcome"),
        Index(None, "device_id", "id"),
        Index("ix_resyncs_under_way", "id", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
    )

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("revisions.id", ondelete="SET NULL"), index=True
    )
    "The newest released revision of the phone's own file when it was asked for; what it is to fetch."
    kind: Mapped[str]
    cause: Mapped[str]
    "Whether it follows from a change, or somebody asked for it."
    actor: Mapped[str]
    "Who changed or asked, as in the audit."
    asked_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_status: Mapped[int | None]
    "Of the phone's answer to the NOTIFY."
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    "Such as `fetched`, `unregistered`, `refused`, `timeout` or `superseded`; NULL: under way."


class PnpInboxRow(Numbered):
    """A phone that looked for a server by multicast and is not listed. Forgotten after a while."""

    __tablename__ = "pnp_inbox"

    mac: Mapped[str] = mapped_column(String(12), unique=True)
    "Twelve lower-case hex digits. All that stands here is what the phone says of itself."
    model: Mapped[str] = mapped_column(default="")
    version: Mapped[str] = mapped_column(default="")
    "Its firmware's."
    vendor: Mapped[str] = mapped_column(default="")
    source: Mapped[str]
    "The address that it asked from last."
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    times: Mapped[int] = mapped_column(default=1)
    "How often it asked."
    dismissed_at: Mapped[datetime | None]
    "Somebody has seen it and wants to hear no more of it."
