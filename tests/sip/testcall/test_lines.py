"""What the process of the phones and who drives it say to each other arrives as it was said."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.testcall.lines import Order, Told, read_order, read_told, write_line


def each_of(kinds: Any) -> st.SearchStrategy[Any]:
    """Any of a union of types; without NaN, which is not even like itself."""
    made = st.one_of([st.from_type(kind) for kind in get_args(kinds)])
    return made.filter(lambda each: b"NaN" not in write_line(each))


ORDERS, TOLD = each_of(Order), each_of(Told)


@given(ORDERS)
def test_an_order_is_one_line_and_comes_as_it_was_given(order: Order) -> None:
    line = write_line(order)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_order(line) == order


@given(TOLD)
def test_what_is_told_is_one_line_and_comes_as_it_was_told(told: Told) -> None:
    line = write_line(told)
    assert line.count(b"\n") == 1
    assert read_told(line) == told


@pytest.mark.parametrize("line", [b"", b"{}", b'{"Rang": 1}', b'{"Exit": {}}', b'{"HangUp": {"who": 1}}'])
def test_what_makes_no_sense_is_refused(line: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_order(line)
