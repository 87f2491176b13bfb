"""MACs that were asked for and are not listed, and the sources that are banned for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables, empty."""
    op.create_table(
        "misses",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("mac", sa.String(12), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_misses"),
        sa.UniqueConstraint("source", "mac", name="uq_misses_source_mac"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_misses_at", "misses", ["at"])
    op.create_table(
        "bans",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_bans"),
        sa.CheckConstraint("verdict IN ('slowed', 'banned')", name="verdict"),
    )
    op.create_index("ix_bans_until", "bans", ["until"])


def downgrade() -> None:
    """Drop both; who was banned is not any more."""
    op.drop_table("bans")
    op.drop_table("misses")
