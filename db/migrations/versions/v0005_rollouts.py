"""Staged changes: rollouts, their phones, and the files that those keep meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the three tables, empty: every phone follows the data."""
    op.create_table(
        "rollouts",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("audit_id", ID),
        sa.PrimaryKeyConstraint("id", name="pk_rollouts"),
        _refers("rollouts", "customer_id", "customers", "CASCADE"),
        _refers("rollouts", "audit_id", "audit", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_rollouts_open",
        "rollouts",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "rollout_phones",
        sa.Column("rollout_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("released_at", MOMENT),
        sa.Column("actor", sa.Text()),
        sa.Column("cause", sa.Text()),
        sa.Column("audit_id", ID),
        sa.PrimaryKeyConstraint("rollout_id", "device_id", name="pk_rollout_phones"),
        _refers("rollout_phones", "rollout_id", "rollouts", "CASCADE"),
        _refers("rollout_phones", "device_id", "devices", "CASCADE"),
        _refers("rollout_phones", "audit_id", "audit", "SET NULL"),
    )
    op.create_table(
        "rollout_files",
        sa.Column("rollout_id", ID, nullable=False),
        sa.Column("file_id", ID, nullable=False),
        sa.Column("before_revision_id", ID),
        sa.Column("staged_revision_id", ID),
        sa.PrimaryKeyConstraint("rollout_id", "file_id", name="pk_rollout_files"),
        _refers("rollout_files", "rollout_id", "rollouts", "CASCADE"),
        _refers("rollout_files", "file_id", "device_files", "CASCADE"),
        _refers("rollout_files", "before_revision_id", "revisions"),
        _refers("rollout_files", "staged_revision_id", "revisions"),
    )
    for table, column in (
        ("rollouts", "customer_id"),
        ("rollouts", "audit_id"),
        ("rollout_phones", "device_id"),
        ("rollout_phones", "audit_id"),
        ("rollout_files", "file_id"),
        ("rollout_files", "before_revision_id"),
        ("rollout_files", "staged_revision_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Drop them: what a phone gets stays as it is until its customer is changed."""
    op.drop_table("rollout_files")
    op.drop_table("rollout_phones")
    op.drop_table("rollouts")


def _refers(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=ondelete
    )
