"""What test calls have proved, number by number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, empty, and a column for lines: nothing has been proved yet."""
    op.create_table(
        "proofs",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_proofs_customer_id_customers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_proofs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_proofs_customer_id_number_id", "proofs", ["customer_id", "number", "id"])
    op.add_column("lines", sa.Column("proved_at", MOMENT))


def downgrade() -> None:
    """Drop both, and what was proved with them."""
    op.drop_column("lines", "proved_at")
    op.drop_table("proofs")
