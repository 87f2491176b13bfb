"""Addresses, however oddly they are put together."""

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
def test_an_address_that_was_read_is_written_so_that_it_reads_the_same(text):
    for kind in (NameAddress, Contact):
        address = outcome(kind.parse, text)
        if isinstance(address, kind):
            assert outcome(kind.parse, str(address)) == address


@pytest.mark.parametrize(
    "text", ['"Ann" <sip:a@b>;tag=1', "<sip:a@b>;a=<b>;tag=1", '<sip:a@b>;a=">";tag=1', "sip:a@b;tag=1"]
)
def test_the_tag_is_found_whatever_stands_before_it(text):
    assert NameAddress.parse(text).tag == "1"
