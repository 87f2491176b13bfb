"""Addresses: what is remembered of one message is read into the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.message.address import Contact, NameAddress
from sip.message.errors import BadHeader, BadUri

PIECES = (
    *'<>";=\\ ,a',
    "tag",
    "sip:a@b",
    "<sip:a@b>",
    '"x>"',
    ";tag=1",
    ">;a=b",
)


def outcome(read, text: str) -> object:
    try:
        return read(text)
    except (BadHeader, BadUri) as error:
        return type(error)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_an_address_read_by_halves_is_the_address_read_as_a_whole(text):
    for kind in (NameAddress, Contact):
        assert outcome(kind.parse, text) == outcome(kind._read, text)


@pytest.mark.parametrize(
    "text", ['"Ann" <sip:a@b>;tag=1', "<sip:a@b>;a=<b>;tag=1", '<sip:a@b>;a=">";tag=1', "sip:a@b;tag=1"]
)
def test_the_tag_is_found_whatever_stands_before_it(text):
    assert NameAddress.parse(text).tag == "1"
