"""When a device was released, so that no certificate opens its files; and open windows by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """No device counts as released: until now nothing but tokens opened its files."""
    op.add_column("devices", sa.Column("released_at", sa.DateTime(timezone=True)))
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_claims_open", "claims", ["device_id"], sqlite_where=still_open, postgresql_where=still_open
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_claims_open", "claims")
    op.drop_column("devices", "released_at")
