"""The extension that test calls are made from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.centrex.customer import Extension
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS
from provisioner.centrex.trial_caller import CALLER_LINE, CALLER_NAME, with_caller
from tests.provisioner.pbx.switchboards import exchange, group


def number_of(company: Exchange) -> str:
    return with_caller(company, POLISH_EMERGENCY_NUMBERS).extension_of[CALLER_LINE]


def test_it_has_a_number_that_nobody_has_and_is_known_by_it_inside():
    company = exchange(group("600", "101", "102"))
    copy = with_caller(company, POLISH_EMERGENCY_NUMBERS)
    assert copy.extension_of_line(CALLER_LINE) == Extension("996", CALLER_LINE, CALLER_NAME)
    assert CALLER_LINE in copy.lines
    assert CALLER_LINE not in company.lines
    assert copy.groups == company.groups


@pytest.mark.parametrize(
    "taken",
    [
        {"extensions": {str(n): Extension(str(n)) for n in (*range(990, 1000), 101)}},
        {"groups": {str(n): group(str(n)) for n in range(990, 1000)}},
        {"short_numbers": {str(n): "101" for n in range(990, 1000)}},
    ],
)
def test_it_takes_nothing_from_anybody(taken: dict[str, dict[str, object]]):
    company = exchange()
    (name, numbers), *_ = taken.items()
    grown = replace(company, **{name: {**getattr(company, name), **numbers}})
    assert number_of(grown) == "989"


def test_where_all_short_numbers_are_taken_it_has_a_longer_one():
    company = Exchange(1, "mini", extensions={str(n): Extension(str(n)) for n in range(1, 10)})
    assert number_of(company) == "10"


def test_a_company_without_extensions_has_one_too():
    assert number_of(Exchange(1, "nowa")) == "996"
