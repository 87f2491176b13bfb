"""The sample company, written once for each database and copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database
from db.vault import Vault
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, Installation
from provisioner.settings import Settings
from tests.databases import PostgresServer
from tests.provisioner.conftest import SAMPLE


@pytest.fixture(scope="session")
def sample_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of every copy."""
    file = tmp_path_factory.mktemp("sample") / KEY_FILE
    Vault.create(file)
    return file


@pytest.fixture(scope="session")
def sample_sqlite(migrated_sqlite: Path, sample_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the sample company in it, to copy from."""
    file = tmp_path_factory.mktemp("sample") / "template.db"
    shutil.copyfile(migrated_sqlite, file)
    asyncio.run(_apply_sample(f"sqlite:///{file}", sample_key))
    return file


@pytest.fixture(scope="session")
def sample_postgres(postgres: PostgresServer, migrated_postgres: str, sample_key: Path) -> str:
    """The name of a PostgreSQL database with the sample company in it, to copy from."""
    name = postgres.create(migrated_postgres)
    asyncio.run(_apply_sample(postgres.url(name), sample_key))
    return name


async def _apply_sample(url: str, key: Path) -> None:
    database = await Database.open(url)
    try:
        installation = Installation(key.parent, Settings(), database, Vault.load(key))
        await apply(installation, read_company_file(SAMPLE.read_bytes(), SAMPLE.name), COMMAND_LINE)
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    if request.param == "sqlite":
        file = tmp_path / "centralka.db"
        shutil.copyfile(request.getfixturevalue("sample_sqlite"), file)
        file.chmod(0o600)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("sample_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def sample(database: Database, settings: Settings, tmp_path: Path, sample_key: Path) -> Installation:
    """The installation with the sample company in it."""
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (tmp_path / folder).mkdir()
    shutil.copyfile(sample_key, tmp_path / KEY_FILE)
    return Installation(tmp_path, settings, database, Vault.load(tmp_path / KEY_FILE))
