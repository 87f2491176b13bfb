"""Thousands of kinds of path traversal: no file is opened, no byte of one leaves, and nobody else notices."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from phone_templates.yealink.boot import BootMachine, Outcome
from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware, rom
from tests.provisioner.web.asking import (
    STRANGER,
    T23G,
    T46S,
    all_secrets,
    ask,
    booted,
    requests,
    service_of,
    settled,
    text_of,
    token_of,
)
from tests.provisioner.web.outside.doors import CLOSED, UNREADABLE, Door, line_to, undated, without_nonces
from tests.provisioner.web.outside.traversals import traversals

LOGIN = "nowyklienttestowy"
TOLD, OTHER = "T46S-66.86.0.15.rom", "T54W-96.86.0.75.rom"
MEDIA = f"""
vendors: [{{vendor: yealink, models: [{{model: T46S, phone: {{firmware: {TOLD}}}}}]}}]
customers: [{{login: {LOGIN}, phone: {{ringtones: [dzwonek.wav]}}}}]
"""
CANARY = b"nobody outside may see this\n"
PART = 1 if os.environ.get("CENTRALKA_PROVE") else 0.25
"Of all kinds so much is tried."


@dataclass(frozen=True)
class Besieged:
    """A server with everything in it that somebody could want."""

    installation: Installation
    running: Running
    machine: BootMachine
    "A good phone."
    kinds: Sequence[bytes]

    @property
    def door(self) -> Door:
        return Door(int(self.running.provisioning_url.rpartition(":")[2]))

    def tree(self) -> dict[str, int]:
        """The files with their lengths, but for the database, which remembers what was asked."""
        files = (file for file in self.installation.data_dir.rglob("*") if file.is_file())
        return {str(file): file.stat().st_size for file in files if "centralka.db" not in file.name}


@pytest.fixture
async def besieged(sample: Installation, running: Running) -> Besieged:
    for name in (TOLD, OTHER):
        await put_firmware(sample, name)
    await apply_text(sample, MEDIA)
    wanted = [
        *("secrets.key", "centralka.db", "centralka.db-wal", "control.sock", "etc/passwd"),
        *(f"media/{LOGIN}/dzwonek.wav", f"media/{LOGIN}/other.wav", "media/inny/dzwonek.wav"),
        *(f"firmware/{OTHER}", f"firmware/.{TOLD}.partial/file"),
        *(f"{T23G}.cfg", f"{T23G}-local.cfg"),
        # What is the phone's own, it gets by its plain name alone.
        *(f"{T46S}.cfg", "media/dzwonek.wav", "phonebook.xml"),
    ]
    for name in wanted:
        file = sample.data_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_bytes(CANARY)
    machine = await settled(sample, running, T46S)
    token, service = (await token_of(sample, T46S)).encode(), (await service_of(sample, T46S)).encode()
    beginnings = (
        *(b"/", b"/auth/", b"/firmware/", b"/media/", b"/browser/"),
        *(b"/%b/" % token, b"/%b/" % service, b"/%b/media/" % service, b"/%b/firmware/" % service),
        b"/%b/media/dzwonek.wav/" % service,
    )
    kinds = traversals(beginnings, [name.encode() for name in wanted], Random(1))  # noqa: S311
    return Besieged(sample, running, machine, list(dict.fromkeys(kinds)))


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The files that Python opens meanwhile, in any thread."""
    files: list[str] = []
    is_over = False

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and not is_over:
            files.append(str(arguments[0]))

    # It stays for as long as Python runs.
    sys.addaudithook(note)
    yield files
    is_over = True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_path_leads_out(besieged: Besieged, opened: list[str], caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    chance = Random(1900)  # noqa: S311
    tried = chance.sample(besieged.kinds, int(len(besieged.kinds) * PART))
    assert len(tried) >= 1_900
    before = besieged.tree()
    opened.clear()
    found = await answers(besieged.door, b"GET", tried)
    assert opened == []
    assert {kind: look for kind, look in found.items() if look not in expected(kind)} == {}
    assert set(found.values()) > {CLOSED, UNREADABLE}
    brought = chance.sample(besieged.kinds, 300)
    found = await answers(besieged.door, b"PUT", brought, b"Content-Length: 4\r\n\r\nevil")
    assert {look.partition(b"\r\n")[0] for look in found.values()} == {
        b"HTTP/1.1 405 Method Not Allowed",
        UNREADABLE.partition(b"\r\n")[0],
    }
    assert len(set(found.values())) == 2
    assert besieged.tree() == before
    # A good phone has noticed nothing, and what it opens is seen.
    assert (await booted(besieged.machine)).done.outcome is Outcome.UNCHANGED
    own = f"/{await service_of(besieged.installation, T46S)}/firmware/{TOLD}"
    opened.clear()
    assert (await ask(besieged.running, own)).body == rom(TOLD)
    assert [Path(file).name for file in opened] == [TOLD]
    await nothing_is_told(besieged, caplog)


async def nothing_is_told(besieged: Besieged, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the log nor the memory of requests says a secret, and the log not what was asked for."""
    kept = " ".join(text_of(row) for row in await requests(besieged.installation, besieged.running))
    secrets = set((await all_secrets(besieged.installation)).values())
    assert [secret for secret in secrets if secret in kept or secret in caplog.text] == []
    assert kept.isprintable()
    ours = [record for record in caplog.records if record.name.startswith(("provisioner", "db", "aiohttp"))]
    assert [record.getMessage() for record in ours if record.levelno >= logging.WARNING] == []
    assert "passwd" not in caplog.text


def expected(kind: bytes) -> set[bytes]:
    """What such a request may get."""
    return {CLOSED, UNREADABLE, _ASKED_WHO} if kind.startswith(b"/auth/") else {CLOSED, UNREADABLE}


_ASKED_WHO = (
    b"HTTP/1.1 401 Unauthorized\r\n"
    b"Server: centralka\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b'WWW-Authenticate: Digest realm="provisioning", , algorithm=SHA-256, qop="auth"\r\n'
    b'WWW-Authenticate: Digest realm="provisioning", , algorithm=MD5, qop="auth"\r\n'
    b"Content-Length: 17\r\n"
    b"\r\n"
    b"Say who you are.\n"
)


async def answers(
    door: Door, method: bytes, kinds: Sequence[bytes], more: bytes = b"\r\n"
) -> dict[bytes, bytes]:
    """What each of them gets, on as few connections as the server lets them have."""
    found: dict[bytes, bytes] = {}
    waiting = list(kinds)

    async def one_after_another() -> None:
        while waiting:
            async with line_to(door, STRANGER) as line:
                while waiting:
                    kind = waiting.pop()
                    await line.say(method + b" " + kind + b" HTTP/1.1\r\nHost: x\r\n" + more)
                    answer = await line.answer()
                    found[kind] = without_nonces(undated(answer))
                    if answer.startswith(b"HTTP/1.0"):
                        break

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(one_after_another())
    return found
