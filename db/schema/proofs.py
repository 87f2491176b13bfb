"""What test calls have proved of numbers, and who is tested when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of


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
    "All of it but the messages, as JSON (`provisioner.operations.proofs`)."
    messages: Mapped[str | None]
    """Its SIP messages, packed (`provisioner.operations.messages`); NULL: they are kept no longer, or there
    was no room for them."""
    run_id: Mapped[int | None] = mapped_column(ForeignKey("proof_runs.id", ondelete="SET NULL"), index=True)
    "The run over many numbers in which it was made; NULL: it was asked for by itself, or that is forgotten."
    fingerprint: Mapped[str | None]
    "Of what was expected, and of the version that was tested; NULL: nobody can say."
    reds: Mapped[str | None]
    """Of the newest of a number: what went wrong, in it or before, and did not pass since, as JSON
    (`provisioner.operations.reds`); NULL: nothing, so the number is not red."""


class ProofRunRow(Numbered):
    """A run of test calls over many numbers: to be made, under way, or over. The newest are kept."""

    __tablename__ = "proof_runs"
    __table_args__ = (
        one_of("cause", "asked", "change", "nightly", "weekly"),
        one_of("outcome", "done", "unfinished"),
        CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished"),
    )

    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), index=True
    )
    "Whose numbers; NULL: those of the whole installation."
    cause: Mapped[str]
    actor: Mapped[str]
    "Who asked for it, as in the audit."
    slot: Mapped[str | None] = mapped_column(unique=True)
    "What it was made for, such as a night: there is one run for it, however many processes make it."
    speed: Mapped[int]
    "What ring times are divided by."
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    "When it may begin."
    until: Mapped[datetime | None]
    "When it ends, wherever it is then; NULL: when it is through."
    began_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    numbers: Mapped[int] = mapped_column(default=0)
    "That it is about."
    green: Mapped[int] = mapped_column(default=0)
    red: Mapped[int] = mapped_column(default=0)
    untested: Mapped[int] = mapped_column(default=0)
    "Numbers that could not be tested, or not in its time."
    unchanged: Mapped[int] = mapped_column(default=0)
    "Numbers that were left out because they were proved as they are."
    reasons: Mapped[str] = mapped_column(default="[]")
    "Why some were not tested, as JSON: the first of them."
    owner: Mapped[str | None]
    "The process that makes it."
    lease_until: Mapped[datetime | None]
    "When another one may take it up, should the owner not have said a word since."


class ProofScheduleRow(Base):
    """What a customer has otherwise than `[test_calls]` says for all; NULL: nothing else."""

    __tablename__ = "proof_schedules"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    nightly: Mapped[bool | None]
    after_changes: Mapped[bool | None]
    window: Mapped[str | None]
    "From when to when at night, in the customer's time zone: `22:00-05:00`."
