"""What holds for every regular expression that reads what strangers send."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

import sip.message
from sip import auth_header

POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9,]+\})\+")
MODULES = [
    auth_header,
    *(import_module(f"sip.message.{each.name}") for each in iter_modules(sip.message.__path__)),
]
PATTERNS = {
    f"{module.__name__}.{name}": value.pattern
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_no_group_is_possessive(pattern):
    # Python before 3.11.5, and so that of Debian 12, loses its place where such a group fails: it took
    # unterminated quotes for whole ones, and refused good URIs.
    assert not POSSESSIVE_GROUP.search(pattern)
