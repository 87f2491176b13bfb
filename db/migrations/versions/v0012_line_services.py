"""What a line does with calls: not to be disturbed, and whether a second one rings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"

_DEFAULTS = {"dnd": sa.false(), "call_waiting": sa.true()}


def upgrade() -> None:
    """Until now every line could be disturbed, by a second call as well."""
    for name, default in _DEFAULTS.items():
        # SQLite adds no column that must have a value without a default, which the schema doesn't have.
        op.add_column("lines", sa.Column(name, sa.Boolean(), nullable=False, server_default=default))
        with op.batch_alter_table("lines") as batch:
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    """Drop both."""
    for name in _DEFAULTS:
        op.drop_column("lines", name)
