"""The forms of a number that people dial."""

import pytest

from provisioner.centrex.dialling import whole_number


@pytest.mark.parametrize("dialled", ["225550111", "48225550111", "+48225550111", "0048225550111"])
def test_a_number_is_the_same_in_each_form(dialled: str):
    assert whole_number(dialled) == "48225550111"


@pytest.mark.parametrize("dialled", ["", "101", "112", "22555011", "*21*22555", "²²5550111", "4930123456"])
def test_what_is_no_such_form_is_left_as_it_is(dialled: str):
    assert whole_number(dialled) == dialled
