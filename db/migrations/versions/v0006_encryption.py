"""Keys of encrypted files, and which of them each device token goes with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, empty; every token that is there goes with plain files."""
    op.create_table(
        "encryption_keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_encryption_keys"),
        sa.UniqueConstraint(
            "customer_id", "characters", "version", name="uq_encryption_keys_customer_id_characters_version"
        ),
        sa.CheckConstraint("characters IN (16, 32)", name="characters"),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name="fk_encryption_keys_customer_id_customers",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("device_tokens") as batch:
        batch.add_column(sa.Column("encryption_key_id", ID))
        batch.create_foreign_key(
            "fk_device_tokens_encryption_key_id_encryption_keys",
            "encryption_keys",
            ["encryption_key_id"],
            ["id"],
            deferrable=True,
            initially="DEFERRED",
        )
        batch.create_index("ix_device_tokens_encryption_key_id", ["encryption_key_id"])


def downgrade() -> None:
    """Drop both: phones that have a key get plain files, which they take."""
    with op.batch_alter_table("device_tokens") as batch:
        batch.drop_index("ix_device_tokens_encryption_key_id")
        batch.drop_constraint("fk_device_tokens_encryption_key_id_encryption_keys", type_="foreignkey")
        batch.drop_column("encryption_key_id")
    op.drop_table("encryption_keys")
