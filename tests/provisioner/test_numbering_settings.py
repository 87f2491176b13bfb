"""How the country dials, as the configuration file says it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from provisioner.centrex.dialling import NumberForms
from provisioner.settings import Numbering


def test_what_is_not_said_is_as_in_poland():
    assert Numbering().forms == NumberForms()


def test_a_country_is_data():
    germany = Numbering(country_code="49", national_prefix="0", national_digits="5-11")
    assert germany.forms == NumberForms("49", "00", "0", (5, 11))


@pytest.mark.parametrize(
    "said",
    [
        {"country_code": "048"},
        {"country_code": "1234"},
        {"international_prefix": ""},
        {"national_prefix": "a"},
        {"national_digits": "2"},
        {"national_digits": "15"},
        {"national_digits": "9-5"},
        {"national_digits": "9,10"},
        # 4822555011 could be a Pole's number then, or one of ten digits.
        {"national_digits": "8-10"},
    ],
)
def test_what_can_be_no_countrys_way_is_refused(said: dict[str, str]):
    with pytest.raises(ValidationError):
        Numbering.model_validate(said)
