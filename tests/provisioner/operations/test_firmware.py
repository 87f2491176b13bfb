"""Firmware files taken in and away, and the targets that company files may say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db.schema import DeviceRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, CentralkaError, NotFound
from provisioner.files.company import read_company_file
from provisioner.files.errors import FileErrors
from provisioner.operations.backup import back_up, restore
from provisioner.operations.companies import apply
from provisioner.operations.devices import list_devices, show_device
from provisioner.operations.firmware import (
    FirmwareWanted,
    OtherBytes,
    add_firmware,
    list_firmware,
    remove_firmware,
)
from provisioner.operations.firmware_aims import Aim
from provisioner.operations.firmware_check import Fault, check_firmware
from provisioner.operations.firmware_files import BadFirmwareFile
from provisioner.operations.installation import Installation, opened
from provisioner.operations.lint import lint_stored
from provisioner.phones.firmware import Standing
from provisioner.settings import FirmwareSection, read_settings
from tests.copies import config_file, run_command, spare_database
from tests.provisioner.firmware import put_firmware, rom
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, audits, exact, just, phone, put, said

OLD, NEW, VP530 = "66.85.0.5.rom", "T46S-66.86.0.15.rom", "23.70.0.40.rom"


def downloaded(folder: Path, name: str, content: bytes | None = None) -> Path:
    file = folder / "elsewhere" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(rom(name) if content is None else content)
    return file


async def faults(installation: Installation) -> dict[str, Fault]:
    return {each.name: each.fault for each in await check_firmware(installation)}


def desk(**more: Any) -> dict[str, Any]:
    return {"devices": [phone(DESK, "T46S", ONE, **more), phone(HALL, "VP530P", TWO)]}


async def test_a_file_is_taken_in_whole_with_its_sum_and_who_added_it(firma: Installation, tmp_path: Path):
    file = downloaded(tmp_path, NEW)
    digest = hashlib.sha256(rom(NEW)).hexdigest()
    added = await add_firmware(firma, file, COMMAND_LINE, sha256=digest.upper(), models=["SIP-T46S", "T48S"])
    assert (added.version, added.sha256, added.size, added.is_new) == ("66.86.0.15", digest, 100_000, True)
    assert {"T41S", "T42S", "T46S", "T48S"} <= set(added.models)
    stored = firma.firmware_dir / NEW
    assert stored.read_bytes() == rom(NEW)
    assert stored.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in firma.firmware_dir.iterdir()] == [NEW]
    assert (await audits(firma))[-1].summary == f"add firmware {NEW} ({digest})"
    assert not (await add_firmware(firma, file, COMMAND_LINE)).is_new
    assert [each.name for each in await list_firmware(firma)] == [NEW]
    assert await faults(firma) == {}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("new.rom", None, "does not end in a version"),
        ("66.86.0.15.zip", None, "does not end in a version"),
        ("9999.86.0.15.rom", None, "no model that we know"),
        ("T46S-96.86.0.15.rom", None, "of a T46S begins with 66"),
        ("T54W_T46S-66.86.0.15.rom", None, "of a T54W begins with 96"),
        (NEW, b"", "empty"),
        (NEW, b"<!DOCTYPE html><html><title>404 Not Found</title></html>", "text"),
        (NEW, b'\xef\xbb\xbf{"error": "nie znaleziono: \xc4\x99"}', "text"),
        (NEW, b"\x00" * (1024 * 1024 + 1), "larger than 1 MiB"),
    ],
)
async def test_what_can_not_be_firmware_is_refused_and_leaves_nothing(
    firma: Installation, tmp_path: Path, name: str, content: bytes | None, why: str
):
    small = Installation(
        firma.data_dir,
        firma.settings.model_copy(update={"firmware": FirmwareSection(max_mib=1)}),
        firma.database,
        firma.vault,
    )
    with pytest.raises(BadFirmwareFile, match=why):
        await add_firmware(small, downloaded(tmp_path, name, content), COMMAND_LINE)
    assert list(firma.firmware_dir.iterdir()) == []
    assert await list_firmware(firma) == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"sha256": "0" * 64}, "download it again"),
        ({"sha256": "abc"}, "64 hex digits"),
        ({"models": ["T46S", "T54W"]}, "of a T54W begins with 96"),
    ],
)
async def test_a_file_that_is_not_what_was_said_of_it_is_refused(
    firma: Installation, tmp_path: Path, said: dict[str, Any], why: str
):
    with pytest.raises(BadValue, match=why):
        await add_firmware(firma, downloaded(tmp_path, NEW), COMMAND_LINE, **said)
    assert list(firma.firmware_dir.iterdir()) == []


async def test_other_bytes_under_one_name_are_refused(firma: Installation, tmp_path: Path):
    await put_firmware(firma, NEW)
    with pytest.raises(OtherBytes):
        await add_firmware(firma, downloaded(tmp_path, NEW, b"\x00other"), COMMAND_LINE)
    (firma.firmware_dir / OLD).write_bytes(rom(OLD))
    with pytest.raises(OtherBytes):
        await add_firmware(firma, downloaded(tmp_path, OLD, b"\x00other"), COMMAND_LINE)
    assert (firma.firmware_dir / NEW).read_bytes() == rom(NEW)
    assert (firma.firmware_dir / OLD).read_bytes() == rom(OLD)


async def test_a_file_that_was_put_there_by_hand_is_added_where_it_lies(firma: Installation):
    file = firma.firmware_dir / NEW
    file.write_bytes(rom(NEW))
    assert await faults(firma) == {NEW: Fault.NOT_ADDED}
    assert (await add_firmware(firma, file, COMMAND_LINE)).is_new
    assert file.read_bytes() == rom(NEW)
    assert await faults(firma) == {}


async def test_the_check_names_whatever_is_wrong_and_add_mends_it(firma: Installation):
    for name in (OLD, NEW, VP530):
        await put_firmware(firma, name)
    (firma.firmware_dir / OLD).unlink()
    (firma.firmware_dir / NEW).write_bytes(rom(NEW)[:-1])
    (firma.firmware_dir / VP530).write_bytes(bytes(reversed(rom(VP530))))
    (firma.firmware_dir / ".adding.partial").mkdir()
    assert await faults(firma) == {
        ".adding.partial": Fault.LEFT_OVER,
        OLD: Fault.MISSING,
        NEW: Fault.SIZE,
        VP530: Fault.CHECKSUM,
    }
    await just(firma, phone={"firmware": NEW})
    missing = [each.code for each in await lint_stored(firma) if each.code.startswith("firmware")]
    assert missing == ["firmware-missing"]
    for name in (OLD, NEW):
        await put_firmware(firma, name)
    assert await faults(firma) == {VP530: Fault.CHECKSUM}


async def test_a_file_that_somebody_shall_have_is_not_removed(firma: Installation):
    for name in (OLD, NEW, VP530):
        await put_firmware(firma, name)
    await just(
        firma,
        sites=[{"name": "Hala", "phone": {"firmware": {"T46S": NEW, "VP530P": VP530}}}],
        **desk(phone={"firmware": OLD}),
    )
    for name, who in ((OLD, f"device {DESK}"), (NEW, "site Hala of firma"), (VP530, "site Hala of firma")):
        with pytest.raises(FirmwareWanted, match=who):
            await remove_firmware(firma, name, COMMAND_LINE)
    await just(firma, **desk(phone={"firmware": None}))
    await remove_firmware(firma, OLD, COMMAND_LINE)
    assert sorted(path.name for path in firma.firmware_dir.glob("*.rom")) == [VP530, NEW]
    with pytest.raises(NotFound):
        await remove_firmware(firma, OLD, COMMAND_LINE)


async def test_the_nearest_level_that_says_something_of_the_model_wins(firma: Installation):
    for name in (OLD, NEW, VP530, "66.84.0.1.rom"):
        await put_firmware(firma, name)

    async def told(mac: Any) -> str:
        settings = await exact(firma, mac)
        return settings.get("static.firmware.url", settings.get("firmware.url", "")).rpartition("/")[2]

    await put(firma, vendors=[{"vendor": "yealink", "phone": {"firmware": {"T46S": "66.84.0.1.rom"}}}])
    assert (await told(DESK), await told(HALL)) == ("66.84.0.1.rom", "")
    # One name reaches the phones that it fits, and leaves the others to the level above.
    await just(firma, phone={"firmware": VP530})
    assert (await told(DESK), await told(HALL)) == ("66.84.0.1.rom", VP530)
    at_site = {"sites": [{"name": "Hala", "phone": {"firmware": {"SIP-T46S": OLD}}}]}
    await just(firma, **at_site, **desk(site="Hala"))
    assert await told(DESK) == OLD
    await just(firma, **desk(site="Hala", phone={"firmware": NEW}))
    assert await told(DESK) == NEW
    await just(firma, **desk(site="Hala", phone={"firmware": ""}))
    assert await told(DESK) == ""
    stands = {each.name: each for each in await list_firmware(firma)}
    assert stands[OLD].targets == ("site Hala of firma",)
    assert dict(stands[VP530].standing) == {Standing.UNKNOWN: 1}


async def test_a_target_by_model_is_shown_in_a_plan_and_applied_once(firma: Installation):
    for name in (NEW, VP530):
        await put_firmware(firma, name)
    targets = {"firmware": {"vp530p": VP530, "SIP-T46S": NEW}}
    assert said(await just(firma, phone=targets)) == [
        f"change customer firma: phone firmware: none -> T46S: {NEW}, VP530P: {VP530}"
    ]
    assert not (await just(firma, phone=targets)).changes


@pytest.mark.parametrize(
    ("level", "firmware", "line", "why"),
    [
        ("device", VP530, 10, "no firmware of a T46S, whose versions begin with 66"),
        ("device", "{T46S: 66.86.0.15.rom}", 10, "firmware takes one file's name"),
        ("device", "66.86.0.99.rom", 10, "add it first: centralka firmware add 66.86.0.99.rom"),
        ("customer", "new.rom", 3, "says no version"),
        ("customer", "9999.1.0.1.rom", 3, "no model's that we know"),
        ("customer", "{T46S: 23.70.0.40.rom}", 3, "no firmware of a T46S"),
        ("customer", "{T46X: 66.85.0.5.rom}", 3, "no model we know"),
        ("customer", "{T46S: 66.85.0.5.rom, SIP-T46S: 66.85.0.5.rom}", 3, "all names of one model"),
        ("customer", "{T46S: 66.86.0.99.rom}", 3, "firmware add 66.86.0.99.rom"),
        ("customer", "{}", 3, "name a model and its file"),
        ("customer", "{T46S: a/b.rom}", 3, "without a folder"),
        ("site", "9999.1.0.1.rom", 6, "no model's that we know"),
        ("model", VP530, 14, "no firmware of a T46S"),
        ("vendor", "{T46S: 23.70.0.40.rom}", 12, "no firmware of a T46S"),
    ],
)
async def test_a_target_that_can_not_be_is_refused_at_its_line(
    firma: Installation, level: str, firmware: str, line: int, why: str
):
    for name in (OLD, VP530):
        await put_firmware(firma, name)
    phones = {
        each: f"{{firmware: {firmware}}}" if each == level else "{}"
        for each in ("customer", "site", "device", "vendor", "model")
    }
    text = f"""customers:
  - login: firma
    phone: {phones["customer"]}
    sites:
      - name: Hala
        phone: {phones["site"]}
    devices:
      - mac: "{DESK}"
        model: T46S
        phone: {phones["device"]}
