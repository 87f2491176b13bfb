"""What Alembic runs for every command; `db.migrations` hands it the connection."""

from __future__ import annotations

from alembic import context

from db.schema import metadata

connection = context.config.attributes["connection"]
# The caller's transaction spans the whole command, so a command that fails changes nothing.
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite"
)
context.run_migrations()
