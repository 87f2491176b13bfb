"""Backup and restore of a whole installation; the first two tests go through the command line."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from db import backup as databases
from db.backup import NotEmpty, dump, is_empty
from db.rotation import rotate
from db.schema import AlarmRow, ExtensionRow, MissRow
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.operations import encryption, rollouts
from provisioner.operations.alarms import AlarmKind, list_alarms
from provisioner.operations.api_tokens import bearer_of, create_token
from provisioner.operations.archive import CHECKSUMS as SUMS
from provisioner.operations.archive import HEADER, BadArchive
from provisioner.operations.backup import DATABASE, Contents, back_up, restore
from provisioner.operations.bans import add_ban, list_bans
from provisioner.operations.device_files import render_device
from provisioner.operations.devices import list_devices
from provisioner.operations.drafts import CantWrite, drafting
from provisioner.operations.export import MARK, export
from provisioner.operations.firmware_check import check_firmware
from provisioner.operations.installation import KEY_FILE, Installation, opened, utc_now
from provisioner.operations.rollouts import Reach
from provisioner.phones.render import DeviceFile
from provisioner.settings import read_settings
from tests.copies import config_file, contents, run_command, spare_database
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware
from tests.provisioner.web.asking import T46S

NEW_TABLES = {
    "rollouts",
    "rollout_phones",
    "rollout_files",
    "encryption_keys",
    "firmware",
    "bans",
    "misses",
    "api_tokens",
    "alarms",
}
LOGO = bytes(range(256)) * 300


@dataclass(frozen=True)
class Places:
    """Where a test backs up from and restores to."""

    data_dir: Path
    "Of the installation that is backed up."
    config: Path
    restored: Path
    "The data directory that it is restored into; it isn't there yet."
    restored_config: Path
    restored_url: str
    "The database that it is restored into; it is empty."
    away: Path
    "A directory for archives."

    @property
    def file(self) -> Path:
        return self.away / "backup.tar"

    def back_up(self, **options: bool) -> Contents:
        return back_up(self.data_dir, read_settings(self.config), self.file, **options)

    def restore(self, key: Path | None = None) -> Contents:
        return restore(self.file, self.restored, read_settings(self.restored_config), key)

    def opened(self) -> AbstractAsyncContextManager[Installation]:
        return opened(self.restored, read_settings(self.restored_config))

    def left_over(self) -> list[str]:
        return [item.name for item in self.away.iterdir() if item.name.startswith(".")]


@pytest.fixture
def places(
    sample: Installation, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Places]:
    """The sample company with firmware and media, and an empty place beside it."""
    (sample.firmware_dir / "66.86.0.15.rom").write_bytes(os.urandom(100_000))
    folder = sample.media_dir("nowyklienttestowy")
    folder.mkdir(parents=True)
    (folder / "logo.png").write_bytes(LOGO)
    away = tmp_path_factory.mktemp("away")
    restored = away / "restored"
    with spare_database(database_url, away) as spare:
        url = f"sqlite:///{restored / 'centralka.db'}" if spare.startswith("sqlite") else spare
        configs = config_file(away, database_url), config_file(away, url)
        yield Places(sample.data_dir, configs[0], restored, configs[1], url, away)


async def command(*arguments: str | Path, fails: bool = False) -> str:
    """Runs the command beside the test; what it printed."""
    done = await asyncio.to_thread(run_command, *arguments)
    assert (done.status == 1) is fails, done.said
    return (done.err if fails else done.out).replace("\n", " ")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


async def files_of_phones(installation: Installation) -> dict[tuple[str, str], str]:
    """The exact bytes of every phone's files."""
    found = {}
    for device in await list_devices(installation):
        for file in (DeviceFile.MAC, DeviceFile.MODEL):
            mac = MacAddress.parse(device.mac)
            found[device.mac, file.value] = await render_device(installation, mac, file)
    return found


