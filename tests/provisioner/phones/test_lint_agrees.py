"""Whatever a company says: lint never fails, and calls refused exactly what `apply` refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Centrex, Customer, Extension, Line, Park, Site
from provisioner.centrex.devices import (
    Device,
    DeviceAccount,
    FirmwareTarget,
    Key,
    KeyType,
    PhoneOptions,
    ResyncWindow,
    VendorLevel,
)
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.problems import Contradictions, Kind, Subject
from provisioner.phones.check import phone_files
from provisioner.phones.describe import Surroundings
from provisioner.phones.lint import lint_company
from provisioner.phones.lint.case import Elsewhere, company_case
from provisioner.phones.render import device_files

LINES = ("48221110001", "48221110002")
MODELS = ("T46S", "T54W", "T22P", "T28P", "VP530P", "T23P", "T42G", "T19P_E2", "W52P", "CP920", "T18", "T99")
FIRMWARE = ("66.86.0.15", "66.81.0.1", "28.72.0.1", "2.70.0.140", "1.99.0.1")


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


settings = st.dictionaries(
    some("lang.gui", "account.9.label", "no.such", "bw.feature_key_sync", "features.dnd.on_code")
    | some("static.auto_provision.server.url", "linekey.20.type", "security.user_password"),
    some("1", "x", "http://192.0.2.1/", "%NULL%"),
    max_size=2,
)
options = st.builds(
    PhoneOptions,
    sip_transport=some(None, "tls", "dns_srv"),
    srtp=some(None, "off", "compulsory"),
    codecs=some(None, ("opus",), ("pcma", "opus")),
    ringtones=some(None, (), ("a.wav",), ("a.wav", "b.wav")),
    logo=some(None, "", "logo.jpg"),
    firmware=some(None, "66.86.0.15.rom", "a.rom", (FirmwareTarget("T46S", "96.86.0.15.rom"),)),
    firmware_downgrade=some(None, True),
    time_zone=some(None, "Asia/Gaza", "Asia/Tokyo", "Africa/Casablanca"),
    vlan_id=some(None, 0, 7),
    lldp=some(None, False),
    boot_mode=some(None, True),
    http_auth=some(None, True),
    action_urls=some(None, True),
    resync=some(None, ResyncWindow("23:55", "00:10")),
    voice_mail=some(None, "*98"),
)
keys = st.builds(
    Key,
    type=st.sampled_from(KeyType),
    value=some("", "101", "199", "*70", "*33101", "224.5.6.20:10008", "directory", "+48225550111"),
    label=some("", "Anna Żółkiewska, sekretariat"),
    account=some(1, 1, 2),
    key=some(None, None, 1, 2, 30),
    memory=some(None, None, None, 1, 11),
    module=some(None, None, None, 1, 2, 21),
)
wild = {
    "model": st.sampled_from(MODELS),
    "site": st.just("Biuro"),
    "accounts": st.lists(
        st.builds(DeviceAccount, some(1, 1, 1, 2, 5, 17), some(*LINES, *LINES, "48221110009")), max_size=2
    ).map(tuple),
    "keys": st.lists(keys, max_size=3).map(tuple) | st.lists(keys, min_size=30, max_size=30).map(tuple),
    "modules": some(0, 1, 9),
    "firmware_seen": st.sampled_from(FIRMWARE),
    "phone": options,
    "settings": settings,
}


def phone(mac: MacAddress, changes: list[tuple[str, Any]]) -> Device:
    return replace(Device(mac, "T46S", accounts=(DeviceAccount(1, LINES[0]),)), **dict(changes))


# Few faults in each: where everything is wrong, one fault hides another.
changes = st.one_of(*(st.tuples(st.just(name), values) for name, values in wild.items()))
devices = st.builds(
    phone,
    some(*(MacAddress(f"00156500000{n}") for n in range(3))),
    st.lists(changes, max_size=3, unique_by=lambda change: change[0]),
)
companies = st.builds(
    Customer,
    login=st.just("firma"),
    name=st.just("Firma"),
    centrex=st.builds(
        Centrex,
        intercom_prefix=some(None, "*33"),
        pickup_prefix=some(None, "*40"),
        park=some(None, Park()),
    ),
    sites=some(
        (Site("Biuro"),),
        (Site("Biuro"),),
        (),
        (Site("Biuro", settings={"no.such": "1", "lang.gui": "Polish"}),),
    ),
    lines=st.just(tuple(Line(number, "telefonia-ip-plus") for number in LINES)),
    extensions=some((), (Extension("101", LINES[0]),), (Extension("101"), Extension("102", LINES[1]))),
    devices=st.lists(devices, max_size=2, unique_by=lambda device: device.mac).map(tuple),
    phone=st.just(PhoneOptions()) | options,
    settings=some({}, {}, {"lang.gui": "Polish"}, {"no.such": "1"}),
)
AROUND = Surroundings(
    VendorLevel("yealink"), PublicAddresses("http://192.0.2.1:8081", "sip.example.com", 5060, "udp"), {}
)


def refused(customer: Customer) -> bool:
    """Whether `apply` would have none of it."""
    try:
        check_whole(customer, {}, {})
        phone_files(customer, AROUND)
    except Contradictions:
        return True
    return False


def has_files(device: Device, customer: Customer) -> bool:
    try:
        device_files(device, customer, AROUND)
    except (CentralkaError, PhoneTemplatesError, ValueError):
        return False
    return True


@given(customer=companies)
def test_lint_has_a_refusal_exactly_where_apply_refuses(customer: Customer):
    refusals = [
        found for found in lint_company(company_case(customer, AROUND, Elsewhere())) if found.is_refusal
    ]
    assert bool(refusals) == refused(customer)
    contradicted = {each.finding.subject for each in refusals if each.finding.code == "contradiction"}
    for device in customer.devices:
        subject = Subject(Kind.DEVICE, str(device.mac))
        if subject not in contradicted:
            explained = any(each.finding.subject == subject for each in refusals)
            assert explained is not has_files(device, customer)
