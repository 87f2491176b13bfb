"""Copies of databases."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import backup, migrations
from db.engine import Database
from db.errors import DatabaseUnavailable
from tests.copies import contents, spare_database


async def test_a_copy_has_every_row_of_every_table_but_of_who_is_logged_in(
    database: Database, database_url: str, sample: Callable[..., Any], tmp_path: Path
):
    async with database.change() as session:
        await sample(session)
    with spare_database(database_url, tmp_path) as spare:
        assert backup.dump(database_url, tmp_path / "copy") == migrations.head()
        backup.load(spare, tmp_path / "copy")
        there, back = contents(database_url), contents(spare)
        assert there.pop("sessions") != []
        assert back.pop("sessions") == []
        assert there == back
        assert [table for table, rows in back.items() if not rows] == []


async def test_a_copy_shows_one_moment_while_others_write(
    database: Database, database_url: str, tmp_path: Path
):
    pairs = "INSERT INTO instance (key, value) VALUES ('{0}', 'left'), ('{0}-twin', 'right')"
    copying = asyncio.create_task(asyncio.to_thread(backup.dump, database_url, tmp_path / "copy"))
    count = 0
    while not copying.done():
        async with database.change() as session:
            await session.execute(text(pairs.format(f"pair-{count}")))
        count += 1
    await copying
    with spare_database(database_url, tmp_path) as spare:
        backup.load(spare, tmp_path / "copy")
        keys = {row[0] for row in contents(spare)["instance"] if row[0].startswith("pair-")}
    assert {key for key in keys if not key.endswith("-twin")} == {
        key.removesuffix("-twin") for key in keys if key.endswith("-twin")
    }
    # Changes are serial, so a moment has all of them up to one.
    assert keys == {f"pair-{n}{twin}" for n in range(len(keys) // 2) for twin in ("", "-twin")}


def test_nothing_is_loaded_into_a_database_that_holds_something(database_url: str, tmp_path: Path):
    backup.dump(database_url, tmp_path / "copy")
    before = contents(database_url)
    with pytest.raises(backup.NotEmpty, match="not empty"):
        backup.load(database_url, tmp_path / "copy")
    assert contents(database_url) == before


def test_a_copy_that_is_no_copy_leaves_postgresql_empty(postgres: Any, tmp_path: Path):
    url = postgres.url(postgres.create())
    (tmp_path / "copy").write_bytes(b"PGDMP but no more")
    with pytest.raises(DatabaseUnavailable, match="pg_restore"):
        backup.load(url, tmp_path / "copy")
    assert backup.is_empty(url)


def test_asking_whether_a_database_is_empty_does_not_make_it(tmp_path: Path):
    assert backup.is_empty(f"sqlite:///{tmp_path / 'none.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_without_its_database_is_not_mixed_into_the_copy(migrated_sqlite: Path, tmp_path: Path):
    backup.dump(f"sqlite:///{migrated_sqlite}", tmp_path / "copy")
    (tmp_path / "centralka.db-wal").write_bytes(b"left behind")
    with pytest.raises(backup.NotEmpty):
        backup.load(f"sqlite:///{tmp_path / 'centralka.db'}", tmp_path / "copy")


def test_a_copy_is_its_owners_alone(database_url: str, tmp_path: Path):
    backup.dump(database_url, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_makes_no_backup(migrated_sqlite: Path, tmp_path: Path):
    file = tmp_path / "centralka.db"
    shutil.copyfile(migrated_sqlite, file)
    with sqlite3.connect(file) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'devices'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)
    with pytest.raises(DatabaseUnavailable, match=r"damaged|malformed"):
        backup.dump(f"sqlite:///{file}", tmp_path / "copy")


def test_a_database_that_is_not_there_is_not_made_by_copying_it(tmp_path: Path):
    with pytest.raises(DatabaseUnavailable, match=r"centralka\.db"):
        backup.dump(f"sqlite:///{tmp_path / 'centralka.db'}", tmp_path / "copy")
    assert not (tmp_path / "centralka.db").exists()


def test_without_the_postgresql_client_its_package_is_named(
    postgres: Any, migrated_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(backup.MissingProgram, match="apt install postgresql-client"):
        backup.dump(postgres.url(migrated_postgres), tmp_path / "copy")


def test_no_password_stands_among_the_arguments_of_pg_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Any, migrated_postgres: str
):
    program = tmp_path / "pg_dump"
    program.write_text(
        '#!/bin/sh\necho "$@" > "$SEEN"\necho "$PGPASSWORD" > "$SEEN.password"\n', encoding="ascii"
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    url = postgres.url(migrated_postgres).replace("postgres@", "postgres:s3cret%2F@")
    backup.dump(url, tmp_path / "copy")
    assert "s3cret" not in (tmp_path / "seen").read_text(encoding="utf-8")
    assert (tmp_path / "seen.password").read_text(encoding="utf-8") == "s3cret/\n"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_byte_of_a_log_in_is_left_in_a_copy(
    database: Database, database_url: str, sample: Callable[..., Any], tmp_path: Path
):
    hashed = "5e55" * 16
    async with database.change() as session:
        await sample(session)
        await session.execute(text("UPDATE sessions SET id_hash = :hashed"), {"hashed": hashed})
    backup.dump(database_url, tmp_path / "copy")
    assert hashed.encode() not in (tmp_path / "copy").read_bytes()


def test_a_database_from_before_there_were_log_ins_is_copied(database_url: str, tmp_path: Path):
    migrations.downgrade(database_url, "0009")
    assert backup.dump(database_url, tmp_path / "copy") == "0009"
