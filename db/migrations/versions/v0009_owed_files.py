"""Files that a change owes, and rollouts whose phones are still being written down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing is owed: until now every change wrote all of its files in one transaction."""
    op.create_table(
        "owed_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("after_mac", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("audit_id", ID),
        sa.PrimaryKeyConstraint("id", name="pk_owed_files"),
        sa.UniqueConstraint("customer_id", name="uq_owed_files_customer_id"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_owed_files_customer_id_customers", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audit.id"], name="fk_owed_files_audit_id_audit", ondelete="SET NULL"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_owed_files_audit_id", "owed_files", ["audit_id"])
    op.add_column("rollouts", sa.Column("phones_below", ID))


def downgrade() -> None:
    """Drop both; what was owed is written by the next change of the customer."""
    op.drop_column("rollouts", "phones_below")
    op.drop_table("owed_files")
