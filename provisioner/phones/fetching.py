"""The lines of a phone's own file that say where it fetches, as whom, and what it decrypts with.

They are one: a phone that took the address of one file and the key of another would be locked out. So a text
that stays while the data go on (rolled back, or not released yet) has these lines exchanged as a whole.
"""

from __future__ import annotations

import re

from phone_templates.yealink.encryption import AES_128, AES_256
from provisioner.centrex.secret_names import device_token, encryption_key

_LINE = re.compile(r"(static\.)?auto_provision\.(server\.[a-z]+|aes_key[a-z0-9_.]*) = ")
_KEY_LINE = re.compile(
    r"^(?:static\.)?auto_provision\.aes_key(?P<short>_16)?\.mac = \x02(?P<secret>[^@\x03]+)@[0-9]+\x03$", re.M
)


def key_said(text: str, mac_hex: str) -> int | None:
    """How many characters the key has that a phone's file tells it; None: it tells none."""
    found = _KEY_LINE.search(text)
    if found is None or found["secret"] != encryption_key(mac_hex):
        return None
    return AES_128 if found["short"] else AES_256


def rolled_back(kept: str, newest: str) -> str:
    """`kept` with the present way to fetch: an older text doesn't turn encryption off."""
    return _fetching_as(kept, newest)


def not_released(kept: str, newest: str, mac_hex: str) -> str:
    """`kept`, in today's words where both are encrypted; whether they are waits for the release, too."""
    both = key_said(kept, mac_hex) is not None and key_said(newest, mac_hex) is not None
    return _fetching_as(kept, newest) if both else kept


def bound_to(text: str, mac_hex: str, token_version: int, key_number: int | None) -> str:
    """`text` with the references that hand out a token of that version, and the key of that row."""
    text = _at(text, device_token(mac_hex), token_version)
    return text if key_number is None else _at(text, encryption_key(mac_hex), key_number)


def _at(text: str, secret: str, version: int) -> str:
    return re.sub(f"\x02{re.escape(secret)}@[0-9]+\x03", f"\x02{secret}@{version}\x03", text)


def _fetching_as(kept: str, newest: str) -> str:
    lines: list[str] = []
    todays = [line for line in newest.split("\n") if _LINE.match(line)]
    for line in kept.split("\n"):
        if not _LINE.match(line):
            lines.append(line)
        elif todays:
            lines += todays
            todays = []
    # A text without an address ends in an empty line, for the last line feed.
    return "\n".join([*lines[:-1], *todays, *lines[-1:]])
