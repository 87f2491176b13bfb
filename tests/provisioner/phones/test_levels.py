"""What a phone inherits: of each option and parameter the nearest word."""

from __future__ import annotations

from typing import Any

import pytest

from phone_templates.catalogue import Generation, Sensitivity
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.devices import PhoneOptions
from provisioner.centrex.errors import BadValue
from provisioner.centrex.plan import differences
from provisioner.phones.check import is_secret
from provisioner.phones.levels import Level, effective_options, levels_of
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, phone
from tests.provisioner.phones.describing import company, device_of, rendered, vendor


def at(**options: Any) -> Level:
    return Level("", PhoneOptions(**options), {})


def test_of_each_option_the_nearest_level_that_says_it_counts():
    levels = (at(language="pl", vlan_id=5, lldp=True), at(), at(vlan_id=0), at(lldp=False))
    assert effective_options(levels) == PhoneOptions(language="pl", vlan_id=0, lldp=False)


def test_a_word_that_says_nothing_is_still_a_word():
    levels = (at(outbound_proxy="proxy", ntp_servers=("a", "b")), at(outbound_proxy="", ntp_servers=()))
    assert effective_options(levels) == PhoneOptions(outbound_proxy="", ntp_servers=())


def test_levels_stand_from_the_vendor_to_the_device_and_leave_out_what_is_not_its_own():
    customer = company(
        sites=[{"name": "Hala/2"}, {"name": "Biuro"}],
        devices=[phone(DESK, "SIP-T46S", ONE, site="Hala/2"), phone(HALL, "VP530P", TWO)],
    )
    said = vendor(models=[{"model": "T54W"}, {"model": "T46S"}])
    assert [level.subject for level in levels_of(device_of(customer), customer, said)] == [
        "vendor:yealink",
        "model:T46S",
        "customer:firma",
        "site:firma/Hala%2F2",
        f"device:{DESK.hex}",
    ]
    assert [level.subject for level in levels_of(device_of(customer, HALL), customer, said)] == [
        "vendor:yealink",
        "customer:firma",
        f"device:{HALL.hex}",
    ]


def test_a_device_level_parameter_that_the_phone_does_not_know_is_refused_and_a_wide_one_is_not():
    newer = {"account.1.check_cseq.enable": "1"}
    devices = [phone(DESK, "T46S", ONE), phone(HALL, "VP530P", TWO, settings=newer)]
    with pytest.raises(BadValue, match=f"device {HALL}: firmware V70 has no parameter"):
        rendered(company(devices=devices), HALL)
    wide = company(settings=newer)
    assert rendered(wide)["account.1.check_cseq.enable"] == "1"
    assert "account.1.check_cseq.enable" not in rendered(wide, HALL)


def test_a_secret_word_stands_in_the_file_by_the_level_that_says_it():
    customer = company(settings={"ldap.password": "Tajne"})
    assert rendered(customer)["ldap.password"] == "\x02setting/customer:firma/ldap.password@1\x03"
    nearer = company(
        settings={"ldap.password": "Tajne"},
        devices=[phone(DESK, "T46S", ONE, settings={"ldap.password": "Moje"})],
    )
    assert rendered(nearer)["ldap.password"] == f"\x02setting/device:{DESK.hex}/ldap.password@1\x03"


def _secret_names() -> list[str]:
    return sorted(
        {
            parameter.name.replace("X", "1").replace("Y", "1").replace("Z", "1")
            for generation in Generation
            for parameter in catalogue().parameters(generation)
            if parameter.sensitivity is Sensitivity.SECRET
        }
    )


def test_every_password_like_parameter_is_sealed_and_hidden_in_plans():
    names = _secret_names()
    assert len(names) > 50
    assert [name for name in names if not is_secret(name)] == []
    plan = differences(company(), company(settings=dict.fromkeys(names, "Tajne")))
    assert len(plan) == len(names)
    assert [change.detail for change in plan if "Tajne" in str(change)] == []
    new = differences(None, company(settings=dict.fromkeys(names, "Tajne")))
    assert [change.detail for change in new if "Tajne" in str(change)] == []


def test_no_password_like_parameter_is_plain_in_another_generation():
    by_name: dict[str, set[bool]] = {}
    for generation in Generation:
        for parameter in catalogue().parameters(generation):
            is_one = parameter.sensitivity is Sensitivity.SECRET
            by_name.setdefault(parameter.name, set()).add(is_one)
    assert [name for name, kinds in by_name.items() if len(kinds) > 1] == []
