"""A customer's exchange: extensions, hunt groups, short numbers, codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.schema.base import Base, Numbered, one_of, owned
from db.schema.lines import LineRow


class ExtensionRow(Numbered):
    """A short number inside the company. Without a line it rings nowhere."""

    __tablename__ = "extensions"
    __table_args__ = (UniqueConstraint("customer_id", "number"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    number: Mapped[str]
    line_id: Mapped[int | None] = mapped_column(ForeignKey("lines.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(default="")
    published: Mapped[bool] = mapped_column(default=False)
    "Listed in the company directory."
    recorded_name_id: Mapped[int | None] = mapped_column(
        ForeignKey("media.id", ondelete="SET NULL"), index=True
    )

    line: Mapped[LineRow | None] = relationship(lazy="raise_on_sql")


class HuntGroupRow(Numbered):
    """A dialable number that rings its members by a strategy."""

    __tablename__ = "hunt_groups"
    __table_args__ = (
        UniqueConstraint("customer_id", "number"),
        one_of("strategy", "order", "random", "simultaneous", "least_used"),
        one_of("caller_presentation", "keep", "group", "group_name"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    number: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    strategy: Mapped[str] = mapped_column(default="order")
    caller_presentation: Mapped[str] = mapped_column(default="keep")
    pickup_allowed: Mapped[bool] = mapped_column(default=False)
    overflow: Mapped[str | None]
    "The number that takes an unanswered call; NULL refuses it (480)."

    members: Mapped[list[HuntGroupMemberRow]] = owned(
        "HuntGroupMemberRow.position", foreign_keys="HuntGroupMemberRow.group_id"
    )


class HuntGroupMemberRow(Base):
    """One member of a hunt group: an extension or another group of the same customer."""

    __tablename__ = "hunt_group_members"
    __table_args__ = (
        CheckConstraint("(extension_id IS NULL) <> (member_group_id IS NULL)", name="extension_or_group"),
        CheckConstraint("group_id <> member_group_id", name="not_itself"),
    )

    group_id: Mapped[int] = mapped_column(ForeignKey("hunt_groups.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Counts from 1."
    extension_id: Mapped[int | None] = mapped_column(
        ForeignKey("extensions.id", ondelete="CASCADE"), index=True
    )
    member_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("hunt_groups.id", ondelete="CASCADE"), index=True
    )
    ring_delay_s: Mapped[int] = mapped_column(default=0)
    ring_time_s: Mapped[int] = mapped_column(default=15)
    stop: Mapped[bool] = mapped_column(default=False)
    skip_forwarding: Mapped[bool] = mapped_column(default=False)
    logged_in: Mapped[bool] = mapped_column(default=True)

    extension: Mapped[ExtensionRow | None] = relationship(lazy="raise_on_sql")
    member_group: Mapped[HuntGroupRow | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[member_group_id]
    )


class HuntGroupUsageRow(Base):
    """When a member answered a call of the group last: what `least_used` goes by."""

    __tablename__ = "hunt_group_usage"

    group_id: Mapped[int] = mapped_column(ForeignKey("hunt_groups.id", ondelete="CASCADE"), primary_key=True)
    extension_id: Mapped[int] = mapped_column(
        ForeignKey("extensions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    last_answered_at: Mapped[datetime]


class SpeedDialRow(Base):
    """A short number and where it leads."""

    __tablename__ = "speed_dials"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(default="")
    "Empty: dial the short number as it is."
    description: Mapped[str] = mapped_column(default="")


class FeatureCodeRow(Base):
    """A code that a customer has changed; the others are as they come."""

    __tablename__ = "feature_codes"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    "Such as `hide_number`."
    code: Mapped[str]
