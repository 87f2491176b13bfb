"""Which revision a phone got is a number without a reference: what each request writes, in fewer places.

With the reference went an index of its own, in `provisioning_requests` and in `devices`, for the deletion of
revisions alone, and a look for the revision at each write. Revisions go with their phone, and their numbers
are never given again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0016"
down_revision: str | None = "0015"

_REQUESTS, _DEVICES = "provisioning_requests", "devices"
_COLUMNS = {_REQUESTS: "revision_id", _DEVICES: "fetched_revision_id"}
_OF_DEVICE = ["device_id", "id"]
"The newest requests of a phone were found by it; those of strangers still are."
_OF_DEVICE_AND_REVISION = ["device_id", "revision_id", "id"]
"Finds those, of the few hundred that a phone has, and which of them got a revision."


def upgrade() -> None:
    """Drop both references with their indexes; one is left to find the requests of a phone by."""
    for table, column in _COLUMNS.items():
        op.drop_index(f"ix_{table}_{column}", table)
        with _altered(table) as batch:
            batch.drop_constraint(f"fk_{table}_{column}_revisions", type_="foreignkey")
    op.drop_index("ix_provisioning_requests_device_id_id", _REQUESTS)
    op.create_index(
        "ix_provisioning_requests_device_id_revision_id_id", _REQUESTS, _OF_DEVICE_AND_REVISION
    )
    # The ten thousand of strangers would have to be sorted; those of phones stand in the other alone.
    of_strangers = sa.text("device_id IS NULL")
    op.create_index(
        "ix_provisioning_requests_strangers",
        _REQUESTS,
        _OF_DEVICE,
        sqlite_where=of_strangers,
        postgresql_where=of_strangers,
    )


def downgrade() -> None:
    """Make them again, and forget the numbers of revisions that are gone."""
    op.create_index("ix_provisioning_requests_device_id_id", _REQUESTS, _OF_DEVICE)
    op.drop_index("ix_provisioning_requests_device_id_revision_id_id", _REQUESTS)
    op.drop_index("ix_provisioning_requests_strangers", _REQUESTS)
    for table, column in _COLUMNS.items():
        op.execute(
            f"UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL"  # noqa: S608 - names of ours
            f" AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.id = {table}.{column})"
        )
        with _altered(table) as batch:
            batch.create_foreign_key(
                f"fk_{table}_{column}_revisions", "revisions", [column], ["id"], ondelete="SET NULL"
            )
        op.create_index(f"ix_{table}_{column}", table, [column])


@contextmanager
def _altered(table: str) -> Iterator[BatchOperations]:
    """Alters a table, which SQLite makes anew; the numbers of deleted rows are still not given again."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    last = is_sqlite and connection.scalar(
        sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table}
    )
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch:
        yield batch
    if last:
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
        connection.execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)"),
            {"table": table, "last": last},
        )
