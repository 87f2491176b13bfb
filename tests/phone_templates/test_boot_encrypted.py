"""A phone with a key: what it decrypts, what it still takes plain, and its key under other firmware."""

from __future__ import annotations

import pytest

from phone_templates.yealink.boot import BootMachine, Done, Fetch, Outcome
from phone_templates.yealink.encryption import encrypted
from phone_templates.yealink.models import find_model

MAC = "0015654aa937"
SERVER = "http://dhcp.example/"
VERSION = "#!version:1.0.0.1\n"
SHORT, LONG, OTHER = "0123456789abcdef", "0123456789abcdefghijklmnopqrstuv", "fedcba9876543210"


def phone(model: str = "T46S", firmware: str | None = None) -> BootMachine:
    return BootMachine(MAC, find_model(model), firmware, dhcp_url=SERVER)


def boot(machine: BootMachine, files: dict[str, bytes]) -> Done:
    effects = machine.start()
    while isinstance(fetch := effects[-1], Fetch):
        body = files.get(fetch.url.rpartition("/")[2])
        effects = machine.answer(fetch.url, 404 if body is None else 200, body or b"")
    done = effects[-1]
    assert isinstance(done, Done)
    return done


def told(*settings: str) -> bytes:
    return (VERSION + "".join(f"{each}\n" for each in settings)).encode()


def keyed(machine: BootMachine, key: str) -> BootMachine:
    """The phone, told a key by a plain file."""
    name = "aes_key" if len(key) == 32 else "aes_key_16"
    start = "static." if machine.generation.prefixes_static else ""
    files = {f"{MAC}.cfg": told(*(f"{start}auto_provision.{name}.{each} = {key}" for each in ("com", "mac")))}
    assert boot(machine, files).outcome is Outcome.APPLIED
    return machine


@pytest.mark.parametrize(
    ("model", "firmware", "key"),
    [
        ("VP530P", None, SHORT),
        ("T23G", "44.80.0.5", SHORT),
        ("T46S", "66.81.0.1", SHORT),
        ("T46S", "66.86.0.15", LONG),
    ],
)
def test_a_phone_reads_both_files_with_its_key_and_plain_ones_as_before(
    model: str, firmware: str | None, key: str
):
    machine = keyed(phone(model, firmware), key)
    files = {
        machine.model.model_file: encrypted(told("lang.gui = English"), key),
        f"{MAC}.cfg": encrypted(told("lang.gui = Polish"), key),
    }
    assert boot(machine, files).outcome is Outcome.APPLIED
    assert machine.memory.settings["lang.gui"] == "Polish"
    assert boot(machine, {f"{MAC}.cfg": told("lang.gui = English")}).outcome is Outcome.APPLIED
    assert machine.memory.settings["lang.gui"] == "English"


@pytest.mark.parametrize("key", [None, OTHER])
def test_a_phone_without_the_key_takes_nothing_over(key: str | None):
    machine = phone(firmware="66.81.0.1")
    if key:
        keyed(machine, key)
    before = dict(machine.memory.settings)
    done = boot(machine, {f"{MAC}.cfg": encrypted(told("lang.gui = Polish"), SHORT)})
    assert done.outcome is Outcome.FAILED
    assert machine.memory.settings == before


def test_a_key_that_is_cleared_is_forgotten():
    machine = keyed(phone(firmware="66.81.0.1"), SHORT)
    clear = told(*(f"static.auto_provision.aes_key_16.{each} = %NULL%" for each in ("com", "mac")))
    boot(machine, {f"{MAC}.cfg": encrypted(clear, SHORT)})
    assert machine.memory.file_key() is machine.memory.file_key(for_own_file=False) is None


def test_other_firmware_takes_the_key_along_under_its_own_name():
    machine = keyed(phone("T46G", "28.80.0.1"), SHORT)
    assert machine.memory.settings["auto_provision.aes_key_16.mac"] == SHORT
    machine.install("28.81.0.1")
    assert machine.memory.settings["static.auto_provision.aes_key_16.mac"] == SHORT
    done = boot(machine, {f"{MAC}.cfg": encrypted(told("lang.gui = Polish"), SHORT)})
    assert done.outcome is Outcome.APPLIED
    assert "28.81.0.1" in machine.user_agent


def test_a_boot_file_is_plain_and_names_encrypted_files():
    machine = keyed(phone(firmware="66.86.0.15"), LONG)
    files = {
        f"{MAC}.boot": (VERSION + f'include:config "{MAC}.cfg"\noverwrite_mode = 1\n').encode(),
        f"{MAC}.cfg": encrypted(told("lang.gui = Polish"), LONG),
    }
    assert boot(machine, files).outcome is Outcome.APPLIED
    assert machine.memory.file_key() == LONG, "what has `static.` before it outlives overwrite_mode 1"


def test_a_phone_that_was_told_to_take_encrypted_files_only_refuses_plain_ones():
    machine = keyed(phone(firmware="66.86.0.15"), LONG)
    only = encrypted(told("static.auto_provision.update_file_mode = 1"), LONG)
    assert boot(machine, {f"{MAC}.cfg": only}).outcome is Outcome.APPLIED
    assert boot(machine, {f"{MAC}.cfg": told("lang.gui = Polish")}).outcome is Outcome.FAILED
