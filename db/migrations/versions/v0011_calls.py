"""What is known of calls beside their bills: names, groups, and what happened to them lately."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

_OF_CALLS: dict[str, sa.types.TypeEngine[Any]] = {"sip_call_id": sa.Text(), "from_name": sa.Text()}
_OF_LEGS: dict[str, sa.types.TypeEngine[Any]] = {
    "name": sa.Text(),
    "hunt_groups": sa.Text(),
    "owner_id": ID,
    "phones": sa.Integer(),
    "began_at": MOMENT,
    "sip_code": sa.Integer(),
}
_INDEXES = {
    "ix_call_records_customer_id_id": ("call_records", ["customer_id", "id"]),
    "ix_call_records_billed_number": ("call_records", ["billed_number"]),
    "ix_call_legs_line": ("call_legs", ["line"]),
    "ix_call_legs_hunt_group": ("call_legs", ["hunt_group"]),
}


def upgrade() -> None:
    """Add columns and a log, empty."""
    for table, columns in (("call_records", _OF_CALLS), ("call_legs", _OF_LEGS)):
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
    for name, (table, indexed) in _INDEXES.items():
        op.create_index(name, table, indexed)
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_call_records_open", "call_records", ["id"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "call_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        _refers("call_id", "call_records"),
        _refers("customer_id", "customers"),
        sa.PrimaryKeyConstraint("id", name="pk_call_events"),
        sa.UniqueConstraint("call_id", "serial", name="uq_call_events_call_id_serial"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_call_events_customer_id_id", "call_events", ["customer_id", "id"])


def downgrade() -> None:
    """Drop them: the calls themselves stay."""
    op.drop_table("call_events")
    op.drop_index("ix_call_records_open", "call_records")
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    for table, columns in (("call_legs", _OF_LEGS), ("call_records", _OF_CALLS)):
        for name in columns:
            op.drop_column(table, name)


def _refers(column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_call_events_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
