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
from phone_templates.values import Secret
from phone_templates.yealink.models import find_model
from phone_templates.yealink.parameters import catalogue
from provisioner.phones.encrypt import (
    BadAesKey,
    check_key,
    encrypted,
    fresh_key,
    key_lengths,
    key_settings,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "yealink" / "aes_vectors.json"
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


def decrypted(openssl: str, data: bytes, key: str, *options: str) -> bytes:
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
    taken_off = decrypted(openssl, data, key)
    left = decrypted(openssl, data, key, "-nopad")
    for read in (taken_off, left):
        assert read.startswith(text)
        assert set(read[len(text) :]) <= {ord("\n")}
    assert left == taken_off + b"\n" * 10


def test_the_other_key_reads_no_word_of_it(openssl: str):
    data = encrypted(b"account.1.password = a\n" * 20, "0123456789abcdef")
    assert b"account" not in decrypted(openssl, data, "0123456789abcdeg", "-nopad")


@given(text=st.binary(max_size=200))
def test_a_file_grows_by_less_than_two_blocks_into_whole_ones(text: bytes):
    data = encrypted(text, "0123456789abcdef")
    assert len(data) % 16 == 0
    assert 10 <= len(data) - len(text) <= 25


def test_a_key_may_hold_the_signs_that_the_vendor_allows():
    for place in range(0, len(SIGNS), 16):
        check_key(SIGNS[place : place + 16].ljust(16, "a"), OLD)


@pytest.mark.parametrize(
    "key",
    ["", "short", "0123456789abcde", "0123456789abcdefg", *(f"0123456789abcde{sign}" for sign in ' \n/&!"ę')],
)
def test_other_keys_are_refused_and_not_shown(key: str):
    for refusing in (lambda: check_key(key, NEW), lambda: encrypted(b"", key)):
        with pytest.raises(BadAesKey) as refused:
            refusing()
        assert not key or key not in str(refused.value)


@pytest.mark.parametrize("generation", Generation)
def test_a_long_key_is_for_generations_that_know_its_parameter(generation: Generation):
    assert key_lengths(generation) == ((16, 32) if generation.prefixes_static else (16,))
    if not generation.prefixes_static:
        with pytest.raises(BadAesKey, match="has 16 characters, not 32"):
            check_key("a" * 32, generation)
        with pytest.raises(BadAesKey, match="has 16 characters, not 32"):
            key_settings("a" * 32, 32, generation)


@pytest.mark.parametrize("generation", Generation)
def test_a_fresh_key_is_taken_and_never_the_same(generation: Generation):
    keys = {fresh_key(generation) for _ in range(50)}
    assert len(keys) == 50
    for key in keys:
        check_key(key, generation)
    assert {len(key) for key in keys} == {key_lengths(generation)[-1]}


@pytest.mark.parametrize(
    ("generation", "characters", "names"),
    [
        (Generation.V70, 16, ["auto_provision.aes_key_16.com", "auto_provision.aes_key_16.mac"]),
        (Generation.V80, 16, ["auto_provision.aes_key_16.com", "auto_provision.aes_key_16.mac"]),
        (
            Generation.V81,
            16,
            [
                "static.auto_provision.aes_key_in_file",
                "static.auto_provision.aes_key_16.com",
                "static.auto_provision.aes_key_16.mac",
            ],
        ),
        (
            Generation.V86,
            32,
            [
                "static.auto_provision.aes_key_in_file",
                "static.auto_provision.aes_key.com",
                "static.auto_provision.aes_key.mac",
            ],
        ),
    ],
)
def test_a_phone_is_told_its_key_in_the_words_of_its_generation(
    generation: Generation, characters: int, names: list[str]
):
    key = Secret("customer/firma/aes-key@1")
    said = key_settings(key, characters, generation)
    assert list(said) == names
    assert {value for name, value in said.items() if name.endswith((".com", ".mac"))} == {key}


@pytest.mark.parametrize(("model", "generation"), [("VP530P", OLD), ("T46S", Generation.V81), ("T54W", NEW)])
def test_the_phone_takes_what_it_is_told_of_its_key(model: str, generation: Generation):
    key = fresh_key(generation)
    for name, value in key_settings(key, len(key), generation).items():
        assert catalogue().check(name, value, generation, find_model(model)) == value


def test_a_decrypted_file_is_the_same_settings(openssl: str):
    said = [("account.1.label", "Zażółć"), ("account.1.enable", "1")]
    data = encrypted(cfg.write(said).encode("utf-8"), "0123456789abcdef")
    assert cfg.parse(decrypted(openssl, data, "0123456789abcdef", "-nopad").decode("utf-8")) == said