async def test_what_is_restored_is_the_same_row_by_row_and_byte_by_byte(
    sample: Installation, places: Places, database_url: str
):
    here: list[str | Path] = ["--data-dir", places.data_dir, "--config", places.config]
    there: list[str | Path] = ["--data-dir", places.restored, "--config", places.restored_config]
    assert "holds the key" in await command("backup", places.file, *here)
    assert places.file.stat().st_mode & 0o777 == 0o600
    await command("restore", places.file, *there)

    assert contents(places.restored_url) == contents(database_url)
    for name in (KEY_FILE, "firmware/66.86.0.15.rom", "media/nowyklienttestowy/logo.png"):
        assert (places.restored / name).read_bytes() == (sample.data_dir / name).read_bytes()
    async with places.opened() as restored:
        assert await files_of_phones(restored) == await files_of_phones(sample)
    for path in (places.restored, *places.restored.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path

    assert "not empty" in await command("restore", places.file, *there, fails=True)
    assert contents(places.restored_url) == contents(database_url)


async def test_what_is_under_way_goes_on_after_a_restore(
    sample: Installation, places: Places, database_url: str
):
    login, now = "nowyklienttestowy", utc_now()
    await put_firmware(sample, "96.86.0.9.rom", folder=places.away)
    await apply_text(
        sample, f"customers: [{{login: {login}, phone: {{encryption: true, firmware: 96.86.0.9.rom}}}}]"
    )
    await encryption.rotate(sample, login, COMMAND_LINE)
    await apply_text(
        sample,
        f"customers: [{{login: {login}, phone: {{language: en, http_auth: true}}}}]",
        staged=True,
    )
    await rollouts.release(sample, login, Reach(MacAddress.parse(T46S)), COMMAND_LINE)
    await add_ban(sample, "192.0.2.7", 60, COMMAND_LINE, now)
    async with sample.database.change() as session:
        session.add(MissRow(source="192.0.2.8", mac="001565000001", at=now))
        session.add(AlarmRow(kind=AlarmKind.SCAN, text="scan", source="192.0.2.7", at=now))
    program = await create_token(sample, "crm", COMMAND_LINE, customer=login)

    places.back_up()
    places.restore()
    there = contents(places.restored_url)
    assert there == contents(database_url)
    assert not NEW_TABLES - {table for table, rows in there.items() if rows}
    async with places.opened() as restored:
        assert await files_of_phones(restored) == await files_of_phones(sample)
        assert await list_devices(restored) == await list_devices(sample)
        assert await rollouts.show(restored) == await rollouts.show(sample)
        assert await encryption.show(restored, login) == await encryption.show(sample, login)
        assert await list_bans(restored, now) == await list_bans(sample, now)
        assert await list_alarms(restored) == await list_alarms(sample)
        assert await bearer_of(restored, program.token) == await bearer_of(sample, program.token)
        assert [each.name for each in await check_firmware(restored)] == ["66.86.0.15.rom"], "never added"
        # Both with what the restored one's configuration says of addresses.
        here = replace(sample, settings=restored.settings)
        await export(restored, places.away / "there")
        await export(here, places.away / "here")
        assert tree(places.away / "there") == tree(places.away / "here")
        for installation in (restored, here):
            await rollouts.release(installation, login, Reach(), COMMAND_LINE)
        assert await files_of_phones(restored) == await files_of_phones(sample)


async def test_a_backup_is_made_and_is_whole_while_the_server_changes_things(
    running: Running, sample: Installation, places: Places
):
    arguments = ("backup", places.file, "--data-dir", places.data_dir, "--config", places.config)
    backing_up = asyncio.create_task(command(*arguments))
    number = 0
    while not backing_up.done():
        number += 1
        names = "\n".join(f"      - {{number: '{n}', name: 'Zmiana {number}'}}" for n in range(101, 107))
        await apply_text(sample, f"customers:\n  - login: nowyklienttestowy\n    extensions:\n{names}\n")
    await backing_up
    places.restore()

    async with places.opened() as restored:
        files = await files_of_phones(restored)
        async with restored.database.read() as session:
            names = {name for name in await session.scalars(select(ExtensionRow.name)) if "Zmiana" in name}
    # All the names were changed at once, so they show one change; and the files show the same one.
    assert len(names) <= 1
    for text in files.values():
        assert set(re.findall("Zmiana [0-9]+", text)) <= names


@pytest.mark.parametrize("place", ["elsewhere.db", "restored/deep/inside.db"])
async def test_the_database_is_restored_where_the_configuration_says(
    places: Places, database_url: str, place: str
):
    places.back_up()
    is_file = database_url.startswith("sqlite")
    url = f"sqlite:///{places.away / place}" if is_file else places.restored_url
    settings = read_settings(config_file(places.away, url))
    restore(places.file, places.restored, settings)
    assert contents(url) == contents(database_url)
    assert places.left_over() == []
    async with opened(places.restored, settings) as restored:
        assert len(await list_devices(restored)) == 5


async def test_a_full_database_is_left_as_it_is(places: Places, database_url: str):
    places.back_up()
    before = contents(database_url)
    with pytest.raises(NotEmpty, match="is not empty"):
        restore(places.file, places.restored, read_settings(places.config))
    assert contents(database_url) == before
    assert not places.restored.exists()
    assert places.left_over() == []


async def test_without_its_key_a_backup_is_restored_with_the_key_file_that_fits(
    sample: Installation, places: Places, database_url: str
):
    key = sample.data_dir / KEY_FILE
    places.back_up(with_key=False)
    with tarfile.open(places.file) as tar:
        assert KEY_FILE not in tar.getnames()
    assert key.read_bytes().strip() not in places.file.read_bytes()

    with pytest.raises(BadValue, match="--key"):
        places.restore()
    wrong = places.away / "wrong.key"
    wrong.write_bytes(b"A" * 43 + b"=\n")
    with pytest.raises(Conflict, match="other keys"):
        places.restore(wrong)
    assert not places.restored.exists()

    places.restore(key)
    assert contents(places.restored_url) == contents(database_url)
    assert (places.restored / KEY_FILE).read_bytes() == key.read_bytes()


async def test_the_key_in_a_backup_opens_its_secrets_though_the_keys_are_changed_meanwhile(
    sample: Installation, places: Places, monkeypatch: pytest.MonkeyPatch
):
    at_work = asyncio.get_running_loop()
    rotations = []

    def dump_after_a_rotation(url: str, target: Path) -> str | None:
        if not rotations:
            rotations.append(asyncio.run_coroutine_threadsafe(rotate(sample.database, sample.vault), at_work))
            rotations[0].result()
        return dump(url, target)

    monkeypatch.setattr(databases, "dump", dump_after_a_rotation)
    await asyncio.to_thread(places.back_up)
    places.restore()
    async with places.opened() as restored:
        assert await files_of_phones(restored) == await files_of_phones(sample)


@pytest.mark.parametrize("name", ["backup.tar", KEY_FILE, "firmware/backup.tar"])
async def test_a_backup_in_the_data_directory_is_refused(sample: Installation, places: Places, name: str):
    there = {path: path.read_bytes() for path in sample.data_dir.rglob("*") if path.is_file()}
    with pytest.raises(BadValue, match="elsewhere"):
        back_up(sample.data_dir, read_settings(places.config), sample.data_dir / name)
    assert {path: path.read_bytes() for path in sample.data_dir.rglob("*") if path.is_file()} == there


async def test_a_file_that_is_no_backup_is_not_overwritten(places: Places):
    places.file.write_text("customers: []\n", encoding="utf-8")
    with pytest.raises(CantWrite, match="no backup"):
        places.back_up()
    assert places.file.read_text(encoding="utf-8") == "customers: []\n"


async def test_an_older_backup_is_replaced(places: Places, sample: Installation):
    places.back_up()
    older = places.file.read_bytes()
    await apply_text(sample, "customers: [{login: nowyklienttestowy, name: Inna nazwa}]")
    places.back_up()
    assert places.file.read_bytes() != older
    assert places.left_over() == []


async def test_two_backups_to_one_file_do_not_mix(places: Places):
    with drafting(places.file), pytest.raises(CantWrite, match="another command"):
        places.back_up()
    places.back_up()


async def test_sha256sum_agrees_with_the_checksums_inside(places: Places):
    places.back_up()
    unpacked = places.away / "unpacked"
    unpacked.mkdir()
    for program in (["tar", "-xf", places.file], ["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"]):
        await asyncio.to_thread(subprocess.run, program, cwd=unpacked, check=True)


@pytest.mark.parametrize("part", [DATABASE, KEY_FILE, "firmware/66.86.0.15.rom", HEADER])
async def test_one_changed_byte_is_found_and_nothing_is_restored(places: Places, part: str):
    places.back_up()
    with tarfile.open(places.file) as tar:
        member = tar.getmember(part)
    data = bytearray(places.file.read_bytes())
    data[member.offset_data + member.size - 3] ^= 1
    places.file.write_bytes(data)
    with pytest.raises(BadArchive, match="spoilt"):
        places.restore()
    assert not places.restored.exists()
    assert is_empty(places.restored_url)


async def test_an_archive_that_was_cut_off_anywhere_is_refused(places: Places):
    places.back_up()
    whole = places.file.read_bytes()
    with tarfile.open(places.file) as tar:
        ends = [member.offset_data + member.size for member in tar.getmembers()]
    for end in [0, 100, *ends[:-1], ends[-1] - 1]:
        places.file.write_bytes(whole[:end])
        with pytest.raises(BadArchive):
            places.restore()
        assert not places.restored.exists()


async def test_a_schema_from_the_future_is_refused(places: Places):
    places.back_up()
    data = places.file.read_bytes()
    places.file.write_bytes(data.replace(b'"db_schema": "0', b'"db_schema": "9', 1))
    with pytest.raises(Conflict, match="newer version"):
        places.restore()
    assert not places.restored.exists()


async def test_a_backup_of_the_other_kind_of_database_is_refused(places: Places, database_url: str):
    places.back_up()
    other = "postgresql://nobody@127.0.0.1:1/x" if database_url.startswith("sqlite") else "sqlite:////x.db"
    with pytest.raises(Conflict, match="of that kind"):
        restore(places.file, places.restored, read_settings(config_file(places.away, other)))


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "firmware/../../escaped", "firmware//x", SUMS])
async def test_what_is_added_to_an_archive_is_refused(places: Places, name: str):
    places.back_up()
    with tarfile.open(places.file, "a") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(BadArchive, match="no backup of centralka has there"):
        places.restore()
    assert not places.restored.exists()
    assert not (places.away / "escaped").exists()


