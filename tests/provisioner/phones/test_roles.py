"""Who owns a phone is the operator's to say; a customer may say how it looks and dials."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.errors import Forbidden
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.files.company import read_company_file
from provisioner.phones.roles import check_customer_role, check_vendor_role
from tests.provisioner.operations.small import DESK, HALL, ONE, phone, small, written

CUSTOMER = Actor("firma", Role.CUSTOMER)
OPERATOR = Actor("anna", Role.OPERATOR)
MAY_NOT = [role for role in Role if role is not Role.OPERATOR]


def firma(old: Customer | None = None, **said: Any) -> Customer:
    """The small company, or `old` with something said otherwise."""
    file = read_company_file(written({"login": "firma", **said} if old else small()).encode())
    return merge(old, file.customers[0])


def desk(**more: Any) -> dict[str, Any]:
    return {"devices": [{"mac": str(DESK), **more}, {"mac": str(HALL)}]}


def at(level: str, **more: Any) -> dict[str, Any]:
    if level == "customer":
        return more
    return {"sites": [{"name": "Hala", **more}]} if level == "site" else desk(**more)


@pytest.mark.parametrize("level", ["customer", "site", "device"])
@pytest.mark.parametrize(
    "said",
    [
        {"settings": {"static.auto_provision.server.url": "http://evil.example/"}},
        {"settings": {"static.security.user_password": "admin:x"}},
        {"settings": {"account.1.sip_server.1.address": "evil.example"}},
        {"settings": {"account.1.password": "x"}},
        {"settings": {"action_url.incoming_call": "http://evil.example/"}},
        {"settings": {"features.action_uri_limit_ip": "any"}},
        {"settings": {"static.trusted_certificates.url": "http://evil.example/ca.pem"}},
        {"settings": {"push_xml.server": "evil.example"}},
        {"settings": {"static.managementserver.url": "http://evil.example/"}},
        {"settings": {"ldap.password": "x"}},
        {"phone": {"sip_host": "evil.example"}},
        {"phone": {"outbound_proxy": "evil.example"}},
        {"phone": {"syslog_server": "evil.example"}},
        {"phone": {"firmware": "66.84.0.15.rom"}},
        {"phone": {"firmware_downgrade": True}},
        {"settings": {"linekey.3.type": "17"}},
        {"settings": {"linekey.3.type": "27"}},
        {"settings": {"linekey.3.type": "027"}},
        {"settings": {"linekey.3.value": "http://evil.example/x.xml"}},
        {"settings": {"programablekey.2.type": "27"}},
        {"settings": {"expansion_module.1.key.4.type": "17"}},
        {"settings": {"expansion_module.1.key.4.value": "http://evil.example/x.xml"}},
        {"settings": {"softkey.1.action": "http://evil.example/x"}},
    ],
    ids=lambda said: " ".join(next(iter(said.values()))),
)
def test_a_customer_may_not_say_what_hands_over_a_phone_and_an_operator_may(level: str, said: dict[str, Any]):
    old = firma()
    new = firma(old, **at(level, **said))
    assert new != old
    with pytest.raises(Forbidden, match=r"only an operator|under `keys`"):
        check_customer_role(CUSTOMER, old, new)
    check_customer_role(OPERATOR, old, new)


@pytest.mark.parametrize("role", MAY_NOT)
@pytest.mark.parametrize(
    "key",
    [
        {"type": "url", "value": "http://evil.example/x"},
        {"type": "url", "value": "evil.example/x"},
        {"type": "xml_browser", "value": "https://evil.example/x.xml"},
        {"type": "xml_browser", "value": "evil.example/x.xml"},
    ],
)
def test_only_an_operator_gives_keys_foreign_pages(role: Role, key: dict[str, Any]):
    old = firma()
    new = firma(old, **desk(keys=[{"key": 3, **key}]))
    with pytest.raises(Forbidden, match="only an operator"):
        check_customer_role(Actor("x", role), old, new)
    check_customer_role(OPERATOR, old, new)


def test_a_foreign_page_of_an_operator_may_stay_where_it_is_and_nowhere_else():
    key = {"type": "url", "value": "https://example.com/x"}
    old = firma(firma(), **desk(keys=[{"key": 3, **key}]))
    check_customer_role(CUSTOMER, old, firma(old, **desk(name="Biurko")))
    check_customer_role(CUSTOMER, old, firma(old, **desk(keys=[])))
    with pytest.raises(Forbidden):
        check_customer_role(CUSTOMER, old, firma(old, **desk(keys=[{"key": 4, **key}])))


@pytest.mark.parametrize(
    "said",
    [
        {"settings": {"local_time.time_format": "1", "account.1.blf.subscribe_period": "300"}},
        {"settings": {"linekey.3.type": "13"}},
        {"phone": {"language": "en", "time_zone": "Asia/Tokyo", "codecs": ["pcma"], "vlan_id": 5}},
        {"keys": [{"type": "xml_browser", "value": "directory"}, {"type": "blf", "value": "102"}]},
        {"name": "Biurko"},
    ],
)
def test_a_customer_may_say_how_a_phone_looks_and_dials(said: dict[str, Any]):
    old = firma()
    new = firma(old, **desk(**said))
    assert new != old
    check_customer_role(CUSTOMER, old, new)


def test_a_new_phone_of_a_customer_brings_no_way_round():
    old = firma()
    new = phone(MacAddress("001565000003"), "T46S", ONE, settings={"ldap.host": "evil.example"})
    with pytest.raises(Forbidden):
        check_customer_role(
            CUSTOMER, old, firma(old, devices=[{"mac": str(DESK)}, {"mac": str(HALL)}, new])
        )


@pytest.mark.parametrize("role", MAY_NOT)
@pytest.mark.parametrize("level", [{"phone": {"language": "en"}}, {"models": [{"model": "T46S"}]}])
def test_what_reaches_every_customer_is_the_operators_to_say(role: Role, level: dict[str, Any]):
    file = read_company_file(written(vendors=[{"vendor": "yealink", **level}]).encode())
    old = VendorLevel("yealink")
    new = merge_vendor(old, file.vendors[0])
    with pytest.raises(Forbidden, match="ask an operator"):
        check_vendor_role(Actor("x", role), old, new)
    check_vendor_role(OPERATOR, old, new)
