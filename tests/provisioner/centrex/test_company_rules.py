"""What must fit together in a company besides its numbers and groups."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from provisioner.centrex.company import check_whole, company_problems
from provisioner.centrex.customer import Customer, Extension, HuntGroup, Line, Site
from provisioner.centrex.devices import Device, DeviceAccount, Key, KeyType
from provisioner.centrex.errors import Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.problems import Contradictions, refuse

LINE = "48223809887"
MAC = MacAddress("0015654aa937")
PHONE = Device(MAC, "T46S", site="Biuro", accounts=(DeviceAccount(1, LINE), DeviceAccount(2, LINE)))
FIRM = Customer(
    "firma",
    "Firma",
    credit_limit=Decimal("50.00"),
    sites=(Site("Biuro"),),
    lines=(Line(LINE, "telefonia-ip-plus", site="Biuro"),),
    extensions=(Extension("101", LINE), Extension("102")),
    devices=(PHONE,),
)


def messages(customer: Customer) -> list[str]:
    return [problem.message for problem in company_problems(customer, {}, {})]


def with_keys(*keys: Key) -> Customer:
    return replace(FIRM, devices=(replace(PHONE, keys=keys),))


def test_a_company_whose_parts_fit_passes() -> None:
    refuse(company_problems(FIRM, {LINE: "firma"}, {MAC: "firma"}))
    check_whole(FIRM, {LINE: "firma"}, {MAC: "firma"})


def test_another_customers_line_or_phone_is_in_use_and_nobody_learns_whose() -> None:
    with pytest.raises(Conflict) as refused:
        refuse(company_problems(FIRM, {LINE: "rywal"}, {MAC: "rywal"}))
    assert "line 48223809887 is already in use" in str(refused.value)
    assert "device 00:15:65:4a:a9:37 is already in use" in str(refused.value)
    assert "rywal" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extensions": (Extension("101", "48220000000"),)}, "extension 101: there is no line 48220000000"),
        (
            {"lines": (Line(LINE, "telefonia-ip-plus", site="Dom"),)},
            "line 48223809887: there is no site 'Dom'",
        ),
        ({"devices": (replace(PHONE, site="Dom"),)}, "device 00:15:65:4a:a9:37: there is no site 'Dom'"),
        (
            {"devices": (replace(PHONE, accounts=(DeviceAccount(1, "48220000000"),)),)},
            "account 1: there is no line 48220000000",
        ),
        ({"lines": (Line(LINE, "premium"),)}, "there is no product 'premium': choose telefonia-ip-standard"),
        ({"lines": (Line(LINE, "biznes-trunk"),) * 2}, "line 48223809887 is there 2 times"),
        ({"sites": (Site("Biuro"),) * 2}, "site Biuro is there 2 times"),
        ({"devices": (PHONE, PHONE)}, "device 00:15:65:4a:a9:37 is there 2 times"),
        ({"devices": (replace(PHONE, accounts=(DeviceAccount(0, LINE),)),)}, "account 0 can't be"),
        (
            {"devices": (replace(PHONE, accounts=(DeviceAccount(1, LINE),) * 2),)},
            "account 1 is there 2 times",
        ),
        ({"time_zone": "Warszawa"}, "customer firma: time zone 'Warszawa' is not a time zone"),
        ({"language": "de"}, "customer firma: language must be one of pl, en"),
        ({"credit_limit": Decimal("-1")}, "credit limit must be 0 or more"),
        ({"credit_limit": Decimal("0.0000001")}, "at most 6 decimals"),
        ({"credit_limit": Decimal("NaN")}, "credit limit must be"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], words: str) -> None:
    found = messages(replace(FIRM, **change))
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (Key(KeyType.BLF, "102", key=1, memory=1), "has two places"),
        (Key(KeyType.BLF, "102", module=1), "module needs key"),
        (Key(KeyType.BLF, "102", module=1, memory=1), "module needs key"),
        (Key(KeyType.BLF, "102", key=0), "key is 0: keys and modules count from 1"),
        (Key(KeyType.BLF, "102", key=1, module=0), "module is 0"),
        (
            Key(KeyType.BLF, "102", account=3, key=1),
            "the key at key 1 uses account 3, but the phone has 1, 2",
        ),
        (Key(KeyType.BLF, key=1), "blf needs a value"),
        (Key(KeyType.URL), "key 1 of the list (url): url needs a value"),
    ],
)
def test_a_key_that_can_not_be_is_named_by_its_place(key: Key, words: str) -> None:
    found = messages(with_keys(key))
    assert len(found) == 1
    assert words in found[0]


def test_two_keys_at_one_place_are_refused_and_two_without_a_place_are_not() -> None:
    assert messages(with_keys(Key(KeyType.LINE), Key(KeyType.LINE))) == []
    module = Key(KeyType.LINE, module=1, key=1)
    assert messages(with_keys(Key(KeyType.LINE, key=1), module)) == []
    assert messages(with_keys(module, module)) == [
        "device 00:15:65:4a:a9:37: there are 2 keys at module 1 key 1: give each its own place"
    ]


def test_a_key_that_makes_no_call_of_an_account_needs_none() -> None:
    phone = Device(MAC, "T46S", keys=(Key(KeyType.URL, "http://192.0.2.1/"),))
    assert messages(replace(FIRM, devices=(phone,))) == []


def test_all_rules_together_report_everything_at_once() -> None:
    customer = replace(
        FIRM,
        time_zone="x",
        extensions=(Extension("112"),),
        hunt_groups=(HuntGroup("600", overflow="600"),),
    )
    with pytest.raises(Contradictions) as refused:
        check_whole(customer, {}, {})
    assert len(refused.value.problems) == 3
