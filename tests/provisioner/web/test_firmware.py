"""Firmware over real HTTP: who is told of it, who may fetch it, and what the phone says afterwards."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from phone_templates.yealink.boot import BootMachine
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations.devices import show_device
from provisioner.operations.firmware import list_firmware, remove_firmware
from provisioner.operations.installation import Installation
from provisioner.phones.firmware import Standing
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware, rom
from tests.provisioner.web.asking import (
    CLOSED,
    T46S,
    T54W,
    VP530P,
    ask,
    booted,
    phone,
    row_of,
    service_of,
    settled,
    token_of,
)

OLD, NEW, OTHER = "T46S-66.85.0.5.rom", "T46S-66.86.0.15.rom", "T54W-96.86.0.75.rom"


def model_level(firmware: str, more: str = "") -> str:
    return f"vendors: [{{vendor: yealink, models: [{{model: T46S, phone: {{firmware: {firmware}{more}}}}}]}}]"


@pytest.fixture
async def stocked(sample: Installation) -> Installation:
    """Three files, and the T46S shall have the newer of its two."""
    for name in (OLD, NEW, OTHER):
        await put_firmware(sample, name)
    await apply_text(sample, model_level(NEW))
    return sample


async def told(stocked: Installation, running: Running, firmware: str, mac: str = T46S) -> str | None:
    """The path under which a phone with `firmware` is told to find another one, if it is."""
    reply = await ask(
        running,
        f"/{await token_of(stocked, mac)}/{mac}.cfg",
        agent=f"Yealink SIP-T46S {firmware} {MacAddress(mac)}",
    )
    assert reply.status == 200
    url = reply.settings.get("static.firmware.url", reply.settings.get("firmware.url"))
    return url.removeprefix(running.provisioning_url) if url else None


def curl(running: Running, path: str, *arguments: str | Path) -> tuple[int, bytes]:
    """The status and the body that curl got."""
    done = subprocess.run(
        [
            "curl",
            "--silent",
            "--write-out",
            "%{stderr}%{http_code}",
            *arguments,
            running.provisioning_url + path,
        ],
        capture_output=True,
        check=False,
    )
    return int(done.stderr), done.stdout


def updated(running: Running, machine: BootMachine, firmware: str) -> BootMachine:
    """The phone after it has installed the firmware and started again."""
    after = phone(running, machine.mac, firmware)
    after.memory = machine.memory
    return after


async def test_a_phone_fetches_its_firmware_in_parts_and_comes_back_with_it(
    stocked: Installation, running: Running, tmp_path: Path
):
    await apply_text(stocked, model_level(OLD))
    machine = await settled(stocked, running, T46S, "66.81.0.25")
    await apply_text(stocked, model_level(NEW))
    boot = await booted(machine)
    assert boot.update is not None
    path = boot.update.firmware_url.removeprefix(running.provisioning_url)
    assert path == f"/{await service_of(stocked, T46S)}/firmware/{NEW}"
    assert await asyncio.to_thread(curl, running, path) == (200, rom(NEW))
    assert await asyncio.to_thread(curl, running, path, "--range", "5-14") == (206, rom(NEW)[5:15])
    broken_off = tmp_path / "broken off.rom"
    broken_off.write_bytes(rom(NEW)[:40_000])
    resumed = await asyncio.to_thread(curl, running, path, "--continue-at", "-", "--output", broken_off)
    assert resumed[0] == 206
    assert broken_off.read_bytes() == rom(NEW)

    before = (await show_device(stocked, MacAddress(T46S))).summary.firmware_target
    assert before is not None
    assert (before.file, before.standing) == (NEW, Standing.WAITING)
    after = await booted(updated(running, machine, "66.86.0.15"))
    assert after.update is None
    # Another generation: its files were written anew.
    assert after.applied is not None
    assert (await row_of(stocked, T46S)).firmware_seen == "66.86.0.15"
    reached = (await show_device(stocked, MacAddress(T46S))).summary.firmware_target
    assert reached is not None
    assert reached.standing is Standing.REACHED
    (file,) = [each for each in await list_firmware(stocked) if each.name == NEW]
    assert (file.targets, file.phones, dict(file.standing)) == (("model T46S",), 1, {Standing.REACHED: 1})


async def test_a_firmware_is_closed_to_every_other_phone_and_token(stocked: Installation, running: Running):
    await settled(stocked, running, T46S, "66.81.0.25")
    mine, other = await service_of(stocked, T46S), await service_of(stocked, T54W)
    assert (await ask(running, f"/{mine}/firmware/{NEW}")).status == 200
    for path in (
        f"/{other}/firmware/{NEW}",
        f"/{other}/firmware/{OTHER}",
        f"/{await service_of(stocked, VP530P)}/firmware/{NEW}",
        f"/{mine}/firmware/{OLD}",
        f"/{mine}/firmware/{OTHER}",
        f"/{await token_of(stocked, T46S)}/firmware/{NEW}",
        f"/firmware/{NEW}",
        f"/{mine}/firmware/../firmware/{OLD}",
        f"/{mine}/firmware/.adding.partial/file",
    ):
        status, body = await asyncio.to_thread(curl, running, path, "--path-as-is")
        assert (status, body) == CLOSED, path


@pytest.mark.parametrize(
    ("runs", "is_told"),
    [
        ("66.81.0.25", True),
        ("66.86.0.9", True),
        ("66.86.0.15", True),
        ("66.86.0.100", False),
        ("66.87.0.1", False),
        # Another model's: whatever this phone is, the file is not for it.
        ("28.83.0.50", False),
    ],
)
async def test_a_phone_with_a_newer_firmware_is_not_told_of_an_older_one(
    stocked: Installation, running: Running, runs: str, is_told: bool
):
    await settled(stocked, running, T46S, "66.81.0.25")
    path = f"/{await service_of(stocked, T46S)}/firmware/{NEW}"
    assert await told(stocked, running, runs) == (path if is_told else None)
    assert (await ask(running, path)).status == (200 if is_told else 404)


async def test_a_phone_goes_back_only_where_somebody_said_so(stocked: Installation, running: Running):
    await settled(stocked, running, T46S, "66.81.0.25")
    assert await told(stocked, running, "66.87.0.1") is None
    await apply_text(stocked, model_level(NEW, ", firmware_downgrade: true"))
    path = await told(stocked, running, "66.87.0.1")
    assert path is not None
    assert (await ask(running, path)).status == 200
    # Leave that was given for the model's file is none for a nearer one.
    mac = MacAddress(T46S)
    await apply_text(stocked, devices_level(mac, OLD))
    assert await told(stocked, running, "66.87.0.1") is None
    await apply_text(stocked, devices_level(mac, OLD, ", firmware_downgrade: true"))
    assert (await told(stocked, running, "66.87.0.1") or "").endswith(OLD)


def devices_level(mac: MacAddress, firmware: str, more: str = "") -> str:
    """The sample company's phones, one of which shall have a firmware of its own."""
    others = ("00:15:65:31:4b:c0", "00:15:65:4a:a9:37", "24:9a:d8:00:00:54", "00:15:65:93:70:f2")
    rows = "\n".join(f'      - {{mac: "{other}"}}' for other in others)
    own = f'      - {{mac: "{mac}", phone: {{firmware: {firmware}{more}}}}}'
    return f"customers:\n  - login: nowyklienttestowy\n    devices:\n{own}\n{rows}\n"


