"""What would change, in people's words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples

from provisioner.centrex.customer import (
    Customer,
    Extension,
    HuntGroup,
    Line,
    Member,
    Park,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import (
    Device,
    DeviceAccount,
    Key,
    KeyType,
    ModelLevel,
    PhoneOptions,
    VendorLevel,
)
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.plan import Change, ChangeKind, differences, vendor_differences
from tests.provisioner.centrex.companies import customers

PHONE = Device(
    MacAddress("0015654aa937"),
    "T46S",
    accounts=(DeviceAccount(1, "48223809887"),),
    keys=(Key(KeyType.BLF, "102", key=2), Key(KeyType.LINE)),
)
FIRM = Customer(
    "firma",
    "Firma",
    lines=(Line("48223809887", "telefonia-ip-plus"),),
    extensions=(Extension("101", "48223809887", "Recepcja"), Extension("102")),
    hunt_groups=(
        HuntGroup("600", "Sprzedaż", members=(Member("101"), Member(group="601"))),
        HuntGroup("601"),
    ),
    devices=(PHONE,),
)


def plan(old: Customer | None = FIRM, **change: Any) -> list[str]:
    return [str(change) for change in differences(old, replace(FIRM, **change))]


def test_a_changed_ring_time_is_told_of_its_group_and_member() -> None:
    group = replace(FIRM.hunt_groups[0], members=(Member("101", ring_time=20), Member(group="601")))
    assert differences(FIRM, replace(FIRM, hunt_groups=(group, FIRM.hunt_groups[1]))) == (
        Change(ChangeKind.CHANGE, "hunt group 600", "ring time of member 101: 15 -> 20"),
    )


def test_what_goes_from_a_list_is_shown_with_what_it_held() -> None:
    assert plan(extensions=FIRM.extensions[1:]) == ["remove extension 101: line 48223809887, name Recepcja"]


def test_what_is_new_is_shown_with_what_it_holds() -> None:
    assert plan(extensions=(*FIRM.extensions, Extension("103", name="Anna", published=True))) == [
        "add extension 103: name Anna, published yes"
    ]


def test_a_new_customer_is_one_line_and_its_parts() -> None:
    assert [str(change) for change in differences(None, replace(FIRM, devices=(), hunt_groups=()))] == [
        "add customer firma: Firma",
        "add line 48223809887: product telefonia-ip-plus",
        "add extension 101: line 48223809887, name Recepcja",
        "add extension 102",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"credit_limit": Decimal("50.00")}, "change customer firma: credit limit: none -> 50.00"),
        ({"phone": PhoneOptions(vlan_id=120)}, "change customer firma: phone vlan id: none -> 120"),
        (
            {"centrex": replace(FIRM.centrex, park=None)},
            "change exchange: park: on -> none",
        ),
        (
            {"centrex": replace(FIRM.centrex, park=Park(prefix="*72"))},
            "change exchange: prefix of park: *70 -> *72",
        ),
        (
            {"centrex": replace(FIRM.centrex, codes=replace(FIRM.centrex.codes, dnd_on="*78"))},
            "change exchange: dnd on of codes: *26 -> *78",
        ),
        (
            {
                "centrex": replace(
                    FIRM.centrex, speed_dial=SpeedDial(entries=(SpeedDialEntry("34", "48225550111"),))
                )
            },
            "add short number 34: target 48225550111",
        ),
        (
            {"extensions": FIRM.extensions[::-1]},
            "change extensions: order: 101, 102 -> 102, 101",
        ),
    ],
)
def test_each_part_of_a_company_is_told_in_its_words(change: dict[str, Any], told: str) -> None:
    assert plan(**change) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accounts": (DeviceAccount(1, "48223809986"),)}, ["line of account 1: 48223809887 -> 48223809986"]),
        ({"accounts": ()}, ["account 1 is taken out"]),
        (
            {"keys": (Key(KeyType.BLF, "103", "Anna", key=2), Key(KeyType.LINE, account=2))},
            ['key 2: blf 102 -> blf 103 "Anna"', "free key 1: line -> line account 2"],
        ),
        ({"keys": (Key(KeyType.LINE),)}, ["key 2 is taken out: blf 102"]),
        ({"keys": (*PHONE.keys, Key(KeyType.PARK, memory=3))}, ["new memory key 3: park"]),
        ({"settings": {"local_time.time_format": "1"}}, ["setting local_time.time_format: none -> 1"]),
        ({"site": "Biuro"}, ["site: none -> Biuro"]),
    ],
)
def test_changes_of_a_phone_are_told_by_account_key_and_setting(
    change: dict[str, Any], told: list[str]
) -> None:
    expected = [f"change device 00:15:65:4a:a9:37: {detail}" for detail in told]
    assert plan(devices=(replace(PHONE, **change),)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "account.1.password",
        "security.user_password",
        "features.xml_browser.pwd",
        "auto_provision.aes_key_16.com",
        "autoprovision.1.com_aes",
        "phone_setting.phone_lock.unlock_pin",
        "base.pin_code",
        "account.1.signal_encode_key",
        "meta.comm_portal.server.token",
    ],
)
def test_a_setting_that_is_a_secret_is_told_without_its_value(name: str) -> None:
    told = plan(settings={name: "tajne"}, devices=())
    assert f"change customer firma: setting {name}: none -> (hidden)" in told
    new = str(differences(None, replace(FIRM, devices=(replace(PHONE, settings={name: "tajne"}),))))
    assert "tajne" not in "".join(told) + new


def test_members_that_come_go_and_change_places_are_told() -> None:
    members = (Member(group="601"), Member("102", ring_delay=5), Member("101"))
    groups = (replace(FIRM.hunt_groups[0], members=members), FIRM.hunt_groups[1])
    assert plan(hunt_groups=groups) == [
        "change hunt group 600: new member 102 (ring delay 5)",
        "change hunt group 600: order of members: 101, group 601 -> group 601, 101",
    ]


def test_a_vendors_levels_are_told() -> None:
    old = VendorLevel("yealink", models=(ModelLevel("T23G"),))
    new = VendorLevel(
        "yealink",
        phone=PhoneOptions(language="pl"),
        models=(ModelLevel("T46S", settings={"a.b": "1"}),),
    )
    assert [str(change) for change in vendor_differences(old, new)] == [
        "change vendor yealink: phone language: none -> pl",
        "add model T46S: settings a.b = 1",
        "remove model T23G",
    ]
    assert vendor_differences(new, new) == ()


@given(customers, customers)
@examples(max_examples=60, deadline=None)
def test_a_plan_is_empty_exactly_when_nothing_changes(old: Customer, new: Customer) -> None:
    assert bool(differences(old, new)) == (old != new)
    assert differences(new, new) == ()
    assert differences(old, new) == differences(old, new)


@given(customers)
@examples(max_examples=40, deadline=None)
def test_every_line_of_a_plan_is_one_line_of_text(new: Customer) -> None:
    for change in differences(None, new):
        assert "\n" not in str(change)
