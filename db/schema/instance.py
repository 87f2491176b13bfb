"""What this installation knows of itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base


class InstanceRow(Base):
    """One fact of the installation, such as the addresses that `serve` listened on last."""

    __tablename__ = "instance"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
