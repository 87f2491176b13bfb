"""Firmware files. Their bytes lie in the data directory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base


class FirmwareRow(Base):
    """One file that was checked and taken in. Its bytes never change under its name."""

    __tablename__ = "firmware"
    __table_args__ = (CheckConstraint("size > 0", name="size"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    "The file's name in the firmware folder."
    sha256: Mapped[str] = mapped_column(String(64))
    "Of its bytes, hex."
    size: Mapped[int] = mapped_column(BigInteger)
    "In bytes."
    prefix: Mapped[int]
    "First number of its version: the hardware that it is made for."
    version: Mapped[str]
    "Such as 66.86.0.15."
    added_at: Mapped[datetime]
    actor: Mapped[str]
