"""The tree for a plain web server, held against what our own server answers."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from db.schema import DeviceRow, UploadRow
from phone_templates.yealink.backups import Backup
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, drafts
from provisioner.operations.drafts import CantWrite
from provisioner.operations.encryption import rotate
from provisioner.operations.export import MARK, export
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.rollouts import Reach, release
from tests.copies import config_file, run_command
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware
from tests.provisioner.web.asking import T46S, VP530P, ask
from tests.provisioner.web.encrypting import tokens_of

FIRMWARE = """
customers:
  - login: nowyklienttestowy
    phone: {logo: logo.png, ringtones: [dzwonek.wav]}
    devices:
      - {mac: "80:5e:c0:12:34:56", phone: {firmware: 66.86.0.15.rom}}
      - {mac: "00:15:65:31:4b:c0"}
      - {mac: "00:15:65:4a:a9:37"}
      - {mac: "24:9a:d8:00:00:54", phone: {boot_mode: true, firmware: 96.86.0.9.rom}}
      - {mac: "00:15:65:93:70:f2"}
"""


MACS = (T46S, VP530P, "0015654aa937", "249ad8000054", "0015659370f2")
"The phones of the sample company."


@pytest.fixture
async def stocked(sample: Installation) -> Installation:
    """The sample company with firmware and media."""
    for name in ("66.86.0.15.rom", "96.86.0.9.rom"):
        await put_firmware(sample, name)
    (sample.firmware_dir / "96.86.0.9.rom").unlink()
    folder = sample.media_dir("nowyklienttestowy")
    folder.mkdir(parents=True)
    (folder / "logo.png").write_bytes(b"logo")
    (folder / "dzwonek.wav").write_bytes(b"ring")
    await apply_text(sample, FIRMWARE)
    return sample


async def bring(installation: Installation, mac: str) -> None:
    """What a phone brought before: two versions of its users' changes, and its contacts."""
    seal = installation.vault.seal
    async with installation.database.change() as session:
        device_id = await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == mac))
        said = {"device_id": device_id, "size": 1, "at": utc_now(), "origin": "127.0.0.1"}
        for number, text in ((1, "older"), (2, "#!version:1.0.0.1\nx.y = 1\n")):
            sealed = seal(text)
            session.add(UploadRow(kind=Backup.LOCAL, number=number, content_sealed=sealed, **said))
        session.add(UploadRow(kind=Backup.CONTACTS, number=1, content="<contacts/>", digest="0" * 64, **said))


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with a digest of its bytes and its time."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_every_file_is_what_the_server_answers(stocked: Installation, running: Running, tmp_path: Path):
    await bring(stocked, T46S)
    exported = await export(stocked, tmp_path / "tree")
    files = sorted(path for path in (tmp_path / "tree").rglob("*") if path.is_file() and path.name != MARK)
    assert exported.phones == 5
    assert exported.files == len(files)
    for path in files:
        name = path.relative_to(tmp_path / "tree").as_posix()
        reply = await ask(running, f"/{name}")
        assert reply.status == 200, name
        assert reply.body == path.read_bytes(), name
    names = {path.name for path in files}
    assert {
        f"{VP530P}.cfg",
        f"{T46S}.cfg",
        "249ad8000054.boot",
        "y000000000023.cfg",
        "phonebook.xml",
        f"{T46S}-local.cfg",
    } <= names
    assert {"66.86.0.15.rom", "logo.png", "dzwonek.wav", "menu.xml", "directory.xml", "phone.xml"} <= names


async def test_no_file_at_the_top_says_a_secret(stocked: Installation, tmp_path: Path):
    await export(stocked, tmp_path / "tree")
    top = [path for path in (tmp_path / "tree").iterdir() if path.is_file() and path.name != MARK]
    assert top
    for path in top:
        assert path.name.startswith("y000000000")
        assert "password" not in path.read_text(encoding="utf-8")
        assert "nowyklienttestowy" not in path.read_text(encoding="utf-8")


