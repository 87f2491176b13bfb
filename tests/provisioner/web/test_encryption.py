"""Encrypted files over real HTTP, with phones that decrypt and with the openssl command beside them."""

from __future__ import annotations

import pytest

from phone_templates.yealink.boot import BootMachine, Outcome
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE, Actor, Role
from provisioner.centrex.errors import Conflict, Forbidden, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import device_files, encryption
from provisioner.operations.encryption import State
from provisioner.operations.installation import Installation
from provisioner.phones.render import DeviceFile
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    PHONE,
    STRANGER,
    T46G,
    T46S,
    T54W,
    VP530P,
    alarms,
    ask,
    booted,
    claim,
    phone,
    release,
    settled,
    token_of,
)
from tests.provisioner.web.encrypting import (
    LOGIN,
    VERSION,
    by_openssl,
    rotate,
    standing,
    tokens_of,
    turn,
)

PHONES = [
    pytest.param(VP530P, None, id="V70"),
    pytest.param(T46G, "28.80.0.5", id="V80"),
    pytest.param(T46S, "66.81.0.10", id="V81"),
    pytest.param(T54W, "96.86.0.10", id="V86"),
]
BY_PHONE = pytest.mark.parametrize(("mac", "firmware"), PHONES)
BOOT_MODE = f"customers: [{{login: {LOGIN}, phone: {{boot_mode: true}}}}]"


async def works(machine: BootMachine) -> None:
    """It boots twice: once with what it has, once with what it was told."""
    for _ in range(2):
        done = (await booted(machine)).done
        assert done.outcome in (Outcome.APPLIED, Outcome.UNCHANGED), done


async def is_encrypted_for(
    installation: Installation, running: Running, machine: BootMachine, *, encrypted: bool
) -> None:
    """What it gets at its own address is what it should have, and openssl reads it with its key."""
    ((token, key),) = await tokens_of(installation, machine.mac)
    assert machine.stored_url == f"{running.provisioning_url}/{token}/"
    assert machine.memory.file_key() == key
    for name, file in ((f"{machine.mac}.cfg", DeviceFile.MAC), (machine.model.model_file, DeviceFile.MODEL)):
        reply = await ask(running, f"/{token}/{name}")
        text = (await device_files.render_device(installation, MacAddress(machine.mac), file)).encode()
        assert reply.status == 200
        if not encrypted:
            assert (reply.body, key) == (text, None)
            continue
        assert key is not None
        assert len(key) == (32 if machine.firmware.split(".")[1] == "86" else 16)
        assert b"version" not in reply.body
        assert by_openssl(reply.body, key).rstrip(b"\n") == text.rstrip(b"\n")


@BY_PHONE
async def test_a_phone_boots_through_on_two_rotations_and_off(
    sample: Installation, running: Running, mac: str, firmware: str | None
):
    machine = await settled(sample, running, mac, firmware)
    await is_encrypted_for(sample, running, machine, encrypted=False)
    await turn(sample, True)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    first = machine.memory.file_key()
    await rotate(sample)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    assert machine.memory.file_key() != first
    await turn(sample, False)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=False)
    assert not [name for name in machine.memory.settings if "aes_key" in name and "in_file" not in name]


@BY_PHONE
async def test_a_phone_that_was_off_meanwhile_finds_its_way(
    sample: Installation, running: Running, mac: str, firmware: str | None
):
    machine = await settled(sample, running, mac, firmware)
    await turn(sample, True)
    for _ in range(2):
        await rotate(sample)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    for _ in range(2):
        await rotate(sample)
    await turn(sample, False)
    await turn(sample, True)
    await rotate(sample)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)


@BY_PHONE
async def test_a_phone_that_was_told_and_never_used_it_is_told_again(
    sample: Installation, running: Running, mac: str, firmware: str | None
):
    machine = await settled(sample, running, mac, firmware)
    await turn(sample, True)
    await works(machine)
    for _ in range(3):
        await rotate(sample)
        assert (await booted(machine)).done.outcome is Outcome.APPLIED
        assert (await standing(sample, mac)).state is State.CHANGING
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    phone_key = await standing(sample, mac)
    assert (phone_key.state, phone_key.key, phone_key.told) == (State.ENCRYPTED, 4, 4)


@BY_PHONE
async def test_the_first_file_of_all_is_plain_and_the_next_is_not(
    sample: Installation, running: Running, mac: str, firmware: str | None
):
    await turn(sample, True)
    await claim(sample, mac)
    machine = phone(running, mac, firmware)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    machine.factory_reset()
    await claim(sample, mac)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_boot_files_stay_plain_and_what_they_name_does_not(sample: Installation, running: Running):
    await apply_text(sample, BOOT_MODE)
    machine = await settled(sample, running, T54W, "96.86.0.10")
    await turn(sample, True)
    await works(machine)
    await rotate(sample)
    await works(machine)
    token = await token_of(sample, T54W)
    assert (await ask(running, f"/{token}/{T54W}.boot")).body.startswith(VERSION)
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_a_phone_that_logs_in_gets_its_files_in_the_key_of_its_password(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46S, "66.86.0.15")
    await apply_text(sample, f"customers: [{{login: {LOGIN}, phone: {{http_auth: true, encryption: true}}}}]")
    await works(machine)
    assert machine.stored_url == f"{running.provisioning_url}/auth/"
    for _ in range(2):
        await rotate(sample)
        await works(machine)
    ((_, key),) = await tokens_of(sample, T46S)
    assert machine.memory.file_key() == key


