"""`phone: {encryption: true}`: which phones are told a key, and what nobody may say beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import CentralkaError, Forbidden
from provisioner.phones.describe import describe
from provisioner.phones.roles import check_customer_role
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, phone
from tests.provisioner.phones.describing import around, company, described, device_of, rendered, vendor

ON = {"encryption": True}


def keys(said: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if "aes_key" in name}


def test_a_phone_is_told_no_key_unless_encryption_is_on():
    assert keys(rendered(company())) == {}
    assert keys(rendered(company(phone={"encryption": False}))) == {}


@pytest.mark.parametrize(("mac", "length"), [(DESK, 32), (HALL, 16)])
def test_each_phone_is_told_a_key_of_its_generation(mac: Any, length: int):
    told = described(company(phone=ON), mac).file_key
    assert told is not None
    assert told.characters == length
    assert f"device/{mac.hex}/encryption-key@0" in str(keys(rendered(company(phone=ON), mac)).values())


def test_the_nearest_level_decides():
    assert described(company(), said=vendor(phone=ON)).file_key is not None
    plain = phone(DESK, "T46S", ONE, phone={"encryption": False})
    off = company(phone=ON, devices=[plain, phone(HALL, "VP530P", TWO)])
    assert described(off).file_key is None
    assert described(off, HALL).file_key is not None


def test_the_newest_key_of_the_length_is_told():
    customer = company(phone=ON)
    phones = describe(device_of(customer), customer, replace(around(), encryption_keys={16: 3, 32: 4}))
    assert phones.file_key is not None
    assert "encryption-key@4" in str(phones.file_key.value)


def test_a_phone_that_was_told_one_is_told_to_forget_it():
    customer = company()
    known = replace(around(), told_keys=frozenset({DESK.hex}))
    assert describe(device_of(customer), customer, known).forget_file_key
    assert not describe(device_of(customer, HALL), customer, known).forget_file_key


def test_a_phone_that_fetches_elsewhere_is_told_no_key():
    elsewhere = company(phone=ON, settings={"static.auto_provision.server.url": "http://192.0.2.9/"})
    assert described(elsewhere).file_key is None
    assert keys(rendered(elsewhere)) == {}


@pytest.mark.parametrize("name", ["aes_key.mac", "aes_key_16.com", "aes_key_in_file", "update_file_mode"])
def test_keys_and_what_phones_take_are_said_by_the_option_alone(name: str):
    desk = phone(DESK, "T46S", ONE, settings={f"static.auto_provision.{name}": "1"})
    wrong = company(devices=[desk, phone(HALL, "VP530P", TWO)])
    with pytest.raises((CentralkaError, PhoneTemplatesError), match="encryption: true"):
        rendered(wrong)


def test_only_an_operator_turns_it_on_or_off():
    for old, new in ((company(), company(phone=ON)), (company(phone=ON), company())):
        with pytest.raises(Forbidden, match="encryption"):
            check_customer_role(Actor("firma", Role.CUSTOMER), old, new)
        check_customer_role(Actor("root", Role.OPERATOR), old, new)
