"""Firmware: the files that phones may be given, and what is known of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Make the table, empty: files that lie there already have to be added."""
    op.create_table(
        "firmware",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_firmware"),
        sa.CheckConstraint("size > 0", name="size"),
    )


def downgrade() -> None:
    """Drop the table; the files stay."""
    op.drop_table("firmware")
