"""What a .cfg value may hold, and secrets that stand in a file by reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from phone_templates.errors import PhoneTemplatesError

CLEARED: Final = "%NULL%"
"With this value a phone empties the setting; no text of a person may say so by accident."

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REFERENCE = re.compile("\x02([^\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+)\x03")


class UnsafeValue(PhoneTemplatesError):
    """A value that a .cfg line can't hold as it is meant: the format has no escaping."""

    code = "unsafe-value"


class UnknownSecret(PhoneTemplatesError):
    """A file refers to a secret that was not handed to `fill`."""

    code = "unknown-secret"

    def __init__(self, ref: str) -> None:
        super().__init__(f"the file needs the secret {ref!r}, which is not there")
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name. Its value comes in when the file is served, so no stored text holds it."""

    ref: str
    "Such as `line/48223809887/password@3`; no blanks, no control characters."

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(_marked(self)):
            raise UnsafeValue(f"{self.ref!r} can't name a secret: no blanks and no control characters")


@dataclass(frozen=True, slots=True)
class Joined:
    """A value put together from texts and secrets, such as `admin:` and a password."""

    parts: tuple[str | Secret, ...]


Text = str | Secret | Joined


def joined(*texts: Text) -> Joined:
    """`texts` one after the other, as one value."""
    parts: list[str | Secret] = []
    for text in texts:
        parts += text.parts if isinstance(text, Joined) else [text]
    return Joined(tuple(parts))


def cfg_value(value: object) -> str:
    """`value` as a Yealink .cfg holds it, secrets as references that no text of a person can forge.

    Raises `UnsafeValue` for what would not come back as it was meant: control characters, line and
    paragraph separators, surrogates, outer blanks, an empty text, the phone's word for "clear".
    """
    text = "".join(_part(part) for part in value.parts) if isinstance(value, Joined) else _part(value)
    if text == CLEARED:
        raise UnsafeValue(f"{CLEARED} would clear the setting on the phone; leave the field out instead")
    return checked(text)


def checked(content: str) -> str:
    """`content`, a value that may hold references, if a .cfg line can hold it. Raises `UnsafeValue`."""
    bare = _REFERENCE.sub("", content)
    if found := _UNSAFE.search(bare):
        raise UnsafeValue(
            f"a phone's setting can't hold the control character U+{ord(found[0]):04X}: remove it"
        )
    if not content:
        raise UnsafeValue("a phone's setting can't be empty: leave it out instead")
    if content != content.strip():
        raise UnsafeValue("a phone's setting can't begin or end with a blank: remove it")
    return content


def fill(content: str, secrets: Mapping[str, str]) -> str:
    """The exact text of a file: `content` with each reference replaced by its secret.

    Raises `UnknownSecret`, and `UnsafeValue` for a secret that a .cfg line can't hold.
    """

    def value(found: re.Match[str]) -> str:
        ref = found[1]
        try:
            secret = secrets[ref]
        except KeyError:
            raise UnknownSecret(ref) from None
        # A secret is text like any other: a reference inside it would be a forgery.
        return cfg_value(secret)

    return _REFERENCE.sub(value, content)


def references(content: str) -> frozenset[str]:
    """The names of the secrets that `content` refers to."""
    return frozenset(found[1] for found in _REFERENCE.finditer(content))


def masked(content: str) -> str:
    """`content` for people: «line/48223809887/password@3» where the secret would stand."""
    return _REFERENCE.sub("«\\1»", content)


def _part(value: object) -> str:
    if isinstance(value, Secret):
        return _marked(value)
    if value is None:
        raise UnsafeValue("a phone's setting can't be None: leave it out instead")
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if found := _UNSAFE.search(text):
        raise UnsafeValue(
            f"a phone's setting can't hold the control character U+{ord(found[0]):04X}: remove it"
        )
    return text


def _marked(secret: Secret) -> str:
    return f"\x02{secret.ref}\x03"
