"""Migrations of the schema, run by the program itself; there is no alembic.ini.

Each command is one transaction and holds the lock of changes: two processes that start at once migrate
one after the other, and one that is killed leaves the database as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from db.errors import StorageError
from db.postgresql import lock_changes
from db.sqlite import make_private, prepare_sqlite
from db.unavailable import BUSY_S, unavailable
from db.urls import parse_url


class UnknownRevision(StorageError):
    """The database is at a revision that this version of the program doesn't have."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`, making it where it is not there.

    Raises `BadDatabaseUrl`, `DatabaseUnavailable`, and `UnknownRevision` for a database of a newer program.
    """
    with migrating(url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` down to `revision`; `base` drops everything, data included.

    Raises as `upgrade` does.
    """
    with migrating(url) as connection:
        command.downgrade(_config(connection), revision)


def current(url: str) -> str | None:
    """The revision that the database at `url` is at; None where there is no schema yet.

    Raises `BadDatabaseUrl` and `DatabaseUnavailable`.
    """
    with _connection(url, "BEGIN") as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str:
    """The newest revision, which this version of the program works with."""
    return _script().get_revision("head").revision


@cache
def known() -> frozenset[str]:
    """Every revision that this version of the program can bring up to `head`."""
    return frozenset(script.revision for script in _script().walk_revisions())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.attributes["connection"] = connection
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


@contextmanager
def _connection(url: str, begin: str) -> Iterator[Connection]:
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        make_private(parsed)
        engine = create_engine(
            parsed, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": BUSY_S}
        )
        # SQLite rebuilds a table by dropping the old one; with foreign keys on, that would delete what refers
        # to it. They can't be turned off inside a transaction, so they are from the start.
        prepare_sqlite(engine, begin, "foreign_keys=OFF")
    else:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={"connect_timeout": math.ceil(BUSY_S)},
        )
    with unavailable(), engine.begin() as connection:
        yield connection


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """A connection inside the one transaction of a command. Raises as `upgrade` does."""
    with _connection(url, "BEGIN IMMEDIATE") as connection:
        for statement in lock_changes(connection.dialect.name):
            connection.execute(statement)
        at = MigrationContext.configure(connection).get_current_revision()
        if at is not None and at not in known():
            raise UnknownRevision(
                f"the database is at revision {at}, which a newer version of the program made:"
                " run that version, or restore a backup"
            )
        yield connection
        if connection.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise StorageError(
                    f"the migration would leave a row of {broken[0]} without its {broken[2]}:"
                    " nothing was changed, run the version before"
                )
