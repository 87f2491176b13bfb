"""An installation: a data directory, its settings, its database and its keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import argon2
from sqlalchemy import select

from db.engine import Database
from db.migrations import current, head, known, upgrade
from db.schema import UserRow
from db.urls import parse_url
from db.vault import Vault
from provisioner.centrex.actor import Role
from provisioner.centrex.errors import CentralkaError
from provisioner.settings import Settings
from provisioner.store.fresh import fresh_password

KEY_FILE = "secrets.key"
FIRMWARE_DIR = "firmware"
MEDIA_DIR = "media"


class NotInitialised(CentralkaError):
    """The data directory holds no installation."""

    code = "not-initialised"


class AlreadyInitialised(CentralkaError):
    """The data directory holds an installation already."""

    code = "already-initialised"


class OtherSchema(CentralkaError):
    """The database has no schema, or one that this version doesn't work with."""

    code = "other-schema"


@dataclass(frozen=True, slots=True)
class Installation:
    """What every operation works on."""

    data_dir: Path
    settings: Settings
    database: Database
    vault: Vault

    @property
    def firmware_dir(self) -> Path:
        """Where firmware files lie."""
        return self.data_dir / FIRMWARE_DIR

    def media_dir(self, login: str) -> Path:
        """Where the media of a customer lie."""
        return self.data_dir / MEDIA_DIR / login


def database_url(data_dir: Path, settings: Settings) -> str:
    """The configured database, SQLite in the data directory unless said otherwise."""
    return settings.database.url or f"sqlite:///{(data_dir / 'centralka.db').absolute()}"


def database_file(data_dir: Path, settings: Settings) -> Path | None:
    """The file of a SQLite database. Raises `BadDatabaseUrl`."""
    url = parse_url(database_url(data_dir, settings))
    return Path(url.database or "") if url.drivername == "sqlite" else None


async def initialise(data_dir: Path, settings: Settings, operator: str = "operator") -> str:
    """Makes the data directory, the schema and the first operator; returns its password, kept nowhere.

    Raises `AlreadyInitialised` where there is one.
    """
    await asyncio.to_thread(_lay_out, data_dir)
    await asyncio.to_thread(upgrade, database_url(data_dir, settings))
    password = fresh_password()
    hashed = await asyncio.to_thread(argon2.PasswordHasher().hash, password)
    database = await Database.open(database_url(data_dir, settings))
    try:
        async with database.change() as session:
            user = await session.scalar(select(UserRow).where(UserRow.login == operator))
            user = user or UserRow(login=operator, role=Role.OPERATOR)
            user.password_hash = hashed
            session.add(user)
    finally:
        await database.close()
    # The key comes last: an `init` that was cut short may be run again.
    await asyncio.to_thread(Vault.create, data_dir / KEY_FILE)
    return password


def _lay_out(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (data_dir / KEY_FILE).exists():
        raise AlreadyInitialised(
            f"{data_dir} is initialised already: use another --data-dir, or go on with this one"
        )
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (data_dir / folder).mkdir(mode=0o700, exist_ok=True)


@asynccontextmanager
async def opened(data_dir: Path, settings: Settings) -> AsyncIterator[Installation]:
    """The installation in `data_dir`, closed at the end.

    Raises `NotInitialised` where there is none, and `OtherSchema` where the database is another version's.
    """
    if not (data_dir / KEY_FILE).exists():
        file = database_file(data_dir, settings)
        if file is not None and file.exists():
            raise NotInitialised(
                f"{data_dir} has a database, and no {KEY_FILE} that opens its secrets: bring that file back,"
                " or restore a backup into an empty data directory"
            )
        raise NotInitialised(
            f"{data_dir} holds no installation: run `centralka init --data-dir {data_dir}` first"
        )
    url = database_url(data_dir, settings)
    await asyncio.to_thread(_check_schema, url)
    database = await Database.open(url)
    try:
        yield Installation(data_dir, settings, database, Vault.load(data_dir / KEY_FILE))
    finally:
        await database.close()


def _check_schema(url: str) -> None:
    at, newest = current(url), head()
    if at is None:
        raise OtherSchema(
            "the database is empty: restore a backup, or run `centralka migrate` to begin with nothing in it"
        )
    if at not in known():
        raise OtherSchema(
            f"the database is at schema {at}, which a newer version of the program made:"
            " run that version, or restore a backup"
        )
    if at != newest:
        raise OtherSchema(
            f"the database is at schema {at}, this version works with {newest}: run `centralka migrate`"
        )


def utc_now() -> datetime:
    """The moment, as every operation stamps it."""
    return datetime.now(UTC)