async def test_the_same_data_make_the_same_tree(stocked: Installation, tmp_path: Path):
    await export(stocked, tmp_path / "one")
    await export(stocked, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


async def test_the_tree_is_its_owners_alone(stocked: Installation, tmp_path: Path):
    await export(stocked, tmp_path / "tree")
    for path in (tmp_path / "tree", *(tmp_path / "tree").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


async def test_a_phone_that_has_not_heard_of_its_new_token_finds_its_files_under_the_old_one(
    stocked: Installation, tmp_path: Path
):
    mac = MacAddress.parse(T46S)
    await claims.claim(stocked, mac, COMMAND_LINE)
    await export(stocked, tmp_path / "claimed")
    found = list((tmp_path / "claimed").glob(f"*/{T46S}.cfg"))
    assert len(found) == 2
    assert found[0].read_bytes() == found[1].read_bytes()
    await claims.release(stocked, mac, COMMAND_LINE)
    await export(stocked, tmp_path / "released")
    (only,) = (tmp_path / "released").glob(f"*/{T46S}.cfg")
    assert only.parent.name not in {path.parent.name for path in found}


async def test_encrypted_files_are_exported_as_they_are_answered(
    stocked: Installation, running: Running, tmp_path: Path
):
    await apply_text(
        stocked,
        "customers: [{login: nowyklienttestowy, phone: {encryption: true}, devices: ["
        "{mac: '80:5e:c0:12:34:56'}, {mac: '24:9a:d8:00:00:54', phone: {boot_mode: true}}]}]",
    )
    await rotate(stocked, "nowyklienttestowy", COMMAND_LINE)
    await export(stocked, tmp_path / "tree")
    found = list((tmp_path / "tree").glob(f"*/{T46S}.cfg"))
    assert len({path.read_bytes() for path in found}) == 3, "plain, under the first key, under the second"
    assert sum(path.read_bytes().startswith(b"#!version") for path in found) == 1
    # The oldest first: each first use ends the tokens before it.
    for token, _ in await tokens_of(stocked, T46S):
        for name in (f"{token}/{T46S}.cfg", f"{token}/y000000000066.cfg"):
            assert (await ask(running, f"/{name}")).body == (tmp_path / "tree" / name).read_bytes()
    for path in (tmp_path / "tree").rglob("*.boot"):
        assert path.read_bytes().startswith(b"#!version")


async def test_while_a_change_is_staged_phones_find_under_each_token_what_the_server_answers(
    stocked: Installation, running: Running, tmp_path: Path
):
    mixed = "{login: nowyklienttestowy, phone: {encryption: true, http_auth: true, language: en}}"
    await apply_text(stocked, f"customers: [{mixed}]", staged=True)
    await release(stocked, "nowyklienttestowy", Reach(MacAddress.parse(T46S)), COMMAND_LINE)
    exported = await export(stocked, tmp_path / "tree")
    assert exported.phones == len(MACS)
    said = {}
    for mac in MACS:
        # The oldest first: each first use ends the tokens before it.
        for token, _ in await tokens_of(stocked, mac):
            own = (tmp_path / "tree" / token / f"{mac}.cfg").read_bytes()
            assert (await ask(running, f"/{token}/{mac}.cfg")).body == own
            said[mac] = own
    # The one that is released.
    assert [mac for mac in MACS if not said[mac].startswith(b"#!version")] == [T46S]


async def test_one_firmware_for_many_phones_takes_its_room_once(stocked: Installation, tmp_path: Path):
    await export(stocked, tmp_path / "tree")
    logos = list((tmp_path / "tree").glob("*/media/logo.png"))
    assert len(logos) == 5
    assert len({path.stat().st_ino for path in logos}) == 1


async def test_a_later_export_takes_the_place_of_an_earlier_one(stocked: Installation, tmp_path: Path):
    await export(stocked, tmp_path / "tree")
    before = tree(tmp_path / "tree")
    await apply_text(stocked, "customers: [{login: nowyklienttestowy, name: Inna nazwa}]")
    await export(stocked, tmp_path / "tree")
    await export(stocked, tmp_path / "fresh")
    assert tree(tmp_path / "tree") == tree(tmp_path / "fresh") != before
    assert not (tmp_path / ".tree.partial").exists()


async def test_an_earlier_export_is_never_missing_while_it_is_replaced(
    stocked: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await export(stocked, tmp_path / "tree")
    before = tree(tmp_path / "tree")

    def cut_off(one: Path, other: Path) -> None:
        assert tree(other) == before
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("provisioner.operations.export.exchange", cut_off)
    with pytest.raises(CantWrite, match="new directory"):
        await export(stocked, tmp_path / "tree")
    assert tree(tmp_path / "tree") == before


async def test_a_directory_of_somebody_elses_is_not_replaced(stocked: Installation, tmp_path: Path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("mine", encoding="ascii")
    with pytest.raises(CantWrite, match="no earlier export"):
        await export(stocked, tmp_path / "html")
    assert [path.name for path in (tmp_path / "html").iterdir()] == ["index.html"]


def test_two_directories_take_each_others_name(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    drafts.exchange(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "one" / "two").exists()
    assert (tmp_path / "two" / "one").exists()


async def test_the_command_writes_the_tree_and_says_what_is_in_it(
    stocked: Installation, database_url: str, tmp_path: Path
):
    config = config_file(tmp_path, database_url)
    arguments = ("export", tmp_path / "tree", "--data-dir", stocked.data_dir, "--config", config)
    done = await asyncio.to_thread(run_command, *arguments)
    assert done.status == 0, done.err
    assert "files of 5 phones" in done.out
    assert "every password and token" in done.out
    assert len(list((tmp_path / "tree").glob("*/*.cfg"))) == 10


async def test_phones_that_log_in_are_counted_for_a_web_server_cannot_serve_them(
    stocked: Installation, tmp_path: Path
):
    assert (await export(stocked, tmp_path / "before")).phones_with_login == 0
    await apply_text(
        stocked,
        """
customers:
  - login: nowyklienttestowy
    phone: {http_auth: true}
    devices:
      - {mac: "80:5e:c0:12:34:56", phone: {http_auth: false}}
      - {mac: "00:15:65:31:4b:c0"}
      - {mac: "00:15:65:4a:a9:37"}
      - {mac: "24:9a:d8:00:00:54"}
      - {mac: "00:15:65:93:70:f2"}
""",
    )
    assert (await export(stocked, tmp_path / "after")).phones_with_login == 4
    assert not (tmp_path / "after" / "auth").exists()
