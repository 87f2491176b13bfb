"""The one writer and the one parser of Yealink's .cfg text.

The format: `name = value`, one a line, unquoted, UTF-8; a line that begins with `#` is a comment, and inside
a value `#`, `;` and `=` are literal. Nothing is escaped, so a value that the line can't hold is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import checked

VERSION_LINE: Final = "#!version:1.0.0.1"
"The first line of every file; phones refuse a file without it."

REPEATABLE: Final = frozenset({"security.user_password", "static.security.user_password"})
"Names that may stand more than once: a line for each user of the phone's own pages."

FIRMWARE_SECTION: Final = "[ firmware ]"
"""The one section that a file of V70 and later may end with: the VP530 looks there for its firmware.

What stands behind it is no parameter, and its names are of the section alone.
"""

_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


class BadCfg(PhoneTemplatesError):
    """A text that is not .cfg as V70 and later read it; the message begins with the line's number."""

    code = "bad-cfg"

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


class BadName(PhoneTemplatesError):
    """A name that no file may hold, or may hold only once."""

    code = "bad-name"


def parse(text: str) -> list[tuple[str, str]]:
    """The settings of `text` in order, to its end or the firmware section; LF and CRLF are both read.

    Comments and blank lines are skipped.

    References to secrets stay as they are. Raises `BadCfg`.
    """
    settings: list[tuple[str, str]] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").strip(" \t")
        if not line or line.startswith("#"):
            continue
        if line == FIRMWARE_SECTION and settings:
            break
        name, equals, value = line.partition("=")
        name = name.rstrip(" \t")
        if line.startswith("["):
            raise BadCfg(number, "sections belong to firmware older than V70, which is not written here")
        if not equals:
            raise BadCfg(number, "no '=' between a name and a value")
        if not _NAME.fullmatch(name):
            raise BadCfg(number, f"{name!r} is not a parameter's name")
        settings.append((name, value.lstrip(" \t")))
    return settings


def firmware_section(entries: Iterable[tuple[str, str]]) -> str:
    """The section of `entries`, which goes to the end of a file. Raises `UnsafeValue`."""
    return "\n".join([FIRMWARE_SECTION, *(f"{name} = {checked(value)}" for name, value in entries)]) + "\n"


def write(settings: Iterable[tuple[str, str]]) -> str:
    """The file that holds `settings` in their order, LF line ends. Values may hold references to secrets.

    Raises `UnsafeValue` for a value that a line can't hold, and `BadName` for a bad or repeated name.
    """
    lines = [VERSION_LINE]
    seen = set()
    for name, value in settings:
        if not _NAME.fullmatch(name):
            raise BadName(f"{name!r} is not a parameter's name")
        if name in seen and name not in REPEATABLE:
            raise BadName(f"{name} stands twice: a phone would keep only one of the two")
        seen.add(name)
        lines.append(f"{name} = {checked(value)}")
    return "\n".join(lines) + "\n"
