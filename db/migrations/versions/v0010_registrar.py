"""What the registrar keeps, what becomes of check-syncs, phones that PnP met, and who is logged in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, empty.

    `registrations` is made anew: nothing has written to it before, and SQLite can't add what refers.
    """
    op.drop_index("ix_registrations_expires_at", "registrations")
    op.drop_table("registrations")
    _registrations(
        ID,
        sa.Column("device_id", ID),
        sa.Column("q", sa.Integer()),
        sa.Column("local_address", sa.Text(), nullable=False),
        sa.Column("refreshes", sa.Integer(), nullable=False),
        sa.Column("reachable", sa.Boolean()),
        sa.Column("heard_at", MOMENT),
        sa.Column("rtt_ms", sa.Integer()),
        _refers("registrations", "device_id", "devices", "SET NULL"),
    )
    op.create_index("ix_registrations_device_id", "registrations", ["device_id"])
    _registration_events()
    _resyncs()
    _pnp_inbox()
    _sessions()


def downgrade() -> None:
    """Drop it all: phones register again, people log in again."""
    for table in ("sessions", "pnp_inbox", "resyncs", "registration_events", "registrations"):
        op.drop_table(table)
    _registrations(sa.Integer())
    op.create_index("ix_registrations_expires_at", "registrations", ["expires_at"])


def _registrations(cseq: sa.types.TypeEngine[int], *more: sa.schema.SchemaItem) -> None:
    op.create_table(
        "registrations",
        sa.Column("id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("cseq", cseq, nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("reg_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("refreshed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        *more,
        sa.CheckConstraint("transport IN ('udp', 'tcp', 'tls')", name="transport"),
        _refers("registrations", "line_id", "lines", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sa.UniqueConstraint(
            "line_id",
            "contact",
            "instance_id",
            "reg_id",
            name="uq_registrations_line_id_contact_instance_id_reg_id",
        ),
        sqlite_autoincrement=True,
    )


def _registration_events() -> None:
    op.create_table(
        "registration_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("device_id", ID),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registration_events"),
        _refers("registration_events", "line_id", "lines", "CASCADE"),
        _refers("registration_events", "device_id", "devices", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registration_events_line_id_id", "registration_events", ["line_id", "id"])
    op.create_index("ix_registration_events_device_id_id", "registration_events", ["device_id", "id"])


def _resyncs() -> None:
    op.create_table(
        "resyncs",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("revision_id", ID),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("answered_status", sa.Integer()),
        sa.Column("done_at", MOMENT),
        sa.Column("outcome", sa.Text()),
        sa.CheckConstraint("kind IN ('resync', 'reboot')", name="kind"),
        sa.CheckConstraint("cause IN ('change', 'asked')", name="cause"),
        sa.CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_resyncs"),
        _refers("resyncs", "device_id", "devices", "CASCADE"),
        _refers("resyncs", "revision_id", "revisions", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_resyncs_device_id_id", "resyncs", ["device_id", "id"])
    op.create_index("ix_resyncs_revision_id", "resyncs", ["revision_id"])
    under_way = sa.text("done_at IS NULL")
    op.create_index(
        "ix_resyncs_under_way", "resyncs", ["id"], sqlite_where=under_way, postgresql_where=under_way
    )


def _pnp_inbox() -> None:
    op.create_table(
        "pnp_inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("mac", sa.String(12), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("dismissed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_pnp_inbox"),
        sa.UniqueConstraint("mac", name="uq_pnp_inbox_mac"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pnp_inbox_last_seen_at", "pnp_inbox", ["last_seen_at"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.String(64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name="pk_sessions"),
        _refers("sessions", "user_id", "users", "CASCADE"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def _refers(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}", ondelete=ondelete
    )
