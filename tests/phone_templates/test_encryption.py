"""Encrypted files: the vendor's format, another program's vectors, and OpenSSL as the phone."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.spec import FileKey
from phone_templates.values import CLEARED, Secret
from phone_templates.yealink.dialect import full_name
from phone_templates.yealink.encryption import (
    KEY_SIGNS,
    BadAesKey,
    NotEncrypted,
    decrypted,
    encrypted,
    key_length,
    key_settings,
)
from phone_templates.yealink.models import find_model
from phone_templates.yealink.parameters import catalogue

VECTORS = Path(__file__).parents[1] / "vectors" / "yealink" / "aes_vectors.json"
SIGNS = "#$%*+,-.:=?@[]^_{}~"
OLD, NEW = Generation.V70, Generation.V86


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def openssl() -> str:
    """The command. Without Debian's package its tests are skipped, but fail where `CI` is set."""
    found = shutil.which("openssl")
    if found is None:
        missing = "OpenSSL is not installed: apt install openssl"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def opened(openssl: str, data: bytes, key: str, *options: str) -> bytes:
    """What OpenSSL makes of `data`."""
    cipher = f"-aes-{len(key) * 8}-ecb"
    command = [openssl, "enc", "-d", cipher, "-K", key.encode("ascii").hex(), *options]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def test_a_file_is_the_published_vector_byte_for_byte(vectors: dict[str, Any]):
    plain, vector = bytes.fromhex(vectors["plain_hex"]), vectors["aes_128"]
    assert encrypted(plain, vector["key"]) == bytes.fromhex(vector["dual_safe_hex"])


@pytest.mark.parametrize("size", ["aes_128", "aes_256"])
def test_all_but_the_padding_is_as_another_program_encrypts_it(vectors: dict[str, Any], size: str):
    plain, vector = bytes.fromhex(vectors["plain_hex"]), vectors[size]
    if "pkcs7_hex" in vector:
        theirs = bytes.fromhex(vector["pkcs7_hex"])
    else:
        theirs = base64.b64decode(vector["pkcs7_base64"])
    whole_blocks = len(plain) // 16 * 16
    assert whole_blocks
    assert encrypted(plain, vector["key"])[:whole_blocks] == theirs[:whole_blocks]


@pytest.mark.parametrize("key", ["0123456789abcdef", "0123456789abcdefghijklmnopqrstuv"])
@pytest.mark.parametrize("length", [0, 1, 5, 6, 7, 15, 16, 17, 22, 7000])
def test_openssl_reads_the_same_settings_with_padding_taken_off_or_left(openssl: str, key: str, length: int):
    text = (b"account.1.enable = 1\n" * 400)[:length]
    data = encrypted(text, key)
    taken_off = opened(openssl, data, key)
    left = opened(openssl, data, key, "-nopad")
    for read in (taken_off, left):
        assert read.startswith(text)
        assert set(read[len(text) :]) <= {ord("\n")}
    assert left == taken_off + b"\n" * 10


def test_the_other_key_reads_no_word_of_it(openssl: str):
    data = encrypted(b"account.1.password = a\n" * 20, "0123456789abcdef")
    assert b"account" not in opened(openssl, data, "0123456789abcdeg", "-nopad")


@given(text=st.binary(max_size=200))
def test_a_file_grows_by_less_than_two_blocks_into_whole_ones(text: bytes):
    data = encrypted(text, "0123456789abcdef")
    assert len(data) % 16 == 0
    assert 10 <= len(data) - len(text) <= 25


def test_a_key_may_hold_the_signs_that_the_vendor_allows():
    for place in range(0, len(SIGNS), 16):
        key = SIGNS[place : place + 16].ljust(16, "a")
        assert decrypted(encrypted(b"x", key), key).startswith(b"x\n")
    assert set(SIGNS) < set(KEY_SIGNS)