async def test_a_file_that_is_not_as_it_was_added_is_served_to_nobody(
    stocked: Installation, running: Running
):
    await settled(stocked, running, T46S, "66.81.0.25")
    path = f"/{await service_of(stocked, T46S)}/firmware/{NEW}"
    file = stocked.firmware_dir / NEW
    file.write_bytes(rom(NEW)[:-1])
    assert (await ask(running, path)).status == 404
    file.unlink()
    assert (await ask(running, path)).status == 404
    await put_firmware(stocked, NEW)
    assert (await ask(running, path)).body == rom(NEW)


async def test_a_firmware_that_is_removed_is_served_no_more(stocked: Installation, running: Running):
    await settled(stocked, running, T46S, "66.81.0.25")
    await apply_text(stocked, model_level(OLD))
    await remove_firmware(stocked, NEW, COMMAND_LINE)
    assert (await ask(running, f"/{await service_of(stocked, T46S)}/firmware/{NEW}")).status == 404
    assert not (stocked.firmware_dir / NEW).exists()


async def test_no_token_stands_in_a_trace_of_a_download(stocked: Installation, running: Running):
    await settled(stocked, running, T46S, "66.81.0.25")
    service = await service_of(stocked, T46S)
    await ask(running, f"/{service}/firmware/{NEW}")
    details = await show_device(stocked, MacAddress(T46S))
    assert not any(re.search(service, str(request)) for request in details.requests)
