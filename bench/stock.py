"""Installations with as many phones as wanted: one is listed as people do it, the rest copy its rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import initialise, opened
from provisioner.operations.publishing import publish
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


async def make(data_dir: Path, phones: int) -> None:
    """An installation on SQLite whose phones have all used their tokens."""
    config = data_dir.parent / "stock.toml"
    config.write_text(PUBLIC)
    settings = read_settings(config)
    await initialise(data_dir, settings)
    async with opened(data_dir, settings) as installation:
        await apply(installation, read_company_file(ONE_PHONE), COMMAND_LINE)
        # Else the server would write the files of all phones when it starts.
        await publish(installation, "127.0.0.1:8081", "127.0.0.1:5060")
    _copy(data_dir / "centralka.db", phones)


def _copy(file: Path, phones: int) -> None:
    database = sqlite3.connect(file, isolation_level=None)
    database.row_factory = sqlite3.Row
    # Nothing of this has to survive a power cut.
    database.execute("PRAGMA synchronous=OFF")
    # Hashes fall anywhere in their indexes: with less of them in memory a million phones take an hour.
    database.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    first = {
        table: dict(database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())
        for table in ("lines", "devices", "device_tokens", "device_accounts")
    }
    file_row = dict(database.execute("SELECT * FROM device_files WHERE name = 'mac'").fetchone())
    revision = dict(
        database.execute(
            "SELECT * FROM revisions WHERE id = ?", (file_row["current_revision_id"],)
        ).fetchone()
    )
    # What is copied refers to secrets by the name of the phone and the line.
    ids = {
        table: database.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
        for table in ("device_files", "revisions")
    }
    line_id, device_id = first["lines"]["id"], first["devices"]["id"]
    database.execute(
        "UPDATE device_tokens SET token_hash = ?, first_used_at = created_at", (_hash(token(0)),)
    )

    def rows(numbers: range) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for n in numbers:
            mac, line_number = f"{FIRST_MAC + n:012x}", line(n)
            content = revision["content"].replace("805ec0000000", mac).replace("48220000000", line_number)
            yield "lines", first["lines"] | {"id": line_id + n, "number": line_number}
            yield (
                "devices",
                first["devices"]
                | {"id": device_id + n, "mac": mac, "service_token_hash": _hash(f"service {n}")},
            )
            yield (
                "device_tokens",
                first["device_tokens"]
                | {
                    "device_id": device_id + n,
                    "token_hash": _hash(token(n)),
                    "first_used_at": first["device_tokens"]["created_at"],
                },
            )
            yield (
                "device_accounts",
                first["device_accounts"] | {"device_id": device_id + n, "line_id": line_id + n},
            )
            revision_id, file_id = ids["revisions"] + n, ids["device_files"] + n
            yield (
                "revisions",
                revision
                | {
                    "id": revision_id,
                    "file_id": file_id,
                    "content": content,
                    "digest": hashlib.sha256(content.encode()).hexdigest(),
                },
            )
            yield (
                "device_files",
                file_row | {"id": file_id, "device_id": device_id + n, "current_revision_id": revision_id},
            )

    for start in range(1, phones, _SLICE):
        database.execute("BEGIN")
        for table, row in rows(range(start, min(start + _SLICE, phones))):
            names = ", ".join(row)
            values = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", tuple(row.values()))
        database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
