"""The headers of a message in the form that pyVoIP can take in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sip.testcall import wording

_NAMES = {
    name.lower(): name
    for name in (
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Content-Length",
        "Content-Type",
        "Allow",
        "Supported",
        "WWW-Authenticate",
        "Authorization",
    )
} | {"proxy-authenticate": "WWW-Authenticate"}
"As pyVoIP spells them, for which it looks. A proxy's challenge (407) is read as a server's."


def readable(head: str) -> Mapping[str, str | list[str]]:
    """Each header once, its first value, but for Via, which has all; of challenges the first by MD5."""
    vias: list[str] = []
    found: dict[str, str | list[str]] = {"Via": vias}
    for name, value in wording.headers(head):
        known = _NAMES.get(name, name)
        if known == "Via":
            vias.append(value)
        elif known != "WWW-Authenticate" or _is_md5(value):
            found.setdefault(known, value)
    return found


def _is_md5(challenge: str) -> bool:
    algorithm = re.search(r'algorithm\s*=\s*"?([\w-]+)', challenge, re.IGNORECASE)
    return algorithm is None or algorithm.group(1).upper() == "MD5"
