from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import Database
from db.errors import VaultError
from db.rotation import drop_old_keys, reseal, rotate, sealed_columns
from db.vault import Vault


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "vault.key"


@pytest.fixture
def vault(key_file: Path) -> Vault:
    return Vault.create(key_file)


def keys_in(file: Path) -> list[str]:
    return file.read_text().split()


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def secrets(database: Database, vault: Vault) -> list[str]:
    """Every secret of the database, opened."""
    async with database.read() as session:
        return [
            vault.open(value)
            for table, columns in sealed_columns().items()
            for row in await session.execute(select(*columns).select_from(table))
            for value in row
            if value is not None
        ]


SECRETS = sorted(
    [
        "line password",
        "ha1",
        "token",
        "service token",
        "admin",
        "user",
        "ldap password",
        "trunk password",
        "encryption key",
        "x = 1",  # what a phone uploaded
    ]
)


async def fill(database: Database, vault: Vault, sample: Any) -> None:
    async with database.change() as session:
        await sample(session, vault.seal)


def test_a_secret_comes_back_and_is_never_sealed_twice_alike(vault: Vault) -> None:
    first, second = vault.seal("zażółć"), vault.seal("zażółć")
    assert first != second
    assert vault.open(first) == vault.open(second) == "zażółć"


def test_the_key_file_is_private_and_never_overwritten(vault: Vault, key_file: Path) -> None:
    assert mode(key_file) == 0o600
    before = key_file.read_text()
    with pytest.raises(VaultError, match="already there"):
        Vault.create(key_file)
    assert key_file.read_text() == before
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_missing_empty_or_spoilt_key_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "vault.key"
    with pytest.raises(VaultError, match=r"vault\.key.*No such file"):
        Vault.load(file)
    file.write_text("")
    with pytest.raises(VaultError, match="empty"):
        Vault.load(file)
    file.write_text("hemlig\n")
    with pytest.raises(VaultError, match="not a key") as refused:
        Vault.load(file)
    assert "hemlig" not in str(refused.value)


def test_a_wrong_key_and_a_changed_secret_are_refused(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal("x")
    with pytest.raises(VaultError, match="put the key file back"):
        Vault.create(tmp_path / "other.key").open(sealed)
    with pytest.raises(VaultError):
        vault.open(sealed[:-2] + b"AA")


async def test_rotation_seals_everything_with_a_new_key_alone(
    database: Database, vault: Vault, key_file: Path, sample: Any
) -> None:
    await fill(database, vault, sample)
    old = keys_in(key_file)

    assert await rotate(database, vault) == len(SECRETS)

    keys = keys_in(key_file)
    assert len(keys) == 1
    assert keys[0] not in old
    assert sorted(await secrets(database, Vault.load(key_file))) == SECRETS
    assert mode(key_file) == 0o600


async def reseal_and_die(database: Database, vault: Vault) -> None:
    async with database.change() as session:
        await reseal(session, vault)
        raise RuntimeError("killed before the commit")


async def test_a_rotation_may_be_killed_after_any_step(
    database: Database, vault: Vault, key_file: Path, sample: Any
) -> None:
    await fill(database, vault, sample)

    Vault.load(key_file).add_key()
    assert sorted(await secrets(database, Vault.load(key_file))) == SECRETS

    with pytest.raises(RuntimeError):
        await reseal_and_die(database, Vault.load(key_file))
    assert sorted(await secrets(database, Vault.load(key_file))) == SECRETS

    async with database.change() as session:
        await reseal(session, Vault.load(key_file))
    assert sorted(await secrets(database, Vault.load(key_file))) == SECRETS

    await rotate(database, Vault.load(key_file))
    assert sorted(await secrets(database, Vault.load(key_file))) == SECRETS
    assert len(keys_in(key_file)) == 1


async def test_no_key_is_dropped_while_a_secret_needs_it(
    database: Database, vault: Vault, key_file: Path, sample: Any
) -> None:
    await fill(database, vault, sample)
    vault.add_key()
    with pytest.raises(VaultError, match="rotate the keys again"):
        async with database.change() as session:
            await drop_old_keys(session, vault)
    assert len(keys_in(key_file)) == 2
    assert sorted(await secrets(database, vault)) == SECRETS


async def test_a_running_process_follows_a_rotation_made_by_another(
    database: Database, vault: Vault, key_file: Path, sample: Any
) -> None:
    await fill(database, vault, sample)
    running = Vault.load(key_file)
    read_before = running.seal("read before")

    await rotate(database, vault)

    assert sorted(await secrets(database, running)) == SECRETS
    assert running.open(read_before) == "read before"
    assert vault.opens_with_first_key(running.seal("new"))


async def test_a_secret_that_can_not_be_opened_stops_the_rotation(
    database: Database, vault: Vault, key_file: Path, sample: Any, tmp_path: Path
) -> None:
    await fill(database, Vault.create(tmp_path / "other.key"), sample)
    with pytest.raises(VaultError):
        await rotate(database, vault)
    assert len(keys_in(key_file)) == 2
    assert sorted(await secrets(database, Vault.load(tmp_path / "other.key"))) == SECRETS


def test_a_derived_secret_holds_for_every_process_until_the_first_key_changes(tmp_path: Path):
    vault = Vault.create(tmp_path / "key")
    derived = vault.derived("nonces")
    assert len(derived) == 32
    assert Vault.load(tmp_path / "key").derived("nonces") == derived
    assert vault.derived("something else") != derived
    vault.add_key()
    assert vault.derived("nonces") != derived
