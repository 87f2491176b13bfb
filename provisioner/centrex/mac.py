"""A MAC address: it selects a phone, it never authorises one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisioner.centrex.errors import BadValue

_HEX = re.compile(r"[0-9a-f]{12}")
_SEPARATED = re.compile(
    r"[0-9a-f]{2}([:.\-_ ]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}([.:\-])[0-9a-f]{4}\2[0-9a-f]{4}"
)


@dataclass(frozen=True, slots=True, order=True)
class MacAddress:
    """One phone's MAC address."""

    hex: str
    "Twelve lower-case hex digits, as the phone's file names spell it."

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise BadValue(f"{self.hex!r} is not a MAC address: it has twelve hex digits")

    @classmethod
    def parse(cls, text: str) -> MacAddress:
        """The address in any spelling that labels, spreadsheets and phones use.

        Colons, hyphens, dots (also Cisco's 0015.654a.a937), blanks or nothing; any case.
        Raises `BadValue` for anything else, multicast and all-zero addresses.
        """
        spelled = text.strip().lower()
        if not _SEPARATED.fullmatch(spelled):
            raise BadValue(f"{text.strip()[:40]!r} is not a MAC address: write it like 00:15:65:4a:a9:37")
        digits = re.sub(r"[^0-9a-f]", "", spelled)
        if int(digits[:2], 16) & 1 or digits == "0" * 12:
            raise BadValue(f"{text.strip()!r} can't be a phone's MAC address: it is a group or empty address")
        return cls(digits)

    def __str__(self) -> str:
        return ":".join(self.hex[i : i + 2] for i in range(0, 12, 2))
