"""When a device was released: no certificate opens its files until it is claimed again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """No device counts as released: until now nothing but tokens opened its files."""
    op.add_column("devices", sa.Column("released_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop the moment."""
    op.drop_column("devices", "released_at")
