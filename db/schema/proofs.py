"""What test calls have proved of numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Numbered


class ProofRow(Numbered):
    """One run of test calls to a number of a customer. The newest of each number are kept."""

    __tablename__ = "proofs"
    __table_args__ = (Index(None, "customer_id", "number", "id"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    number: Mapped[str]
    "As it was dialled: of an extension, a hunt group, a short number or a line."
    at: Mapped[datetime]
    "When it was over."
    passed: Mapped[bool]
    calls: Mapped[int]
    failed: Mapped[int]
    "Of these."
    actor: Mapped[str]
    "Who asked for it, as in the audit."
    details: Mapped[str]
    "All of it, as JSON (`provisioner.operations.proofs`)."
