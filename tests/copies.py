"""Databases compared row by row, a second empty one to copy into, and the command run as people run it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.engine import make_url

from tests.forked import SHARED, Run

COMMAND = Path(sys.executable).parent / "centralka"


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every table, and how far every sequence has counted."""
    parsed = make_url(url)
    driver = "postgresql+psycopg" if parsed.drivername == "postgresql" else "sqlite"
    engine = create_engine(parsed.set(drivername=driver))
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            tables += ["pg_sequences"] if parsed.drivername == "postgresql" else ["sqlite_sequence"]
            return {
                table: sorted(
                    (
                        tuple(row)
                        for row in connection.execute(select(text("*")).select_from(text(f'"{table}"')))
                    ),
                    key=repr,
                )
                for table in tables
            }
    finally:
        engine.dispose()


@contextmanager
def spare_database(url: str, folder: Path) -> Iterator[str]:
    """An empty database of the same kind as the one at `url`; a SQLite one in `folder`."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        yield f"sqlite:///{folder / 'spare.db'}"
        return
    name = f"spare_{uuid.uuid4().hex}"
    server = parsed.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield parsed.set(database=name).render_as_string(hide_password=False)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run_command(*arguments: str | Path) -> Run:
    """`centralka` with these arguments, in a process of its own."""
    return SHARED.run(*arguments)


def config_file(folder: Path, url: str, **tables: str) -> Path:
    """A configuration file that names the database; `tables` are the bodies of further tables."""
    file = folder / f"{uuid.uuid4().hex}.toml"
    said = {"database": f'url = "{url}"', **tables}
    file.write_text("".join(f"[{name}]\n{body}\n" for name, body in said.items()), encoding="utf-8")
    return file
