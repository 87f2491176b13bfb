"""A phone's files, encrypted with a key that the phone already has.

The vendor's format: the whole file in AES, electronic codebook mode, AES-128 with a key of 16 characters and
AES-256 with one of 32. It has no nonce and no check sum, so it hides a file and proves nothing about it; and
the vendor's own default keys are public, so it hides nothing from anybody before the customer's key is set.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from phone_templates.catalogue import Generation
from phone_templates.values import Text
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.errors import BadValue

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:=?@[]^_{}~"
_KEY: Final = re.compile(f"[{re.escape(_ALPHABET)}]*")
_SHORT, _LONG = 16, 32
"Characters of a key for AES-128 and AES-256: its bytes are used as they are."
_BLOCK = 16
_PADDING = 10


class BadAesKey(BadValue):
    """What can't be a key for a phone's files. The message never shows it."""

    code = "bad-aes-key"


def encrypted(text: bytes, key: str) -> bytes:
    """The file `text` as a phone decrypts it that has `key`. Raises `BadAesKey`.

    Tools differ in whether they pad as PKCS #7 says (RFC 5652 §6.3) or fill the last block up, and so do
    phones in what they take off. Ten line feeds at the end of the last block are both: the padding of that
    length, and empty lines.
    """
    _check_form(key)
    padded = text + b"\n" * ((_BLOCK - _PADDING - len(text)) % _BLOCK + _PADDING)
    # Equal blocks look equal: the vendor's format knows no other mode.
    encryptor = Cipher(AES(key.encode("ascii")), ECB()).encryptor()  # noqa: S305
    return encryptor.update(padded) + encryptor.finalize()


def fresh_key(generation: Generation) -> str:
    """A random key of the greatest length that the generation takes: 101 bits, or 202."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(key_lengths(generation)[-1]))


def key_lengths(generation: Generation) -> tuple[int, ...]:
    """How many characters a key may have, in order."""
    return (_SHORT, _LONG) if _knows("aes_key.mac", generation) else (_SHORT,)


def check_key(key: str, generation: Generation) -> None:
    """Raises `BadAesKey` for a key that phones of the generation don't take."""
    _check_form(key)
    _check_length(len(key), generation)


def key_settings(key: Text, characters: int, generation: Generation) -> Mapping[str, Text]:
    """The parameters that tell a phone `key`, of so many characters, for its model file and its MAC file.

    They take effect for the files that the phone fetches next; a file that says them is still encrypted with
    the key before it, or not at all. Raises `BadAesKey` where the generation takes no key of that length.
    """
    _check_length(characters, generation)
    family = "aes_key_16" if characters == _SHORT else "aes_key"
    said: dict[str, Text] = {}
    # Without it a phone looks for an encrypted key beside the file, which nobody serves.
    if _knows("aes_key_in_file", generation):
        said[_full("aes_key_in_file", generation)] = "0"
    said[_full(f"{family}.com", generation)] = key
    said[_full(f"{family}.mac", generation)] = key
    return said


def _check_form(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise BadAesKey(
            "an AES key holds letters without accents, digits and # $ % * + , - . : = ? @ [ ] ^ _ { } ~ only"
        )
    if len(key) not in (_SHORT, _LONG):
        raise BadAesKey(f"an AES key has {_SHORT} or {_LONG} characters, not {len(key)}")


def _check_length(characters: int, generation: Generation) -> None:
    lengths = key_lengths(generation)
    if characters not in lengths:
        may = " or ".join(map(str, lengths))
        raise BadAesKey(f"a key for firmware {generation} has {may} characters, not {characters}")


def _knows(name: str, generation: Generation) -> bool:
    parameter = catalogue().find(_full(name, generation), generation)
    return parameter is not None and parameter.trusted


def _full(name: str, generation: Generation) -> str:
    return f"{'static.' if generation.prefixes_static else ''}auto_provision.{name}"
