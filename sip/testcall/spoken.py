"""The SIP messages of the test phones, as they went over their own sockets: for who wants to look closely.

No verdict is made of them. What would let somebody in, or listen, is blanked before it leaves the phones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.testcall import wording

LONGEST = 4_000
"Characters of a message; of a longer one its beginning is kept."
_BLANKED = "***"
_LEFT_OUT = frozenset({"REGISTER", "OPTIONS"})
"Methods of requests that go on whether anybody calls or not."
_SECRET_HEADER = re.compile(
    r"^((?:proxy-)?(?:authorization|authentication-info)[ \t]*:)[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.I | re.M
)
"With the lines that it is continued on (RFC 3261 §7.3.1)."
_SECRET_OF_SESSION = re.compile(r"^(a=(?:crypto|ice-pwd):)[^\r\n]*", re.I | re.M)
"Keys of the audio (RFC 4568, RFC 8839)."


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message that a phone has sent, or that came to it."""

    phone: str
    at: float
    came: bool
    text: str


def kept(text: str) -> str | None:
    """A message as it may be shown; None: it belongs to no call."""
    cseq = " ".join(wording.values(text, "CSeq")).split()
    if not cseq or cseq[-1] in _LEFT_OUT:
        return None
    shown = _SECRET_HEADER.sub(rf"\1 {_BLANKED}", text)
    return _SECRET_OF_SESSION.sub(rf"\1{_BLANKED}", shown)[:LONGEST]