async def test_new_firmware_spells_the_same_key_otherwise(sample: Installation, running: Running):
    machine = await settled(sample, running, T46G, "28.80.0.5")
    await turn(sample, True)
    await works(machine)
    key = machine.memory.file_key()
    machine.install("28.81.0.1")
    await works(machine)
    assert machine.memory.file_key() == key
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_new_firmware_that_takes_a_longer_key_is_told_it_under_the_shorter(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46S, "66.81.0.10")
    await turn(sample, True)
    await works(machine)
    short = machine.memory.file_key()
    machine.install("66.86.0.15")
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    machine.install("66.81.0.10")
    await works(machine)
    assert machine.memory.file_key() == short
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_an_answer_under_another_key_has_another_tag(sample: Installation, running: Running):
    await settled(sample, running, T46S, "66.86.0.15")
    await turn(sample, True)
    await rotate(sample)
    (old, none), (middle, _), (new, _) = await tokens_of(sample, T46S)
    assert none is None
    tags = {(await ask(running, f"/{token}/{T46S}.cfg")).header("ETag") for token in (old, middle, new)}
    assert len(tags) == 3
    tag = (await ask(running, f"/{new}/{T46S}.cfg")).header("ETag")
    again = await ask(running, f"/{new}/{T46S}.cfg", headers={"If-None-Match": tag or ""})
    assert again.status == 304


async def test_encrypted_files_pass_clear_text_where_plain_ones_may_not(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46S, "66.86.0.15")
    await turn(sample, True)
    security = sample.settings.security.model_copy(update={"clear_text_networks": ("192.0.2.0/24",)})
    sample.settings.__dict__["security"] = security
    ((plain, _), (new, key)) = await tokens_of(sample, T46S)
    assert (await ask(running, f"/{plain}/{T46S}.cfg")).status == 404, "a key may not be told in clear text"
    assert key is not None
    reply = await ask(running, f"/{new}/{T46S}.cfg")
    assert by_openssl(reply.body, key).startswith(VERSION)
    kept = await ask(running, f"/{new}/{T46S}.cfg")
    assert kept.body == reply.body
    await rotate(sample)
    machine.memory.settings["static.auto_provision.server.url"] = f"{running.provisioning_url}/{new}/"
    machine.memory.settings["static.auto_provision.aes_key.mac"] = key
    machine.memory.settings["static.auto_provision.aes_key.com"] = key
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_a_released_phone_is_out_and_a_claim_lets_it_in_again(sample: Installation, running: Running):
    machine = await settled(sample, running, T46S, "66.86.0.15")
    await turn(sample, True)
    await works(machine)
    await release(sample, T46S)
    await rotate(sample)
    assert (await booted(machine)).done.outcome is Outcome.NOTHING_FOUND
    await claim(sample, T46S)
    machine.factory_reset()
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_a_raced_window_tells_that_the_key_was_seen(sample: Installation, running: Running):
    await turn(sample, True)
    await claim(sample, T46S)
    for source in (PHONE, STRANGER):
        await ask(running, f"/{T46S}.cfg", source=source)
    (alarm,) = await alarms(sample)
    assert "encryption rotate" in alarm.text


async def test_a_roll_back_keeps_what_the_data_say_of_encryption(sample: Installation, running: Running):
    machine = await settled(sample, running, T46S, "66.86.0.15")
    mac = MacAddress(T46S)
    await turn(sample, True)
    await works(machine)
    await device_files.roll_back(sample, mac, 1, COMMAND_LINE)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    await rotate(sample)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)
    await turn(sample, False)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=False)
    await device_files.roll_back(sample, mac, None, COMMAND_LINE)
    await turn(sample, True)
    await works(machine)
    await is_encrypted_for(sample, running, machine, encrypted=True)


async def test_a_rotation_touches_those_phones_alone_that_are_encrypted(sample: Installation):
    await turn(sample, True)
    rotated = await rotate(sample)
    assert rotated.version == 2
    assert len({file.owner for file in rotated.files}) == 5
    await turn(sample, False)
    assert (await rotate(sample)).files == ()


async def test_nobody_rotates_what_is_not_there_or_not_theirs(sample: Installation):
    with pytest.raises(Conflict, match="no keys yet"):
        await rotate(sample)
    with pytest.raises(NotFound, match="nobody"):
        await encryption.rotate(sample, "nobody", COMMAND_LINE)
    with pytest.raises(NotFound, match="nobody"):
        await encryption.show(sample, "nobody")
    with pytest.raises(Forbidden):
        await encryption.rotate(sample, LOGIN, Actor("x", Role.TECHNICIAN))
