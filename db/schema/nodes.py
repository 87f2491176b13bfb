"""How processes that serve phones learn of each other's changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered
from db.schema.types import Id


class ChangeRow(Numbered):
    """One change that made other bytes for somebody. Numbers rise in the order in which changes were kept."""

    __tablename__ = "changes"

    scope: Mapped[str]
    "What is another now, as `db.changes.touch` says it."
    at: Mapped[datetime]


class NodeRow(Base):
    """A process that keeps files in memory. A change is made when every one with a lease confirmed it."""

    __tablename__ = "nodes"

    id: Mapped[str] = mapped_column(primary_key=True)
    lease_until: Mapped[datetime]
    "By the database's clock. After it the node trusts nothing that it keeps."
    confirmed: Mapped[int] = mapped_column(Id)
    "Everything up to this change is gone from its memory."
