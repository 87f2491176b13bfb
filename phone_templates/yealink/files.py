"""The names of the files that a phone asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

COMMON_BOOT_FILE = "y000000000000.boot"
"The boot file of every phone that has none of its own. `y000000000000.cfg` is the T28P's model file."

_MAC = (
    r"(?P<mac>[0-9a-f]{12}"
    r"|[0-9a-f]{2}(?P<by>[:._-])[0-9a-f]{2}(?:(?P=by)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{4}(?P<by4>[:._-])[0-9a-f]{4}(?P=by4)[0-9a-f]{4})"
)
_OF_A_PHONE = re.compile(
    _MAC + r"(?P<rest>\.boot|\.cfg|-local\.cfg|-contact\.xml|-calllog\.xml|-(?:sys|boot)\.log)"
)
_OF_A_MODEL = re.compile(r"y(?P<number>[0-9]{12})\.cfg")
_LONGEST = 60


class FileKind(StrEnum):
    """What a file is for."""

    BOOT = "boot"
    "One phone's boot file."
    COMMON_BOOT = "common_boot"
    MODEL = "model"
    MAC = "mac"
    "One phone's configuration."
    LOCAL = "local"
    "What its user changed on the phone."
    CONTACTS = "contacts"
    CALL_LOG = "call_log"
    LOG = "log"
    UNKNOWN = "unknown"


_KINDS = {
    ".boot": FileKind.BOOT,
    ".cfg": FileKind.MAC,
    "-local.cfg": FileKind.LOCAL,
    "-contact.xml": FileKind.CONTACTS,
    "-calllog.xml": FileKind.CALL_LOG,
    "-sys.log": FileKind.LOG,
    "-boot.log": FileKind.LOG,
}


@dataclass(frozen=True, slots=True)
class FileName:
    """A file name, understood."""

    kind: FileKind
    mac: str | None = None
    "Twelve lower-case hex digits, where the name has a MAC address in it, however spelled."
    cfg_number: int | None = None
    "Of a model file."
    name: str = ""
    "As phones spell it: lower case, the MAC address without separators. Empty where unknown."


def classify(file_name: str) -> FileName:
    """What a phone wants that asks for `file_name`, in any case and MAC spelling."""
    name = file_name.lower()
    if len(name) > _LONGEST:
        return FileName(FileKind.UNKNOWN)
    if name == COMMON_BOOT_FILE:
        return FileName(FileKind.COMMON_BOOT, name=name)
    if found := _OF_A_MODEL.fullmatch(name):
        return FileName(FileKind.MODEL, cfg_number=int(found["number"]), name=name)
    if found := _OF_A_PHONE.fullmatch(name):
        mac = re.sub(r"[:._-]", "", found["mac"])
        return FileName(_KINDS[found["rest"]], mac=mac, name=mac + found["rest"])
    return FileName(FileKind.UNKNOWN)


def model_file_name(cfg_number: int) -> str:
    """The file of all phones of a model: `y` and exactly twelve digits; thirteen is a known mistake."""
    return f"y{cfg_number:012d}.cfg"
