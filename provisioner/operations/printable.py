"""What strangers and phones say of themselves, made fit for a database and a terminal."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with a question mark for what no database or terminal should get."""
    return _UNPRINTABLE.sub("?", text)
