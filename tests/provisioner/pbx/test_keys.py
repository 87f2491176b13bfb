"""The HA1s of lines: sealed in the database, kept in memory, and never of a password that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from db import rotation
from db.errors import DatabaseUnavailable, VaultError
from db.freshness import watching
from db.queries import line_keys
from db.schema import LineRow
from db.vault import Vault
from provisioner.operations.installation import Installation
from provisioner.pbx import keys as module
from provisioner.pbx.keys import LineKey, LineKeys
from provisioner.pbx.news import News
from provisioner.settings import Settings, Sip
from sip.digest import Algorithm, ha1
from tests.provisioner.conftest import apply_text

NUMBER = "48223809887"
NOBODY = "48999999999"
CHANGED = """
customers:
  - login: nowyklienttestowy
    lines:
      - {number: "48223809887", product: telefonia-ip-plus, password: Nowe-haslo-123456}
      - {number: "48223809986", product: telefonia-ip-plus}
      - {number: "48223809880", product: telefonia-ip-plus}
      - {number: "48223809882", product: telefonia-ip-plus}
      - {number: "48223809883", product: telefonia-ip-standard}
"""
ADDED = CHANGED + '      - {number: "48111", product: telefonia-ip-plus, password: Pierwsze-haslo-12}\n'


@asynccontextmanager
async def fresh_keys(installation: Installation) -> AsyncIterator[LineKeys]:
    """As a process has them that has just started; they write what they make."""
    async with watching(installation.database) as watcher:
        keys = LineKeys(installation, News(watcher))
        running = asyncio.create_task(keys.run())
        try:
            yield keys
        finally:
            running.cancel()
            await asyncio.wait([running])


@pytest.fixture
async def keys(sample: Installation) -> AsyncIterator[LineKeys]:
    async with fresh_keys(sample) as made:
        yield made


async def of_password(installation: Installation, number: str) -> tuple[str, str]:
    """What fits the password that is stored now."""
    async with installation.database.read() as session:
        row = (await session.scalars(select(LineRow).where(LineRow.number == number))).one()
    password = installation.vault.open(row.password_sealed)
    realm = installation.settings.sip.realm
    return ha1(Algorithm.MD5, number, realm, password), ha1(Algorithm.SHA256, number, realm, password)


def both(key: LineKey) -> tuple[str, str]:
    return key.ha1(Algorithm.MD5), key.ha1(Algorithm.SHA256)


async def stored(installation: Installation, number: str, before: bytes | None = None) -> bytes:
    """The sealed HA1s, as soon as they are written and are not those of `before`."""
    query = select(LineRow.ha1_sealed).where(LineRow.number == number)
    async with asyncio.timeout(60):
        while True:
            async with installation.database.read() as session:
                sealed = await session.scalar(query)
            if sealed not in (None, before):
                return bytes(sealed)
            await asyncio.sleep(0.01)


def opened_passwords(monkeypatch: pytest.MonkeyPatch, installation: Installation) -> list[str]:
    """All that the vault opens from now on."""
    texts: list[str] = []
    open_one = Vault.open

    def noted(vault: Vault, sealed: bytes) -> str:
        texts.append(open_one(vault, sealed))
        return texts[-1]

    monkeypatch.setattr(Vault, "open", noted)
    return texts


async def test_a_line_is_known_after_the_first_look(sample: Installation, keys: LineKeys):
    expected = await of_password(sample, NUMBER)
    assert both(keys.known(NUMBER)) != expected
    assert both(await keys.of(NUMBER)) == expected
    assert both(keys.known(NUMBER)) == expected


async def test_a_password_is_opened_once_and_in_no_later_process(
    sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch
):
    expected = await of_password(sample, NUMBER)
    await keys.of(NUMBER)
    await stored(sample, NUMBER)
    looked_up = line_keys.secrets_of_line

    async def without_password(*arguments: Any) -> Any:
        found = await looked_up(*arguments)
        return found and found._replace(password_sealed=b"not to be opened")

    monkeypatch.setattr(module, "secrets_of_line", without_password)
    async with fresh_keys(sample) as later:
        assert both(await later.of(NUMBER)) == expected


async def test_a_password_that_was_changed_fits_no_more(sample: Installation, keys: LineKeys):
    before = both(await keys.of(NUMBER))
    await stored(sample, NUMBER)
    await apply_text(sample, CHANGED)
    assert both(keys.known(NUMBER)) != before
    assert both(await keys.of(NUMBER)) == await of_password(sample, NUMBER) != before


async def test_a_password_changed_by_another_process_fits_no_more(sample: Installation, keys: LineKeys):
    async with fresh_keys(sample) as others:
        before = both(await others.of(NUMBER))
        await keys.of(NUMBER)
        await apply_text(sample, CHANGED)
        assert both(others.known(NUMBER)) != before
        assert both(keys.known(NUMBER)) != before


async def test_a_line_that_was_removed_is_nobodys(sample: Installation, keys: LineKeys):
    await apply_text(sample, ADDED)
    assert (await keys.of("48111")).line_id is not None
    await apply_text(sample, CHANGED)
    assert keys.known("48111").line_id is None
    assert (await keys.of("48111")).line_id is None


async def test_a_line_that_is_added_is_found_though_it_was_asked_for_before(
    sample: Installation, keys: LineKeys
):
    assert (await keys.of("48111")).line_id is None
    await apply_text(sample, ADDED)
    assert both(await keys.of("48111")) == await of_password(sample, "48111")


async def test_a_password_changed_while_it_is_looked_up_is_not_kept(
    sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch
):
    looked_up = line_keys.secrets_of_line

    async def slow(*arguments: Any) -> Any:
        found = await looked_up(*arguments)
        await apply_text(sample, CHANGED)
        return found

    monkeypatch.setattr(module, "secrets_of_line", slow)
    before = both(await keys.of(NUMBER))
    assert before != await of_password(sample, NUMBER)
    assert both(keys.known(NUMBER)) != before


async def test_ha1s_of_an_older_password_are_not_written(sample: Installation, keys: LineKeys):
    await keys.of(NUMBER)
    # Before they are written; the change waits for nothing that is not under way.
    await apply_text(sample, CHANGED)
    await keys.of(NUMBER)
    await stored(sample, NUMBER)
    async with fresh_keys(sample) as later:
        assert both(await later.of(NUMBER)) == await of_password(sample, NUMBER)


async def test_another_realm_makes_other_ha1s(sample: Installation, keys: LineKeys):
    before = await keys.of(NUMBER)
    sealed = await stored(sample, NUMBER)
    moved = replace(sample, settings=Settings(sip=Sip(realm="pbx example")))
    async with fresh_keys(moved) as others:
        assert both(await others.of(NUMBER)) == await of_password(moved, NUMBER) != both(before)
        await stored(sample, NUMBER, before=sealed)
    async with fresh_keys(moved) as later:
        assert both(await later.of(NUMBER)) == await of_password(moved, NUMBER)


@pytest.mark.parametrize("number", [NOBODY, "", "nobody", "482\x00", "\ud800", "4" * 1000, "' OR 1=1 --"])
async def test_nobody_costs_a_look_and_one_opening_as_everybody_does(
    sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch, number: str
):
    for line in ("48223809887", "48223809986", "48223809880", "48223809882", "48223809883"):
        await keys.of(line)
        await stored(sample, line)
    texts = opened_passwords(monkeypatch, sample)
    assert (await keys.of(NUMBER)).line_id is not None
    assert len(texts) == 1
    nobody = await keys.of(number)
    assert nobody.line_id is None
    assert len(texts) == 2
    assert [len(each) for each in both(nobody)] == [32, 64]
    assert both(keys.known(number)) == both(nobody)


async def test_an_installation_without_lines_knows_nobody(installation: Installation):
    async with fresh_keys(installation) as keys:
        assert (await keys.of(NUMBER)).line_id is None


async def test_rotated_keys_of_the_vault_take_the_ha1s_along(sample: Installation, keys: LineKeys):
    expected = both(await keys.of(NUMBER))
    before = await stored(sample, NUMBER)
    await rotation.rotate(sample.database, sample.vault)
    assert await stored(sample, NUMBER) != before
    async with fresh_keys(sample) as later:
        assert both(await later.of(NUMBER)) == expected


async def test_ha1s_that_no_key_opens_are_made_anew(
    sample: Installation, keys: LineKeys, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    stranger = Vault.create(tmp_path / "other.key")
    async with sample.database.change() as session:
        row = (await session.scalars(select(LineRow).where(LineRow.number == NUMBER))).one()
        row.ha1_sealed = stranger.seal("a b centralka")
    assert both(await keys.of(NUMBER)) == await of_password(sample, NUMBER)


async def test_a_password_that_no_key_opens_is_an_error_and_no_refusal(
    sample: Installation, keys: LineKeys, tmp_path: Any
):
    stranger = Vault.create(tmp_path / "other.key")
    async with sample.database.change() as session:
        row = (await session.scalars(select(LineRow).where(LineRow.number == NUMBER))).one()
        row.password_sealed = stranger.seal("lost")
    with pytest.raises(VaultError):
        await keys.of(NUMBER)


async def test_while_changes_can_not_be_heard_memory_is_not_believed(sample: Installation, keys: LineKeys):
    class Deaf:
        trusts = False

        def news(self) -> tuple[str, ...]:
            return ()

    deaf = LineKeys(sample, News(Deaf()))
    assert both(await deaf.of(NUMBER)) == await of_password(sample, NUMBER)
    assert deaf.known(NUMBER).line_id is None


async def test_where_the_database_is_away_nobody_is_taken_for_a_stranger(
    sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch
):
    async def away(*arguments: Any) -> Any:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(module, "secrets_of_line", away)
    with pytest.raises(DatabaseUnavailable):
        await keys.of(NUMBER)


async def test_what_could_not_be_written_is_written_later(
    sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_AGAIN_S", 0.01)
    store, failures = line_keys.store_ha1s, iter([True, True])

    async def failing(*arguments: Any) -> None:
        if next(failures, False):
            raise DatabaseUnavailable("the disk is full")
        await store(*arguments)

    monkeypatch.setattr(module, "store_ha1s", failing)
    await keys.of(NUMBER)
    assert await stored(sample, NUMBER)


async def test_memory_is_bounded(sample: Installation, keys: LineKeys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 2)
    lines = ("48223809887", "48223809986", "48223809880")
    for line in lines:
        await keys.of(line)
    assert [keys.known(line).line_id is not None for line in lines] == [False, True, True]


async def test_no_ha1_stands_in_the_clear_in_the_database_or_in_a_repr(sample: Installation, keys: LineKeys):
    key = await keys.of(NUMBER)
    sealed = await stored(sample, NUMBER)
    for secret in both(key):
        assert secret.encode() not in sealed
        assert secret not in repr(key)
    async with sample.database.read() as session:
        rows = (await session.execute(text("SELECT * FROM lines"))).all()
    assert not any(secret in repr(rows) for secret in both(key))
