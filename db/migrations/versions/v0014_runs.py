"""Runs of test calls over many numbers, and who is tested when; two indexes that nothing reads go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

_UNREAD = {"ix_provisioning_requests_at": ["at"], "ix_provisioning_requests_mac_id": ["mac", "id"]}


def upgrade() -> None:
    """Make the tables, empty; what was proved before belongs to no run.

    Each request of a phone wrote to both indexes, and all that read it look by device, revision or number.
    """
    _runs()
    _schedules()
    with op.batch_alter_table("proofs", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("run_id", ID))
        batch.add_column(sa.Column("fingerprint", sa.Text()))
        batch.create_foreign_key(
            "fk_proofs_run_id_proof_runs", "proof_runs", ["run_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index("ix_proofs_run_id", "proofs", ["run_id"])
    op.add_column("alarms", sa.Column("number", sa.Text()))
    op.add_column("alarms", sa.Column("over_at", MOMENT))
    for name in _UNREAD:
        op.drop_index(name, "provisioning_requests")


def downgrade() -> None:
    """Drop the tables, and what refers to them; make the indexes again."""
    for name, columns in _UNREAD.items():
        op.create_index(name, "provisioning_requests", columns)
    op.drop_column("alarms", "over_at")
    op.drop_column("alarms", "number")
    op.drop_index("ix_proofs_run_id", "proofs")
    with op.batch_alter_table("proofs", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint("fk_proofs_run_id_proof_runs", type_="foreignkey")
        batch.drop_column("fingerprint")
        batch.drop_column("run_id")
    op.drop_table("proof_schedules")
    op.drop_table("proof_runs")


def _runs() -> None:
    op.create_table(
        "proof_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text()),
        sa.Column("speed", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT),
        sa.Column("began_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("outcome", sa.Text()),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.Column("green", sa.Integer(), nullable=False),
        sa.Column("red", sa.Integer(), nullable=False),
        sa.Column("untested", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until", MOMENT),
        sa.CheckConstraint("cause IN ('asked', 'change', 'nightly', 'weekly')", name="cause"),
        sa.CheckConstraint("outcome IN ('done', 'unfinished')", name="outcome"),
        sa.CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_proof_runs_customer_id_customers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_proof_runs"),
        sa.UniqueConstraint("slot", name="uq_proof_runs_slot"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_proof_runs_customer_id", "proof_runs", ["customer_id"])


def _schedules() -> None:
    op.create_table(
        "proof_schedules",
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("nightly", sa.Boolean()),
        sa.Column("after_changes", sa.Boolean()),
        sa.Column("window", sa.Text()),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name="fk_proof_schedules_customer_id_customers",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", name="pk_proof_schedules"),
    )