vendors: [{{vendor: yealink,
    phone: {phones["vendor"]},
    models: [{{model: SIP-T46S,
    phone: {phones["model"]}}}]}}]
"""
    with pytest.raises(CentralkaError) as refused:
        await apply(firma, read_company_file(text.encode(), "test.yaml"), COMMAND_LINE)
    assert isinstance(refused.value, FileErrors)
    (error,) = refused.value.items
    assert why in error.message
    assert error.line == line


async def test_a_backup_holds_the_files_with_what_is_known_of_them(
    firma: Installation, firma_url: str, tmp_path: Path
):
    await put_firmware(firma, NEW)
    draft = firma.firmware_dir / ".adding.partial"
    draft.mkdir()
    (draft / "file").write_bytes(b"half")
    archive = tmp_path.parent / f"{tmp_path.name}.backup"
    back_up(tmp_path, read_settings(config_file(tmp_path, firma_url)), archive)
    with spare_database(firma_url, tmp_path.parent) as url:
        settings = read_settings(config_file(tmp_path, url))
        target = tmp_path.parent / f"{tmp_path.name}.restored"
        restore(archive, target, settings)
        async with opened(target, settings) as restored:
            assert await faults(restored) == {}
            assert await list_firmware(restored) == await list_firmware(firma)


async def test_the_list_of_phones_shows_what_each_shall_have_beside_what_it_runs(firma: Installation):
    assert [each.firmware_target for each in await list_devices(firma)] == [None, None]
    await put_firmware(firma, NEW)
    await just(firma, phone={"firmware": NEW})
    async with firma.database.change() as session:
        query = update(DeviceRow).where(DeviceRow.mac == DESK.hex)
        await session.execute(query.values(firmware_seen="66.85.0.5"))
    for login in (None, "firma"):
        desk, hall = await list_devices(firma, login)
        assert desk.firmware == "66.85.0.5"
        assert desk.firmware_target == Aim(NEW, Standing.WAITING)
        assert desk == (await show_device(firma, DESK)).summary
        assert hall.firmware_target is None


async def test_the_command_adds_lists_checks_and_removes(firma: Installation, firma_url: str, tmp_path: Path):
    config = config_file(tmp_path, firma_url)

    def run(*arguments: str | Path) -> tuple[int, str]:
        done = run_command("--data-dir", tmp_path, "--config", config, "firmware", *arguments)
        return done.status, done.said

    code, shown = run("add", downloaded(tmp_path, NEW), "--model", "T46S")
    assert code == 0, shown
    assert "version 66.86.0.15" in shown
    await just(firma, phone={"firmware": NEW})
    (firma.firmware_dir / OLD).write_bytes(rom(OLD))
    assert NEW in run("list")[1]
    assert '"customer firma"' in run("list", "--json")[1]
    listed = run_command("--data-dir", tmp_path, "--config", config, "devices", "list").out
    assert f"{NEW}: has not said what it has" in listed
    code, shown = run("check")
    assert (code, "never added" in shown) == (0, True)
    # A name alone means the file that lies there.
    assert run("add", OLD)[0] == 0
    code, shown = run("remove", NEW)
    assert (code, "customer firma" in shown) == (1, True)
    (firma.firmware_dir / NEW).unlink()
    assert run("check")[0] == 1
