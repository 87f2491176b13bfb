"""A copy of a whole database, taken while others write to it, and the way back.

SQLite is copied page by page by its own backup interface, PostgreSQL by its own `pg_dump`: both copies show
one moment. The way back goes into an empty database, all or nothing.

A copy says nothing of who is logged in: whoever logged out since would be in again after a restore.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import make_conninfo
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.engine import URL

from db import migrations
from db.errors import DatabaseUnavailable, StorageError
from db.sqlite import make_private
from db.unavailable import BUSY_S, unavailable
from db.urls import parse_url

_NOT_COPIED = ("sessions",)
"Tables whose rows stay behind."
_LOCK_WAIT_MS = 60_000
"How long `pg_dump` waits for a migration that is under way."


class MissingProgram(StorageError):
    """A program of the PostgreSQL client is not installed."""


class NotEmpty(StorageError):
    """The database that should be restored into holds something."""


def dump(url: str, target: Path) -> str | None:
    """Copy the database at `url` to the new file `target`, mode 0600; the schema's revision of the copy.

    Raises `DatabaseUnavailable` where it can't be read or the copy not written, `MissingProgram` where there
    is no `pg_dump`. What is in `target` then is good for nothing.
    """
    parsed = parse_url(url)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if parsed.drivername == "sqlite":
        return _dump_sqlite(Path(parsed.database or ""), target)
    before = migrations.current(url)
    without = [f"--exclude-table-data={table}" for table in _NOT_COPIED]
    options = ["--format=custom", f"--lock-wait-timeout={_LOCK_WAIT_MS}", *without]
    _run("pg_dump", parsed, *options, f"--file={target}")
    # The dump doesn't tell which moment it shows: it was this schema's if no migration came between.
    if migrations.current(url) != before:
        raise DatabaseUnavailable("the schema was changed while the database was copied: try again")
    return before


def load(url: str, source: Path) -> None:
    """Fill the empty database at `url` with a copy that `dump` made of the same kind: all of it or nothing.

    Raises `NotEmpty`, `DatabaseUnavailable`, `MissingProgram`.
    """
    parsed = parse_url(url)
    refuse_full(url)
    if parsed.drivername == "sqlite":
        _load_sqlite(Path(parsed.database or ""), source)
    else:
        _run(
            "pg_restore",
            parsed,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-acl",
            str(source),
        )


def refuse_full(url: str) -> None:
    """Raises `NotEmpty` where the database at `url` holds anything."""
    if not is_empty(url):
        raise NotEmpty(
            f"the database {parse_url(url).render_as_string()} is not empty: restore into a new one, or drop"
            " what is there yourself"
        )


def is_empty(url: str) -> bool:
    """Whether there is nothing at `url` that a restored database could be mixed with.

    Never makes the database. Raises `DatabaseUnavailable` where it can't be reached.
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        file = Path(parsed.database or "")
        # A journal that was left behind would be played into whatever bears the name.
        return not any(
            part.exists() and part.stat().st_size for part in (file, file.with_name(f"{file.name}-wal"))
        )
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": int(BUSY_S)},
    )
    with unavailable(), engine.connect() as connection:
        return not inspect(connection).get_table_names()


def _dump_sqlite(source: Path, target: Path) -> str | None:
    try:
        # `rw` never makes a database where there is none, and may still recover one after a crash.
        uri = f"file:{quote(str(source.absolute()))}?mode=rw"
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            # One step: with several, SQLite begins again whenever another process has written in between.
            original.backup(copy, pages=-1)
            # One file, without a journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            _empty(copy)
            damage = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise DatabaseUnavailable(
                    f"the database {source} is damaged ({damage}): no backup was made of it;"
                    " keep the backups that you have"
                )
            if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"can't copy the database {source}: {error}") from error
    return str(row[0]) if row else None


def _empty(copy: sqlite3.Connection) -> None:
    """Takes out of a copy what is not copied, so that no byte of it is left."""
    copy.execute("PRAGMA secure_delete=ON")
    with copy:
        for table in _NOT_COPIED:
            # An older schema may not have it.
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                copy.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours


def _load_sqlite(target: Path, source: Path) -> None:
    draft = target.with_name(f".{target.name}.partial")
    draft.unlink(missing_ok=True)
    make_private(URL.create("sqlite", database=str(draft)))
    try:
        with source.open("rb") as original, draft.open("wb") as copy:
            shutil.copyfileobj(original, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DatabaseUnavailable(f"can't write the database {target}: {error.strerror}") from error


def _run(program: str, url: URL, *arguments: str) -> None:
    """Runs a program of PostgreSQL's client on the database at `url`."""
    found = shutil.which(program)
    if found is None:
        raise MissingProgram(
            f"{program} is not installed: install PostgreSQL's client (Debian: apt install postgresql-client)"
        )
    known = url.translate_connect_args(database="dbname", username="user")
    password = known.pop("password", None)
    options = {
        name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()
    }
    connection = make_conninfo(**{"connect_timeout": int(BUSY_S), **known, **options})
    # Everybody on the machine may read the arguments of a program; its environment is its owner's.
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(  # noqa: S603 - the program was found on the PATH, the arguments are ours
        [found, f"--dbname={connection}", "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise DatabaseUnavailable(f"{program} could not finish: {done.stderr.strip() or done.returncode}")
