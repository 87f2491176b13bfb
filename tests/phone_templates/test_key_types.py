"""Numbers of key types."""

from __future__ import annotations

import pytest

from phone_templates.catalogue import Generation
from phone_templates.yealink.key_types import Bank, UnknownKeyType, all_key_types, key_name, key_number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("none", 0),
        ("pickup", 9),
        ("call_park", 10),
        ("voice_mail", 12),
        ("speed_dial", 13),
        ("intercom", 14),
        ("line", 15),
        ("blf", 16),
        ("url", 17),
        ("group_pickup", 23),
        ("multicast_paging", 24),
        ("xml_browser", 27),
    ],
)
def test_the_keys_that_a_company_uses_have_one_number_in_all_generations(name, number):
    for generation in Generation:
        assert key_number(name, Bank.LINE, generation) == number
        assert key_name(number, Bank.LINE, generation) == name


def test_a_number_means_one_thing_and_a_name_one_number_on_each_bank():
    for generation in Generation:
        for bank in Bank:
            there = [key for key in all_key_types() if key.fits(bank, generation)]
            assert len({key.number for key in there}) == len(there)
            assert len({key.name for key in there}) == len(there)


def test_retrieve_park_came_with_v81():
    assert key_number("retrieve_park", Bank.LINE, Generation.V81) == 56
    with pytest.raises(UnknownKeyType, match="V80 has no retrieve_park on its line keys"):
        key_number("retrieve_park", Bank.LINE, Generation.V80)


def test_a_line_key_type_does_not_stand_on_a_memory_key():
    with pytest.raises(UnknownKeyType):
        key_number("line", Bank.MEMORY, Generation.V70)


def test_switching_accounts_has_another_number_since_v84():
    assert key_number("switch_account_up", Bank.PROGRAMABLE, Generation.V70) == 48
    assert key_number("switch_account_up", Bank.PROGRAMABLE, Generation.V81) == 51


def test_what_is_only_remembered_says_so():
    assert {key.number for key in all_key_types() if key.assumed} == {55, 57}
