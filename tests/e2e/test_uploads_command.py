"""`centralka uploads` as people run it, on what phones have brought."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.schema import DeviceRow, PhoneEventRow
from phone_templates.yealink.backups import Backup
from provisioner.centrex.mac import MacAddress
from provisioner.operations.asking import Ask, Reported
from provisioner.operations.installation import opened
from provisioner.operations.phone_events import event_row
from provisioner.operations.uploads import Announced, announce, keep
from provisioner.settings import Settings
from provisioner.store.secret_values import open_secrets
from tests.e2e.conftest import Run
from tests.provisioner.conftest import SAMPLE

T46S, T54W = "80:5e:c0:12:34:56", "24:9a:d8:00:00:54"


async def _bring(folder: Path, backup: Backup, *contents: bytes) -> None:
    mac = MacAddress.parse(T46S).hex
    async with opened(folder, Settings()) as installation:
        ref = f"device/{mac}/service-token@1"
        async with installation.database.read() as session:
            token = (await open_secrets(session, installation.vault, [ref]))[ref]
        ask = Ask(token, f"{mac}{backup.ending}", "192.0.2.7", "", clear_text=True)
        for content in contents:
            announced = await announce(installation, ask)
            assert isinstance(announced, Announced)
            answer = await keep(installation, announced, content, ask, datetime(2026, 3, 2, tzinfo=UTC))
            assert not answer.is_closed


@pytest.fixture
def run(command: Run, tmp_path: Path) -> Run:
    """The command, on a data directory in which the T46S has brought its files."""
    command("init")
    command("apply", SAMPLE)
    first = b"account.1.missed_calllog = 1\nphone_setting.phone_lock.unlock_pin = 4711\n"
    asyncio.run(_bring(tmp_path / "d", Backup.LOCAL, first, first.replace(b"= 1\n", b"= 0\n")))
    asyncio.run(_bring(tmp_path / "d", Backup.CONTACTS, b"<root_contact/>"))
    return command


def test_what_a_phone_brought_is_listed(run: Run) -> None:
    rows = json.loads(run("uploads", T46S, "--json"))
    assert [(row["kind"], row["version"]) for row in rows] == [("contacts", 1), ("local", 2), ("local", 1)]
    assert rows == json.loads(run("uploads", "list", T46S, "--json"))
    assert [row["kind"] for row in json.loads(run("uploads", T46S, "--kind", "contacts", "--json"))] == [
        "contacts"
    ]
    assert "192.0.2.7" in run("uploads", T46S)
    assert run("uploads", T54W) == "It has brought nothing.\n"


def test_what_stands_in_a_file_is_shown_without_its_secrets(run: Run) -> None:
    assert run("uploads", "show", T46S, "local") == (
        "account.1.missed_calllog = 0\nphone_setting.phone_lock.unlock_pin = (hidden)\n"
    )
    assert "missed_calllog = 1\n" in run("uploads", "show", T46S, "local", "--version", "1")
    assert run("uploads", "show", T46S, "contacts") == "<root_contact/>"
    assert "1 to 2 are kept" in run("uploads", "show", T46S, "local", "--version", "7", code=1)


def test_two_versions_are_compared(run: Run) -> None:
    difference = run("uploads", "diff", T46S, "local")
    assert "-account.1.missed_calllog = 1\n+account.1.missed_calllog = 0\n" in difference
    assert "4711" not in difference
    assert run("uploads", "diff", T46S, "local", "--from", "2") == "Nothing differs.\n"


def test_changes_are_put_on_another_phone(run: Run) -> None:
    said = run("uploads", "carry", T46S, T54W, "--dry-run")
    assert "carried: account.1.missed_calllog\n" in said
    assert "left behind: phone_setting.phone_lock.unlock_pin: " in said
    assert "backups: true" in said
    assert said.endswith("1 settings carry over, 1 things stay behind. Nothing was kept.\n")
    assert json.loads(run("uploads", T54W, "--json")) == []
    done = json.loads(run("uploads", "carry", T46S, T54W, "--json"))
    assert done["settings"] == ["account.1.missed_calllog"]
    assert done["files"] == [{"kind": "local", "version": 1}, {"kind": "contacts", "version": 1}]
    assert "carried from 80:5e:c0:12:34:56" in run("uploads", T54W)


async def _report(folder: Path) -> None:
    async with opened(folder, Settings()) as installation, installation.database.change() as session:
        device = await session.scalar(select(DeviceRow).where(DeviceRow.mac == MacAddress.parse(T46S).hex))
        assert device is not None
        said = Reported("incoming_call", {"remote": "sip:[red]102@x"})
        ask = Ask(None, "", "192.0.2.7", "", clear_text=True)
        event = event_row(datetime(2026, 3, 2, tzinfo=UTC), ask, device.id, said)
        session.add(PhoneEventRow(**event._asdict()))


def test_what_a_phone_reported_is_shown_with_it(run: Run, tmp_path: Path) -> None:
    asyncio.run(_report(tmp_path / "d"))
    said = run("devices", "show", T46S)
    assert re.search(r"2026-03-02 00:00:00 UTC . 192.0.2.7 . incoming_call . remote sip:\[red\]102@x", said)
    [event] = json.loads(run("devices", "show", T46S, "--json"))["events"]
    assert (event["event"], event["details"]) == ("incoming_call", {"remote": "sip:[red]102@x"})


def test_a_word_that_is_no_verb_and_no_mac_says_how_a_mac_is_written(run: Run) -> None:
    assert "write it like" in run("uploads", "shwo", code=1)