async def test_a_backup_that_is_killed_anywhere_leaves_the_older_one_or_the_new_one(
    places: Places, database_url: str
):
    places.back_up()
    seen = await asyncio.to_thread(killed, "backup", places.data_dir, places.config, places.file)
    assert len(seen) > 10
    # Once it has its name, only clearing away is left.
    assert [is_old for _, is_old in seen] == sorted((is_old for _, is_old in seen), reverse=True)
    assert seen[0] == [True, True]
    assert seen[-1] == [False, False]
    places.restore()
    assert contents(places.restored_url) == contents(database_url)
    assert places.left_over() == []


async def test_a_restore_that_is_killed_anywhere_leaves_nothing_and_may_be_run_again(
    places: Places, database_url: str, sample: Installation
):
    places.back_up()
    seen = await asyncio.to_thread(killed, "restore", places.restored, places.restored_config, places.file)
    assert len(seen) > 10
    assert not any(is_there for _, is_there in seen[:-1])
    assert seen[-1][1]
    with pytest.raises(Conflict, match="not empty"):
        places.restore()
    assert places.left_over() == []
    assert contents(places.restored_url) == contents(database_url)
    async with places.opened() as restored:
        assert await files_of_phones(restored) == await files_of_phones(sample)


def killed(*arguments: str | Path) -> list[list[bool]]:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]
