"""The boot file as phones since V81 read it: which configuration files to fetch."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from phone_templates.cfg import VERSION_LINE
from phone_templates.errors import PhoneTemplatesError

_LINE = re.compile(
    r"(?:\[(?P<models>[^\]]*)\]\s*)?include:config\s*(?:<(?P<angle>[^<>]+)>|\"(?P<quoted>[^\"]+)\")"
)
_OVERWRITE = re.compile(r"overwrite_mode\s*=\s*(?P<mode>[01])")
_MOST_INCLUDES = 30


class BadBootFile(PhoneTemplatesError):
    """A boot file that a phone can't read; the message begins with the line's number."""

    code = "bad-boot-file"

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


@dataclass(frozen=True, slots=True)
class BootFile:
    """What one phone makes of a boot file."""

    includes: tuple[str, ...]
    "Files to fetch, in order; relative to the boot file, or whole URLs. Later ones win."
    overwrite: bool
    "Whether settings that are blank or gone return to their defaults, `static.` ones excepted."


def parse_boot_file(text: str, names: Collection[str]) -> BootFile:
    """What a phone that goes by `names` reads in the boot file. Raises `BadBootFile`.

    Lines that only other models read are skipped.
    """
    lines = text.split("\n")
    if lines[0].rstrip("\r") != VERSION_LINE:
        raise BadBootFile(1, f"the first line must be {VERSION_LINE}")
    own = {name.upper() for name in names}
    includes: list[str] = []
    overwrite = False
    for number, raw in enumerate(lines[1:], start=2):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if found := _OVERWRITE.fullmatch(line):
            overwrite = found["mode"] == "1"
        elif found := _LINE.fullmatch(line):
            models = found["models"]
            if models is None or own & {name.strip().upper() for name in models.split(",")}:
                includes.append(found["angle"] or found["quoted"])
        else:
            raise BadBootFile(number, f"{line[:60]!r} is neither an include nor overwrite_mode")
    if len(includes) > _MOST_INCLUDES:
        raise BadBootFile(len(lines), f"more than {_MOST_INCLUDES} files to fetch")
    return BootFile(tuple(includes), overwrite)
