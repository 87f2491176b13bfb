"""Who makes the test calls of a company: an extension that it does not have, in a copy of its switchboard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import chain, count

from provisioner.centrex.customer import Extension, Line
from provisioner.centrex.exchange import Exchange

CALLER_LINE = "0000000000"
"The caller's line. None of an installation begins with a zero."
CALLER_NAME = "Test"
LIVE_NAME = "Test Centralka"
"What people's phones show who are called for a test."


def is_test_line(number: str) -> bool:
    """Whether that is the line of one who makes test calls."""
    return number.startswith("0")


def with_caller(
    exchange: Exchange, unused: Collection[str], line: str = CALLER_LINE, name: str = CALLER_NAME
) -> Exchange:
    """A copy with one extension more, from which test calls are made: it is no member of anything.

    Its number is free, as long as the others are if there is such a one, and none of `unused`.
    """
    taken = {*exchange.extensions, *exchange.groups, *exchange.short_numbers, *unused}
    length = max(map(len, exchange.extensions), default=3)
    numbers = map(str, chain(range(10**length - 1, 0, -1), count(10**length)))
    number = next(each for each in numbers if each not in taken)
    return replace(
        exchange,
        lines={**exchange.lines, line: Line(line, "")},
        extensions={**exchange.extensions, number: Extension(number, line, name)},
        extension_of={**exchange.extension_of, line: number},
    )
