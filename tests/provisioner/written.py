"""A company that is written once for each database of a run and copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from db.engine import Database
from db.vault import Vault
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, Installation
from provisioner.settings import Settings, read_settings
from tests.databases import PostgresServer

Write = Callable[[Installation], Awaitable[object]]


def loopback_settings() -> Settings:
    """Listeners on free ports of this machine."""
    return read_settings(None, portal="127.0.0.1:0", provisioning="127.0.0.1:0", sip="127.0.0.1:0")


def put_key(key: Path, data_dir: Path) -> Vault:
    """Makes `data_dir` a data directory with a copy of the key."""
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (data_dir / folder).mkdir()
    # With its mode: it is its owner's alone.
    shutil.copy(key, data_dir / KEY_FILE)
    return Vault.load(data_dir / KEY_FILE)


def another_data_dir(data_dir: Path) -> Path:
    """A second data directory with the same key, as another machine on the same database has it."""
    there = data_dir / "another"
    there.mkdir()
    put_key(data_dir / KEY_FILE, there)
    return there


@dataclass
class Written:
    """One company. Its databases are made when they are first asked for."""

    folder: Path
    write: Write
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Path:
        """The key of every copy."""
        file = self.folder / KEY_FILE
        if not file.exists():
            Vault.create(file)
        return file

    @contextmanager
    def copied(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
        """The URL of a copy of the test's own, on the engine that `request.param` names."""
        if request.param == "sqlite":
            if "sqlite" not in self._made:
                template = self.folder / "template.db"
                shutil.copyfile(request.getfixturevalue("migrated_sqlite"), template)
                asyncio.run(self._fill(f"sqlite:///{template}"))
                self._made["sqlite"] = str(template)
            file = tmp_path / "centralka.db"
            shutil.copyfile(self._made["sqlite"], file)
            file.chmod(0o600)
            yield f"sqlite:///{file}"
            return
        server: PostgresServer = request.getfixturevalue("postgres")
        if "postgresql" not in self._made:
            name = server.create(request.getfixturevalue("migrated_postgres"))
            asyncio.run(self._fill(server.url(name)))
            self._made["postgresql"] = name
        copy = server.create(self._made["postgresql"])
        yield server.url(copy)
        server.drop(copy)

    @asynccontextmanager
    async def opened(self, url: str, data_dir: Path) -> AsyncIterator[Installation]:
        """The installation whose database is that copy."""
        vault = put_key(self.key, data_dir)
        database = await Database.open(url)
        yield Installation(data_dir, loopback_settings(), database, vault)
        await database.close()

    async def _fill(self, url: str) -> None:
        database = await Database.open(url)
        try:
            await self.write(Installation(self.folder, loopback_settings(), database, Vault.load(self.key)))
        finally:
            await database.close()
