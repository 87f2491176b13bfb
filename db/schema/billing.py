"""Rates, balances and the ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of


class RatePlanRow(Numbered):
    """A price list."""

    __tablename__ = "rate_plans"

    name: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(default="PLN")


class RateRow(Numbered):
    """What calls to numbers that begin with `prefix` cost; the longest prefix wins."""

    __tablename__ = "rates"
    __table_args__ = (
        UniqueConstraint("plan_id", "prefix", "valid_from"),
        CheckConstraint("first_step_s > 0 AND next_step_s > 0", name="steps"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("rate_plans.id", ondelete="CASCADE"))
    prefix: Mapped[str]
    name: Mapped[str]
    price_per_minute: Mapped[Decimal]
    setup: Mapped[Decimal]
    "Once for each answered call."
    first_step_s: Mapped[int] = mapped_column(default=1)
    "The least that is billed."
    next_step_s: Mapped[int] = mapped_column(default=1)
    "After it, every started step is billed."
    valid_from: Mapped[datetime]


class BalanceRow(Base):
    """What a customer owes: the sum of its ledger."""

    __tablename__ = "balances"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]


class LedgerEntryRow(Numbered):
    """One movement of a balance. A customer with entries can't be deleted: the books stay whole."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        one_of("kind", "call", "payment", "fee", "correction"),
        Index(None, "customer_id", "at"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    at: Mapped[datetime]
    amount: Mapped[Decimal]
    "Positive: the customer owes more."
    currency: Mapped[str] = mapped_column(default="PLN")
    kind: Mapped[str]
    call_id: Mapped[int | None] = mapped_column(
        ForeignKey("call_records.id", ondelete="SET NULL"), index=True
    )
    note: Mapped[str] = mapped_column(default="")
