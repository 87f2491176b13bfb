"""The forms of a number that people dial."""

import pytest

from provisioner.centrex.dialling import NumberForms

POLAND = NumberForms()
GERMANY = NumberForms("49", national_prefix="0", national_digits=(5, 11))
AMERICA = NumberForms("1", "011", national_digits=(10, 10))


@pytest.mark.parametrize("dialled", ["225550111", "48225550111", "+48225550111", "0048225550111"])
def test_a_number_is_the_same_in_each_form(dialled: str):
    assert POLAND.whole(dialled) == "48225550111"


@pytest.mark.parametrize("dialled", ["", "101", "112", "22555011", "*21*22555", "²²5550111", "4930123456"])
def test_what_is_no_such_form_is_left_as_it_is(dialled: str):
    assert POLAND.whole(dialled) == dialled


@pytest.mark.parametrize("dialled", ["030123456", "4930123456", "+4930123456", "004930123456"])
def test_where_numbers_differ_in_length_a_prefix_tells_them(dialled: str):
    assert GERMANY.whole(dialled) == "4930123456"


@pytest.mark.parametrize("dialled", ["30123456", "0112", "0", "0123456789012", "0*21"])
def test_what_has_no_prefix_or_another_length_is_no_such_number(dialled: str):
    assert GERMANY.whole(dialled) == dialled


@pytest.mark.parametrize("dialled", ["2125550111", "12125550111", "+12125550111", "01112125550111"])
def test_a_country_has_its_own_way_to_others(dialled: str):
    assert AMERICA.whole(dialled) == "12125550111"
    assert AMERICA.whole("01148225550111") == "48225550111"
