"""The small company, written once for each database and copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.engine import Database
from db.vault import Vault
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, Installation
from provisioner.settings import read_settings
from tests.databases import PostgresServer
from tests.provisioner.operations.small import put, small

_LISTEN = {"portal": "127.0.0.1:0", "provisioning": "127.0.0.1:0", "sip": "127.0.0.1:5060"}


@pytest.fixture(scope="session")
def firma_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of every copy."""
    file = tmp_path_factory.mktemp("firma") / KEY_FILE
    Vault.create(file)
    return file


@pytest.fixture(scope="session")
def firma_sqlite(migrated_sqlite: Path, firma_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the small company in it, to copy from."""
    file = tmp_path_factory.mktemp("firma") / "template.db"
    shutil.copyfile(migrated_sqlite, file)
    asyncio.run(_write(f"sqlite:///{file}", firma_key))
    return file


@pytest.fixture(scope="session")
def firma_postgres(postgres: PostgresServer, migrated_postgres: str, firma_key: Path) -> str:
    """The name of a PostgreSQL database with the small company in it, to copy from."""
    name = postgres.create(migrated_postgres)
    asyncio.run(_write(postgres.url(name), firma_key))
    return name


async def _write(url: str, key: Path) -> None:
    database = await Database.open(url)
    try:
        settings = read_settings(None, **_LISTEN)
        await put(Installation(key.parent, settings, database, Vault.load(key)), small())
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def firma_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    if request.param == "sqlite":
        file = tmp_path / "centralka.db"
        shutil.copyfile(request.getfixturevalue("firma_sqlite"), file)
        file.chmod(0o600)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("firma_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def firma(firma_url: str, firma_key: Path, tmp_path: Path) -> AsyncIterator[Installation]:
    """The installation with the small company in it."""
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (tmp_path / folder).mkdir()
    shutil.copyfile(firma_key, tmp_path / KEY_FILE)
    database = await Database.open(firma_url)
    yield Installation(
        tmp_path, read_settings(None, **_LISTEN), database, Vault.load(tmp_path / KEY_FILE)
    )
    await database.close()
