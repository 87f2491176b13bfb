"""A patch is laid over what is there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from provisioner.centrex.customer import (
    Customer,
    Extension,
    HuntGroup,
    Line,
    Member,
    Park,
    Site,
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
    ResyncWindow,
    VendorLevel,
)
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.patch import CustomerPatch, VendorPatch

MAC = MacAddress("0015654aa937")
PHONE = Device(
    MAC,
    "VP530P",
    site="Biuro",
    accounts=(DeviceAccount(1, "48223809887", label="Recepcja"),),
    keys=(Key(KeyType.BLF, "102", label="Anna", key=2),),
    firmware_seen="23.70.0.10",
    phone=PhoneOptions(language="en", vlan_id=120),
    settings={"local_time.time_format": "1", "features.dnd.enable": "0"},
)
FIRM = Customer(
    "firma",
    "Firma",
    credit_limit=Decimal("50.00"),
    sites=(Site("Biuro"),),
    lines=(Line("48223809887", "telefonia-ip-plus", site="Biuro"),),
    extensions=(Extension("101", "48223809887", "Recepcja", published=True), Extension("102")),
    hunt_groups=(
        HuntGroup("600", "Sprzedaż", members=(Member("101", ring_delay=5, stop=True),), overflow="102"),
    ),
    devices=(PHONE,),
)


def merged(current: Customer | None = FIRM, **said: Any) -> Customer:
    return merge(current, CustomerPatch.model_validate({"login": "firma", **said}))


def test_a_patch_that_says_nothing_changes_nothing() -> None:
    assert merged() == FIRM


def test_a_key_that_is_left_out_is_untouched() -> None:
    assert merged(language="en") == replace(FIRM, language="en")


def test_null_takes_a_credit_limit_back() -> None:
    assert merged(credit_limit=None).credit_limit is None


def test_a_list_that_is_there_is_complete_and_gives_the_order() -> None:
    customer = merged(extensions=[{"number": "103"}, {"number": "101"}])
    assert customer.extensions == (Extension("103"), FIRM.extensions[0])
    assert merged(extensions=[]).extensions == ()


def test_an_item_keeps_what_the_patch_leaves_out_of_it() -> None:
    customer = merged(
        lines=[{"number": "48223809887"}],
        extensions=[{"number": "101", "name": "Biuro"}, {"number": "102"}],
        hunt_groups=[{"number": "600", "overflow": None}],
        devices=[{"mac": "00-15-65-4A-A9-37", "model": "T46S"}],
    )
    assert customer.lines == FIRM.lines
    assert customer.extensions[0] == Extension("101", "48223809887", "Biuro", published=True)
    assert customer.hunt_groups == (replace(FIRM.hunt_groups[0], overflow=None),)
    assert customer.devices == (replace(PHONE, model="T46S"),)


def test_an_account_keeps_its_label_and_a_new_one_takes_the_defaults() -> None:
    accounts = [{"account": 1, "line": "48223809986"}, {"account": 2, "line": "48223809887"}]
    device = merged(devices=[{"mac": str(MAC), "accounts": accounts}]).devices[0]
    assert device.accounts == (
        DeviceAccount(1, "48223809986", label="Recepcja"),
        DeviceAccount(2, "48223809887"),
    )


def test_members_and_keys_are_said_whole() -> None:
    customer = merged(
        hunt_groups=[{"number": "600", "members": [{"extension": "101"}]}],
        devices=[{"mac": str(MAC), "keys": [{"key": 2, "type": "blf", "value": "102"}]}],
    )
    assert customer.hunt_groups[0].members == (Member("101"),)
    assert customer.devices[0].keys == (Key(KeyType.BLF, "102", key=2),)


def test_settings_are_laid_over_and_null_takes_one_or_all_back() -> None:
    def settings(said: object) -> object:
        return merged(devices=[{"mac": str(MAC), "settings": said}]).devices[0].settings

    assert settings({"a.b": "1"}) == {**PHONE.settings, "a.b": "1"}
    assert settings({"features.dnd.enable": None}) == {"local_time.time_format": "1"}
    assert settings(None) == {}
    assert settings({}) == PHONE.settings


def test_phone_options_are_laid_over_and_null_takes_one_back() -> None:
    phone = {"language": None, "sip_port": "5062", "resync": {"start": "03:00"}}
    device = merged(devices=[{"mac": str(MAC), "phone": phone}]).devices[0]
    assert device.phone == PhoneOptions(vlan_id=120, sip_port=5062, resync=ResyncWindow("03:00", "05:00"))
    assert merged(phone={"resync": {"end": "04:00"}}).phone.resync == ResyncWindow("02:00", "04:00")


def test_an_empty_text_turns_an_inherited_proxy_or_logo_off() -> None:
    assert merged(phone={"outbound_proxy": "", "logo": ""}).phone == PhoneOptions(outbound_proxy="", logo="")


def test_null_turns_a_service_off_and_a_part_of_it_keeps_the_rest() -> None:
    off = merged(centrex={"intercom": None, "pickup": None, "park": None}).centrex
    assert (off.intercom_prefix, off.pickup_prefix, off.park) == (None, None, None)
    assert merged(centrex={"park": {"return_after": 90}}).centrex.park == Park(return_after=90)
    again = merged(
        replace(FIRM, centrex=off), centrex={"park": {"prefix": "*72"}, "pickup": {"prefix": "*41"}}
    )
    assert again.centrex.park == Park(prefix="*72")
    assert again.centrex.pickup_prefix == "*41"


def test_speed_dials_and_codes_keep_what_is_left_out() -> None:
    short = SpeedDial(max_length=2, entries=(SpeedDialEntry("34", "48225550111", "Bank"),))
    current = replace(FIRM, centrex=replace(FIRM.centrex, speed_dial=short))
    said = {"speed_dial": {"entries": [{"number": "34", "target": ""}]}, "codes": {"dnd_on": "*78"}}
    centrex = merged(current, centrex=said).centrex
    assert centrex.speed_dial == SpeedDial(max_length=2, entries=(SpeedDialEntry("34", "", "Bank"),))
    assert (centrex.codes.dnd_on, centrex.codes.dnd_off) == ("*78", "#26")


def test_passwords_travel_beside_the_customer_and_show_in_no_text() -> None:
    said = {"login": "firma", "lines": [{"number": "48223809887", "password": "tajne-haslo"}]}
    patch = CustomerPatch.model_validate(said)
    assert patch.passwords == {"48223809887": "tajne-haslo"}
    assert merge(FIRM, patch) == FIRM
    assert "tajne" not in repr(patch)
    with pytest.raises(ValidationError) as refused:
        CustomerPatch.model_validate({"login": "firma", "lines": [{"number": "1", "password": "tajne\n"}]})
    assert "tajne" not in str(refused.value)


@pytest.mark.parametrize(
    ("current", "said", "words"),
    [
        (None, {}, "customer firma is new: give it a name"),
        (FIRM, {"lines": [{"number": "48223809986"}]}, "line 48223809986 is new: give it a product"),
        (FIRM, {"devices": [{"mac": "001565000001"}]}, "device 00:15:65:00:00:01 is new: give it a model"),
        (FIRM, {"devices": [{"mac": str(MAC), "accounts": [{"account": 2}]}]}, "is new: give it a line"),
    ],
)
def test_something_new_must_say_what_it_can_not_do_without(
    current: Customer | None, said: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadValue, match=words):
        merged(current, **said)


def test_a_new_customer_takes_the_defaults() -> None:
    assert merged(None, name="Firma") == Customer("firma", "Firma")


def test_merging_twice_is_merging_once() -> None:
    said = {
        "name": "Firma 2",
        "sites": [{"name": "Biuro", "settings": {"a.b": "1", "c.d": None}}],
        "devices": [{"mac": str(MAC), "phone": {"resync": {"start": "01:00"}, "codecs": ["opus", "pcma"]}}],
    }
    once = merged(**said)
    assert merged(once, **said) == once


def test_a_vendor_keeps_what_is_left_out_and_its_models_are_complete() -> None:
    current = VendorLevel(
        "yealink",
        phone=PhoneOptions(language="pl"),
        models=(ModelLevel("T46S", settings={"a.b": "1"}), ModelLevel("T23G")),
    )
    said = {
        "vendor": "yealink",
        "models": [{"model": "T54W"}, {"model": "T46S", "phone": {"firmware": "x.rom"}}],
    }
    level = merge_vendor(current, VendorPatch.model_validate(said))
    assert level.phone == PhoneOptions(language="pl")
    assert level.models == (
        ModelLevel("T54W"),
        ModelLevel("T46S", phone=PhoneOptions(firmware="x.rom"), settings={"a.b": "1"}),
    )
    assert merge_vendor(level, VendorPatch.model_validate({"vendor": "yealink"})) == level