@pytest.mark.parametrize(
    "key",
    ["", "short", "0123456789abcde", "0123456789abcdefg", *(f"0123456789abcde{sign}" for sign in ' \n/&!"ę')],
)
def test_other_keys_are_refused_and_not_shown(key: str):
    for refusing in (encrypted, decrypted):
        with pytest.raises(BadAesKey) as refused:
            refusing(b"", key)
        assert not key or key not in str(refused.value)


def test_what_is_not_whole_blocks_is_not_decrypted():
    with pytest.raises(NotEncrypted, match="17 bytes"):
        decrypted(b"x" * 17, "0123456789abcdef")


@given(text=st.binary(max_size=200), key=st.text(KEY_SIGNS, min_size=16, max_size=16))
def test_what_is_decrypted_is_what_was_encrypted_and_line_feeds(text: bytes, key: str):
    read = decrypted(encrypted(text, key), key)
    assert read.startswith(text)
    assert set(read[len(text) :]) == {ord("\n")}


@pytest.mark.parametrize("generation", Generation)
def test_a_key_of_another_length_than_the_generation_is_sure_to_take_is_refused(generation: Generation):
    other = 48 - key_length(generation)
    with pytest.raises(BadAesKey, match=f"has {48 - other} characters, not {other}"):
        key_settings(FileKey(other, "a" * other), generation)


def said(key: FileKey | None, generation: Generation) -> list[tuple[str, object]]:
    return [
        (full_name(each.name, generation), CLEARED if each.value is None else each.value)
        for each in key_settings(key, generation)
    ]


KEY = Secret("device/001565000001/encryption-key@1")
SHORT, LONG = "auto_provision.aes_key_16", "auto_provision.aes_key"
IN_FILE = ("static.auto_provision.aes_key_in_file", "0")


@pytest.mark.parametrize(
    ("generation", "told", "forgotten"),
    [
        *(
            (old, [(f"{SHORT}.com", KEY), (f"{SHORT}.mac", KEY)], [f"{SHORT}.com", f"{SHORT}.mac"])
            for old in (Generation.V70, Generation.V71, Generation.V80)
        ),
        (
            Generation.V81,
            [
                IN_FILE,
                (f"static.{LONG}.com", CLEARED),
                (f"static.{LONG}.mac", CLEARED),
                (f"static.{SHORT}.com", KEY),
                (f"static.{SHORT}.mac", KEY),
            ],
            [f"static.{LONG}.com", f"static.{LONG}.mac", f"static.{SHORT}.com", f"static.{SHORT}.mac"],
        ),
        (
            Generation.V86,
            [
                IN_FILE,
                (f"static.{SHORT}.com", CLEARED),
                (f"static.{SHORT}.mac", CLEARED),
                (f"static.{LONG}.com", KEY),
                (f"static.{LONG}.mac", KEY),
            ],
            [f"static.{SHORT}.com", f"static.{SHORT}.mac", f"static.{LONG}.com", f"static.{LONG}.mac"],
        ),
    ],
)
def test_a_phone_is_told_and_forgets_its_key_in_the_words_of_its_generation(
    generation: Generation, told: list[tuple[str, object]], forgotten: list[str]
):
    assert said(FileKey(key_length(generation), KEY), generation) == told
    nothing = [each for each in said(None, generation) if each != IN_FILE]
    assert nothing == [(name, CLEARED) for name in forgotten]


@pytest.mark.parametrize(
    ("model", "generation"),
    [("VP530P", OLD), ("T46G", Generation.V80), ("T46S", Generation.V81), ("T54W", NEW)],
)
def test_the_phone_takes_what_it_is_told_of_its_key(model: str, generation: Generation):
    key = FileKey(key_length(generation), "a#" * (key_length(generation) // 2))
    for name, value in said(key, generation):
        if value != CLEARED:
            assert catalogue().check(name, str(value), generation, find_model(model)) == value


def test_a_decrypted_file_is_the_same_settings(openssl: str):
    said = [("account.1.label", "Zażółć"), ("account.1.enable", "1")]
    data = encrypted(cfg.write(said).encode("utf-8"), "0123456789abcdef")
    assert cfg.parse(opened(openssl, data, "0123456789abcdef", "-nopad").decode("utf-8")) == said
