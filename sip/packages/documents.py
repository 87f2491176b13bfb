"""XML as phones read it."""

from __future__ import annotations

import hashlib

from lxml import etree


def written(root: etree._Element) -> bytes:
    """The document."""
    # By hand, for its double quotes: there are phones that don't parse XML but search in it.
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="UTF-8") + b"\n"


def printable(text: str) -> str:
    """`text` as XML can hold it: names come from strangers."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def identifier(*parts: object) -> str:
    """The same for the same `parts` in each document, and as it may stand in an attribute."""
    return hashlib.blake2s(repr(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
