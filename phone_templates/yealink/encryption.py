"""A phone's files, encrypted with a key that the phone already has.

The vendor's format: the whole file in AES, electronic codebook mode, AES-128 with a key of 16 characters and
AES-256 with one of 32. It has no nonce and no check sum, so it hides a file and proves nothing about it; and
the vendor's own default keys are public, so it hides nothing from anybody before a key of our own is set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.spec import FileKey
from phone_templates.values import Text
from phone_templates.yealink.dialect import full_name
from phone_templates.yealink.parameters import catalogue

KEY_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:=?@[]^_{}~"
"What a key may be made of; its bytes are used as they are."
AES_128, AES_256 = 16, 32
"Characters of a key."

_KEY: Final = re.compile(f"[{re.escape(KEY_SIGNS)}]*")
_FAMILIES: Final = {AES_128: "aes_key_16", AES_256: "aes_key"}
_BLOCK = 16
_PADDING = 10


class BadAesKey(PhoneTemplatesError):
    """What can't be a key for a phone's files. The message never shows it."""

    code = "bad-aes-key"


class NotEncrypted(PhoneTemplatesError):
    """Data that can't have been encrypted: not whole blocks."""

    code = "not-encrypted"


def encrypted(text: bytes, key: str) -> bytes:
    """The file `text` as a phone decrypts it that has `key`. Raises `BadAesKey`.

    Tools differ in whether they pad as PKCS #7 says (RFC 5652 §6.3) or fill the last block up, and so do
    phones in what they take off. Ten line feeds at the end of the last block are both: the padding of that
    length, and empty lines.
    """
    encryptor = _cipher(key).encryptor()
    padded = text + b"\n" * ((_BLOCK - _PADDING - len(text)) % _BLOCK + _PADDING)
    return encryptor.update(padded) + encryptor.finalize()


def decrypted(data: bytes, key: str) -> bytes:
    """What a phone with `key` reads; with another key than the file's, noise. Padding is left on.

    Raises `BadAesKey` and `NotEncrypted`.
    """
    decryptor = _cipher(key).decryptor()
    if len(data) % _BLOCK:
        raise NotEncrypted(f"{len(data)} bytes are not whole blocks of {_BLOCK}")
    return decryptor.update(data) + decryptor.finalize()


def key_length(generation: Generation) -> int:
    """How many characters the keys of a generation have.

    A phone that passes over the parameter of its key, and not the new address in the same file, would be
    locked out. All templates for V81 and older say `aes_key_16`; the long key's parameter is the guides' of
    the newer firmware, so only the newest generation is trusted with it.
    """
    return AES_256 if generation is Generation.V86 else AES_128


@dataclass(frozen=True, slots=True)
class KeySetting:
    """One parameter of a phone's file, its name without `static.`."""

    name: str
    value: Text | None
    "None clears it."


def key_settings(key: FileKey | None, generation: Generation) -> tuple[KeySetting, ...]:
    """What tells a phone `key` for its model file and its MAC file, or to forget every key that it has.

    It takes effect for the files that the phone fetches next: the file that says it is encrypted with the key
    before it, or not at all. Raises `BadAesKey` where the generation takes no key of that length.
    """
    if key is not None and key.characters != key_length(generation):
        raise BadAesKey(
            f"a key for firmware {generation} has {key_length(generation)} characters, not {key.characters}"
        )
    said = []
    # Without it a phone may look for an encrypted key beside the file, which nobody serves.
    if _knows("aes_key_in_file", generation):
        said.append(KeySetting("auto_provision.aes_key_in_file", "0"))
    # A key of the other length, from firmware that it had before, goes first: should the two be one setting
    # under two names, the last word counts.
    for characters in (AES_256, AES_128) if key_length(generation) == AES_128 else (AES_128, AES_256):
        family = _FAMILIES[characters]
        if _knows(f"{family}.mac", generation):
            value = key.value if key is not None and characters == key.characters else None
            said += [KeySetting(f"auto_provision.{family}.{file}", value) for file in ("com", "mac")]
    return tuple(said)


def _cipher(key: str) -> Cipher[ECB]:
    if not _KEY.fullmatch(key):
        raise BadAesKey(
            "an AES key may hold letters without accents, digits and"
            " # $ % * + , - . : = ? @ [ ] ^ _ { } ~ only"
        )
    if len(key) not in _FAMILIES:
        raise BadAesKey(f"an AES key has {AES_128} or {AES_256} characters, not {len(key)}")
    # Equal blocks look equal: the vendor's format knows no other mode.
    return Cipher(AES(key.encode("ascii")), ECB())  # noqa: S305


def _knows(name: str, generation: Generation) -> bool:
    parameter = catalogue().find(full_name(f"auto_provision.{name}", generation), generation)
    return parameter is not None and parameter.trusted
