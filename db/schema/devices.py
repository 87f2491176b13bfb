"""Devices with their accounts, keys and tokens; settings at every level; claims."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.schema.base import Base, Numbered, one_of, owned
from db.schema.customers import CustomerRow, SiteRow
from db.schema.lines import LineRow
from db.schema.types import Id


class DeviceRow(Numbered):
    """A listed phone. Tokens and passwords are sealed; hashes are what requests are looked up by.

    The device token fetches configurations; the service token fetches phone books and reports, and can
    fetch no configuration.
    """

    __tablename__ = "devices"
    __table_args__ = (CheckConstraint("length(mac) = 12 AND mac = lower(mac)", name="mac"),)

    mac: Mapped[str] = mapped_column(String(12), unique=True)
    "Twelve lower-case hex digits."
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id", ondelete="SET NULL"), index=True)
    model: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    modules: Mapped[int] = mapped_column(default=0)
    "Expansion modules attached."
    firmware_seen: Mapped[str | None]
    agent_seen: Mapped[str | None]
    "The User-Agent of its last authorised request."
    contacted_at: Mapped[datetime | None]
    "The last request for one of its files, whatever came of it."
    contacted_from: Mapped[str | None]
    fetched_at: Mapped[datetime | None]
    "When it last got its own file, or heard that it has it already."
    fetched_revision_id: Mapped[int | None] = mapped_column(Id)
    "Which revision that was; without a reference, whose check and index each request would pay for."
    service_token_sealed: Mapped[bytes]
    service_token_hash: Mapped[str] = mapped_column(unique=True)
    service_token_version: Mapped[int] = mapped_column(default=1)
    admin_password_sealed: Mapped[bytes]
    admin_password_version: Mapped[int] = mapped_column(default=1)
    user_password_sealed: Mapped[bytes]
    user_password_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    "Set by `release`, cleared by `claim`: in between no certificate opens its files."

    customer: Mapped[CustomerRow] = relationship(lazy="raise_on_sql", back_populates="devices")
    site: Mapped[SiteRow | None] = relationship(lazy="raise_on_sql")
    tokens: Mapped[list[DeviceTokenRow]] = owned("DeviceTokenRow.version")
    accounts: Mapped[list[DeviceAccountRow]] = owned("DeviceAccountRow.account")
    keys: Mapped[list[DeviceKeyRow]] = owned("DeviceKeyRow.position")


class DeviceTokenRow(Base):
    """One device token after the other. The newest is what the phone's files say.

    An older one that is not revoked lives until a newer one is used for the first time, so a phone that
    has not heard of the new one is not locked out.
    """

    __tablename__ = "device_tokens"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Counts from 1."
    token_sealed: Mapped[bytes]
    token_hash: Mapped[str] = mapped_column(unique=True)
    "SHA-256 as 64 hex digits: what requests are looked up by."
    created_at: Mapped[datetime]
    first_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    encryption_key_id: Mapped[int | None] = mapped_column(
        ForeignKey("encryption_keys.id", deferrable=True, initially="DEFERRED"), index=True
    )
    """What files are encrypted with that are fetched under this token; NULL: they are plain.

    Never changed once the token may have been handed out: whoever has it was told this key by the same file.
    Asked at the commit: with their customer both go.
    """

    encryption_key: Mapped[EncryptionKeyRow | None] = relationship(lazy="raise_on_sql")


class EncryptionKeyRow(Numbered):
    """One AES key after the other, of one customer and one length. The newest is what files say."""

    __tablename__ = "encryption_keys"
    __table_args__ = (
        CheckConstraint("characters IN (16, 32)", name="characters"),
        UniqueConstraint("customer_id", "characters", "version"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    version: Mapped[int]
    "Counts from 1; keys of both lengths are made together."
    characters: Mapped[int]
    "16 for AES-128, 32 for AES-256."
    key_sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class DeviceAccountRow(Base):
    """A line on one account of a phone."""

    __tablename__ = "device_accounts"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    account: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "N of `account.N`, from 1."
    line_id: Mapped[int] = mapped_column(
        ForeignKey("lines.id", deferrable=True, initially="DEFERRED"), index=True
    )
    """A line that a phone uses can't go away alone.

    Asked at the commit: with their customer both go, in whichever order the database chooses.
    """
    label: Mapped[str | None]

    line: Mapped[LineRow] = relationship(lazy="raise_on_sql")


class DeviceKeyRow(Base):
    """One programmable key, in the order of the company file."""

    __tablename__ = "device_keys"
    __table_args__ = (one_of("bank", "line", "memory", "module"),)

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Counts from 1."
    type: Mapped[str]
    value: Mapped[str] = mapped_column(default="")
    label: Mapped[str] = mapped_column(default="")
    account: Mapped[int] = mapped_column(default=1)
    bank: Mapped[str | None]
    "NULL: the next free key of the phone."
    key: Mapped[int | None]
    module: Mapped[int | None]


class SettingRow(Numbered):
    """What one level says of one option or parameter. A level that says nothing has no row.

    Exactly one of the five subjects is set. NULLs differ from one another in a unique constraint, so
    each constraint binds the rows of its own level alone.
    """

    __tablename__ = "settings"
    __table_args__ = (
        one_of("kind", "option", "parameter"),
        CheckConstraint(
            "(level = 'vendor') = (vendor IS NOT NULL) AND (level = 'model') = (model IS NOT NULL)"
            " AND (level = 'customer') = (customer_id IS NOT NULL)"
            " AND (level = 'site') = (site_id IS NOT NULL)"
            " AND (level = 'device') = (device_id IS NOT NULL)"
            " AND level IN ('vendor', 'model', 'customer', 'site', 'device')",
            name="subject",
        ),
        CheckConstraint("(value IS NULL) <> (value_sealed IS NULL)", name="value"),
        UniqueConstraint("vendor", "kind", "name"),
        UniqueConstraint("model", "kind", "name"),
        UniqueConstraint("customer_id", "kind", "name"),
        UniqueConstraint("site_id", "kind", "name"),
        UniqueConstraint("device_id", "kind", "name"),
    )

    level: Mapped[str]
    vendor: Mapped[str | None]
    model: Mapped[str | None]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    kind: Mapped[str]
    "`option`: a field of our own; `parameter`: a name of the phone's own."
    name: Mapped[str]
    value: Mapped[str | None]
    value_sealed: Mapped[bytes | None]
    "Instead of `value` where it is a secret."
    version: Mapped[int] = mapped_column(default=1)
    "Rises with every new value; references to a secret carry it."


class ClaimRow(Numbered):
    """One window in which a phone may fetch its secrets by MAC."""

    __tablename__ = "claims"
    __table_args__ = (
        one_of("end_reason", "used", "lapsed", "raced", "released", "superseded"),
        Index(
            "ix_claims_open",
            "device_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    token_version: Mapped[int]
    "Of the device token that this window hands out."
    source: Mapped[str | None]
    "The first address that fetched the file; the window is its own."
    delivered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
