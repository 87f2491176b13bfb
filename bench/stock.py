"""Installations with as many phones as wanted: one is listed as people do it, the rest copy its rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from db.schema import Base
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import initialise, opened
from provisioner.operations.publishing import announce, publish
from provisioner.settings import read_settings

FIRST_MAC = 0x805EC0000000
FIRST_LINE = 48220000000
ONE_PHONE = b"""
customers:
  - login: bench
    name: Bench
    lines: [{number: "48220000000", product: telefonia-ip-standard}]
    devices:
      - {mac: "805ec0000000", model: T46S, accounts: [{account: 1, line: "48220000000"}]}
"""
PUBLIC = """
[public]
provisioning_url = "http://127.0.0.1:8081"
sip_host = "127.0.0.1"
sip_port = 5060
sip_transport = "udp"
"""
"For the configuration of a server: what phones are told does not change with where it listens."
_SLICE = 10_000
_CACHE_KIB = 1_000_000


def token(number: int) -> str:
    """The device token of phone `number`, which counts from 0."""
    return f"{number:032x}"


def line(number: int) -> str:
    """The line of phone `number`."""
    return str(FIRST_LINE + number)


def path(number: int) -> str:
    """Where phone `number` fetches its own file."""
    return f"{token(number)}/{FIRST_MAC + number:012x}.cfg"


async def make(data_dir: Path, phones: int, database: str | None = None) -> Path:
    """An installation whose phones have all used their tokens, on SQLite or in the empty `database`.

    Returns the configuration that its server wants.
    """
    config = data_dir.parent / "stock.toml"
    config.write_text(PUBLIC + (f'[database]\nurl = "{database}"\n' if database else ""))
    settings = read_settings(config)
    await initialise(data_dir, settings)
    async with opened(data_dir, settings) as installation:
        await apply(installation, read_company_file(ONE_PHONE), COMMAND_LINE)
        # Else the server would write the files of all phones when it starts.
        await announce(installation, "127.0.0.1:8081", "127.0.0.1:5060")
        await publish(installation)
    if database is None:
        _copy_sqlite(data_dir / "centralka.db", phones)
    else:
        _copy_postgresql(database, phones)
    return config


def _copy_sqlite(file: Path, phones: int) -> None:
    database = sqlite3.connect(file, isolation_level=None)
    # Nothing of this has to survive a power cut.
    database.execute("PRAGMA synchronous=OFF")
    # Hashes fall anywhere in their indexes: with less of them in memory a million phones take an hour.
    database.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    for statements in _copies(lambda query: database.execute(query).fetchone(), phones):
        database.execute("BEGIN")
        for statement, rows in statements:
            database.executemany(statement, rows)
        database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _copy_postgresql(url: str, phones: int) -> None:
    with psycopg.connect(url, autocommit=True) as database, database.cursor() as cursor:
        # A file and its revision refer to each other.
        database.execute("SET session_replication_role = replica")
        for statements in _copies(lambda query: database.execute(query).fetchone(), phones):
            with database.transaction():
                for statement, rows in statements:
                    cursor.executemany(statement.replace("?", "%s"), rows)
        for table in ("lines", "devices", "revisions", "device_files"):
            # The numbers were given here.
            database.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        database.execute("ANALYZE")


_Statement: TypeAlias = tuple[str, list[tuple[object, ...]]]
"Parameters are written `?`; once for each row."


def _copies(one: Callable[[str], tuple[Any, ...] | None], phones: int) -> Iterator[list[_Statement]]:
    """What makes the phones out of the first, some at a time. `one` is the one row of a query."""

    def row(query: str) -> tuple[Any, ...]:
        found = one(query)
        assert found is not None
        return found

    line_id, device_id = row("SELECT (SELECT max(id) FROM lines), (SELECT max(id) FROM devices)")
    file_id, source_id, content = row(
        "SELECT f.id, r.id, r.content FROM device_files f JOIN revisions r ON r.id = f.current_revision_id"
        " WHERE f.name = 'mac'"
    )
    last_file, last_revision = row(
        "SELECT (SELECT max(id) FROM device_files), (SELECT max(id) FROM revisions)"
    )

    def statement(table: str, where: str, *changed: str) -> str:
        """A copy of the row with other values in the columns that are `changed`."""
        same = [each.name for each in Base.metadata.tables[table].columns if each.name not in changed]
        names, values = (*changed, *same), ", ".join(["?"] * len(changed) + same)
        return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE {where}"

    # What is copied refers to secrets by the name of the phone and the line.
    texts = (
        statement("lines", f"id = {line_id}", "id", "number"),
        statement("devices", f"id = {device_id}", "id", "mac", "service_token_hash"),
        statement("device_tokens", f"device_id = {device_id}", "device_id", "token_hash"),
        statement("device_accounts", f"device_id = {device_id}", "device_id", "line_id"),
        statement("device_files", f"id = {file_id}", "id", "device_id", "current_revision_id"),
        statement("revisions", f"id = {source_id}", "id", "file_id", "content", "digest"),
    )
    yield [
        (
            "UPDATE device_tokens SET token_hash = ?, first_used_at = created_at WHERE device_id = ?",
            [(_hash(token(0)), device_id)],
        )
    ]
    for start in range(1, phones, _SLICE):
        rows: tuple[list[tuple[object, ...]], ...] = tuple([] for _ in texts)
        for n in range(start, min(start + _SLICE, phones)):
            mac, number = f"{FIRST_MAC + n:012x}", line(n)
            text = content.replace("805ec0000000", mac).replace("48220000000", number)
            own_line, own_device, own_file, revision = (
                each + n for each in (line_id, device_id, last_file, last_revision)
            )
            for values, to in zip(
                (
                    (own_line, number),
                    (own_device, mac, _hash(f"service {n}")),
                    (own_device, _hash(token(n))),
                    (own_device, own_line),
                    (own_file, own_device, revision),
                    (revision, own_file, text, hashlib.sha256(text.encode()).hexdigest()),
                ),
                rows,
                strict=True,
            ):
                to.append(values)
        yield list(zip(texts, rows, strict=True))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
