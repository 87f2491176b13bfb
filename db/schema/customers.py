"""Customers with their exchange-wide settings, sites, users and API tokens."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of, owned, owned_one

if TYPE_CHECKING:
    from db.schema.devices import DeviceRow
    from db.schema.exchange import ExtensionRow, FeatureCodeRow, HuntGroupRow, SpeedDialRow
    from db.schema.lines import LineRow
    from db.schema.proofs import ProofScheduleRow

ROLES = ("operator", "technician", "customer", "user")


class CustomerRow(Numbered):
    """A customer. Prefixes that are NULL turn their service off."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("(park_prefix IS NULL) = (park_retrieve_prefix IS NULL)", name="park_prefixes"),
    )

    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    language: Mapped[str] = mapped_column(default="pl")
    time_zone: Mapped[str] = mapped_column(default="Europe/Warsaw")
    currency: Mapped[str] = mapped_column(default="PLN")
    credit_limit: Mapped[Decimal | None]
    rate_plan_id: Mapped[int | None] = mapped_column(ForeignKey("rate_plans.id"), index=True)
    "What its calls cost; a plan that somebody has can't be deleted."

    # The panel's "Ogólne" tab.
    company: Mapped[str] = mapped_column(default="")
    salutation: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    second_name: Mapped[str] = mapped_column(default="")
    last_name: Mapped[str] = mapped_column(default="")
    county: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    post_code: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    fax: Mapped[str] = mapped_column(default="")
    second_phone: Mapped[str] = mapped_column(default="")
    second_contact: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")

    extension_length: Mapped[int] = mapped_column(default=3)
    intercom_prefix: Mapped[str | None]
    pickup_prefix: Mapped[str | None]
    park_prefix: Mapped[str | None]
    park_retrieve_prefix: Mapped[str | None]
    park_return_after_s: Mapped[int] = mapped_column(default=60)
    distinctive_ring: Mapped[bool] = mapped_column(default=False)
    speed_dial_max_length: Mapped[int] = mapped_column(default=3)
    music_id: Mapped[int | None] = mapped_column(
        ForeignKey("media.id", ondelete="SET NULL", use_alter=True), index=True
    )
    "The tune on hold; NULL is the stock tune."
    created_at: Mapped[datetime]

    sites: Mapped[list[SiteRow]] = owned("SiteRow.id")
    lines: Mapped[list[LineRow]] = owned("LineRow.id")
    extensions: Mapped[list[ExtensionRow]] = owned("ExtensionRow.id")
    hunt_groups: Mapped[list[HuntGroupRow]] = owned("HuntGroupRow.id")
    speed_dials: Mapped[list[SpeedDialRow]] = owned("SpeedDialRow.number")
    feature_codes: Mapped[list[FeatureCodeRow]] = owned("FeatureCodeRow.name")
    devices: Mapped[list[DeviceRow]] = owned("DeviceRow.id")
    proof_schedule: Mapped[ProofScheduleRow | None] = owned_one()
    "What of test calls it has otherwise than all."


class SiteRow(Numbered):
    """A location of a customer."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("customer_id", "name"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    name: Mapped[str]
    max_concurrent_calls: Mapped[int | None]


class UserRow(Numbered):
    """Somebody who logs in. Staff belong to no customer, everybody else to one."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", *ROLES),
        CheckConstraint("(role IN ('operator', 'technician')) = (customer_id IS NULL)", name="staff"),
    )

    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), index=True
    )
    login: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    "Argon2; NULL until the first password is set."
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="pl")
    time_zone: Mapped[str | None]
    "In which pages show times; NULL: the customer's."
    last_login_at: Mapped[datetime | None]


class ApiTokenRow(Numbered):
    """A program's key. Only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        one_of("role", *ROLES),
        CheckConstraint("role IN ('operator', 'technician') OR customer_id IS NOT NULL", name="customer"),
    )

    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CustomerFeatureRow(Base):
    """What a customer has set of a feature; the product's value holds where there is no row."""

    __tablename__ = "customer_features"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    feature_id: Mapped[int] = mapped_column(
        ForeignKey("features.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    value: Mapped[str]
    locked: Mapped[bool] = mapped_column(default=False)
    "Lines may not set it otherwise."
    reason: Mapped[str] = mapped_column(default="")
    "Why it is locked, for people."
