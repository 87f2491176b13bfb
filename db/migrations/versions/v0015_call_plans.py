"""What a dialled number led to at that time, beside the record of the call; messages of test calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, empty, and the columns: of calls before nobody can say."""
    op.create_table(
        "call_plans",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_call_plans_customer_id_customers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_call_plans"),
        sa.UniqueConstraint("customer_id", "digest", name="uq_call_plans_customer_id_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_call_plans_customer_id_id", "call_plans", ["customer_id", "id"])
    op.add_column("call_records", sa.Column("plan", sa.Text()))
    op.add_column("proofs", sa.Column("messages", sa.Text()))


def downgrade() -> None:
    """Drop all of it."""
    op.drop_column("proofs", "messages")
    op.drop_column("call_records", "plan")
    op.drop_table("call_plans")
