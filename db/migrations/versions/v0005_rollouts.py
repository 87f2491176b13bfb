"""Rollouts."""

from __future__ import annotations

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
