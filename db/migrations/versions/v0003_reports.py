"""What phones tell of themselves: events, and the files that they bring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables, empty."""
    op.create_table(
        "phone_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_phone_events"),
        _of_a_device("phone_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_phone_events_device_id_id", "phone_events", ["device_id", "id"])
    op.create_table(
        "uploads",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("content_sealed", sa.LargeBinary()),
        sa.Column("digest", sa.String(64)),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("device_id", "kind", "number", name="uq_uploads_device_id_kind_number"),
        sa.CheckConstraint("(content IS NULL) <> (content_sealed IS NULL)", name="content"),
        _of_a_device("uploads"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop both, with the history and the files in them."""
    op.drop_table("uploads")
    op.drop_table("phone_events")


def _of_a_device(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["device_id"], ["devices.id"], name=f"fk_{table}_device_id_devices", ondelete="CASCADE"
    )
