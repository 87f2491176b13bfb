"""Encryption."""

from __future__ import annotations

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
