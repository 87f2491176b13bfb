"""Lint: every rule finds what it is for in a small company, and nothing in a sound one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from phone_templates.catalogue import Generation
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.customer import (
    Centrex,
    Customer,
    Extension,
    HuntGroup,
    Line,
    Member,
    Site,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import (
    Device,
    DeviceAccount,
    FirmwareTarget,
    Key,
    KeyType,
    ModelLevel,
    PhoneOptions,
    VendorLevel,
)
from provisioner.centrex.mac import MacAddress
from provisioner.phones.describe import Surroundings
from provisioner.phones.lint import CODES, lint_company, lint_wide
from provisioner.phones.lint.case import Elsewhere, FirmwareState, Wide, company_case
from provisioner.phones.lint.finding import Finding, Severity, worst_first

ONE, TWO, THREE = "48221110001", "48221110002", "48221110003"
DESK, HALL = MacAddress("001565000001"), MacAddress("001565000002")
PUBLIC = PublicAddresses("http://192.0.2.1:8081", "sip.example.com", 5060, "udp")
VENDOR = VendorLevel("yealink")
PLUS = "telefonia-ip-plus"


def phone(mac: MacAddress = DESK, model: str = "T46S", line: str = ONE, **more: Any) -> Device:
    return Device(mac, model, accounts=(DeviceAccount(1, line),), **more)


def keys(*said: Key, **more: Any) -> tuple[Device, ...]:
    """The desk's phone with these keys, and the hall's."""
    return (phone(keys=said, **more), phone(HALL, "T54W", TWO))


def firma(**changes: Any) -> Customer:
    """Two phones, two lines, two extensions and a group of both: nothing wrong anywhere."""
    sound = Customer(
        "firma",
        "Firma",
        centrex=Centrex(intercom_prefix="*33"),
        lines=(Line(ONE, PLUS), Line(TWO, PLUS)),
        extensions=(Extension("101", ONE, "Recepcja"), Extension("102", TWO, "Biuro")),
        hunt_groups=(HuntGroup("600", "Sprzedaż", members=(Member("101"), Member("102"))),),
        devices=(phone(), phone(HALL, "T54W", TWO)),
    )
    return replace(sound, **changes)


def look(
    customer: Customer, vendor: VendorLevel = VENDOR, public: PublicAddresses = PUBLIC, **elsewhere: Any
) -> list[Finding]:
    around = Surroundings(vendor, public, {})
    return worst_first(lint_company(company_case(customer, around, Elsewhere(**elsewhere))))


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


@dataclass(frozen=True)
class Case:
    """A company with one thing wrong."""

    code: str
    subject: str
    customer: Customer
    more: dict[str, Any] = field(default_factory=dict)
    "What is wrong around it."
    also: tuple[str, ...] = ()
    "What else is found then."


def case(code: str, subject: object, customer: Customer, *also: str, **more: Any) -> Case:
    return Case(code, str(subject), customer, more, also)


def optioned(model: str = "T46S", seen: str | None = None, **options: Any) -> Customer:
    """The desk's phone with these options."""
    desk = phone(model=model, phone=PhoneOptions(**options), firmware_seen=seen)
    return firma(devices=(desk, phone(HALL, "T54W", TWO)))


BLF, DIAL = KeyType.BLF, KeyType.SPEED_DIAL
HTTPS = replace(PUBLIC, provisioning_url="https://pbx.example.com")
OTHER_ROM, OLD_ROM = "T54W-96.86.0.20.rom", "T46S-66.84.0.15.rom"
GOOD = {OTHER_ROM: FirmwareState.GOOD, OLD_ROM: FirmwareState.GOOD}
ALONE = (phone(HALL, "T54W", TWO),)

CASES = (
    case("too-many-modules", DESK, firma(devices=keys(modules=7))),
    case("no-such-module", DESK, firma(devices=keys(Key(BLF, "102", module=2, key=1), modules=1))),
    case("no-such-module", DESK, firma(devices=keys(Key(BLF, "102", module=1, key=1), model="T42S"))),
    case("no-such-key", DESK, firma(devices=keys(Key(BLF, "102", key=28)))),
    case("no-such-key", DESK, firma(devices=keys(Key(BLF, "102", memory=1)))),
    case("no-such-key", DESK, firma(devices=keys(Key(BLF, "102", module=1, key=41), modules=1))),
    case(
        "service-off",
        DESK,
        firma(
            centrex=Centrex(pickup_prefix=None, intercom_prefix="*33"),
            devices=keys(Key(KeyType.GROUP_PICKUP)),
        ),
    ),
    case("service-off", DESK, firma(centrex=Centrex(), devices=keys(Key(KeyType.INTERCOM, "102")))),
    case("service-off", DESK, firma(centrex=Centrex(park=None), devices=keys(Key(KeyType.PARK)))),
    case(
        "impossible-key", DESK, firma(devices=keys(Key(KeyType.LINE, memory=1), model="T28P")), "model-doubts"
    ),
    case("impossible-key", DESK, firma(devices=keys(Key(KeyType.PAGING, "192.0.2.7:10008")))),
    case("too-many-keys", DESK, firma(devices=keys(*(Key(BLF, "102") for _ in range(27))))),
    case("no-such-extension", DESK, firma(devices=keys(Key(BLF, "199")))),
    case("no-such-extension", DESK, firma(devices=keys(Key(KeyType.PICKUP, "199")))),
    case(
        "blf-without-line",
        DESK,
        firma(
            extensions=(*firma().extensions, Extension("103")),
            devices=keys(Key(BLF, "103")),
        ),
        "extension-without-line",
    ),
    case("blf-of-itself", DESK, firma(devices=keys(Key(BLF, "101")))),
    case("blf-of-itself", DESK, firma(devices=keys(Key(BLF, ONE)))),
    case("speed-dial-to-nowhere", DESK, firma(devices=keys(Key(DIAL, "34")))),
    case("speed-dial-to-nowhere", DESK, firma(devices=keys(Key(DIAL, "*98")))),
    case("code-twice", DESK, firma(devices=keys(Key(KeyType.PARK, "*70")))),
    case("code-twice", DESK, firma(devices=keys(Key(KeyType.INTERCOM, "*33102")))),
    case(
        "retrieve-by-dialling",
        DESK,
        firma(devices=keys(Key(KeyType.RETRIEVE), model="T23P", firmware_seen="44.80.0.5")),
    ),
    case("label-too-long", DESK, firma(devices=keys(Key(BLF, "102", "Anna Żółkiewska, sekretariat")))),
    case(
        "account-beyond-model",
        DESK,
        firma(devices=(replace(phone(), accounts=(DeviceAccount(17, ONE),)), *ALONE)),
    ),
    case(
        "account-beyond-model",
        DESK,
        firma(
            devices=(
                replace(phone(model="T42G", firmware_seen="29.72.0.1"), accounts=(DeviceAccount(4, ONE),)),
                *ALONE,
            )
        ),
        "model-doubts",
    ),
    case("password-untypeable", ONE, firma(), passwords={ONE: 'haslo"tajne', TWO: "haslo"}),
    case("password-too-long", ONE, firma(), passwords={ONE: "a" * 65, TWO: "a" * 64}),
    case(
        "password-too-long",
        ONE,
        firma(devices=keys(model="T23P", firmware_seen="44.80.0.5")),
        passwords={ONE: "a" * 32, TWO: "a" * 32},
    ),
    case("line-unused", THREE, firma(lines=(*firma().lines, Line(THREE, PLUS)))),
    case("extension-without-line", "103", firma(extensions=(*firma().extensions, Extension("103")))),
    case("group-unreachable", "601", firma(hunt_groups=(*firma().hunt_groups, HuntGroup("601")))),
    case(
        "shared-line-reboots",
        ONE,
        firma(devices=(*firma().devices, phone(MacAddress("001565000003"), "T32G"))),
    ),
    case("old-tls-provisioning", DESK, optioned("T22P"), public=HTTPS),
    case("old-tls-possible", DESK, optioned("T48G"), public=HTTPS),
    case("old-tls-sip", DESK, optioned("T22P", sip_transport="tls")),
    case("old-roots", DESK, optioned("T23P", seen="44.80.0.5"), public=HTTPS),
    case("srtp-without-tls", DESK, optioned(srtp="compulsory")),
    case("codec-lacking", DESK, optioned("T22P", codecs=("opus", "pcma"))),
    case("codec-lacking", DESK, optioned(seen="66.81.0.25", codecs=("opus", "pcma"))),
    case("vlan-without-lldp", DESK, optioned(vlan_id=120, lldp=False)),
    case("boot-mode-ignored", DESK, optioned("T22P", boot_mode=True)),
    case("backups-ignored", DESK, optioned("T22P", backups=True)),
    case("login-not-exported", "firma", optioned(http_auth=True)),
    case("time-zone-inexact", "firma", firma(time_zone="Asia/Gaza")),
    case("firmware-prefix", DESK, optioned(firmware=OTHER_ROM), firmware=GOOD),
    case("firmware-missing", DESK, optioned(firmware=OLD_ROM)),
    case("firmware-prefix", DESK, optioned(firmware="new.rom")),
    case("firmware-prefix", DESK, optioned(firmware=(FirmwareTarget("T46S", OLD_ROM),)), firmware=GOOD),
    case("firmware-prefix", "firma", firma(phone=PhoneOptions(firmware=(FirmwareTarget("T54W", OLD_ROM),)))),
    case(
        "firmware-missing", DESK, optioned(firmware=OLD_ROM), firmware={OLD_ROM: FirmwareState.DAMAGED}
    ),
    case("firmware-downgrade", DESK, optioned(firmware=OLD_ROM, seen="66.86.0.15"), firmware=GOOD),
    case(
        "firmware-downgrade",
        DESK,
        optioned(firmware=OLD_ROM, seen="66.86.0.15", firmware_downgrade=True),
        firmware=GOOD,
    ),
    case(
        "firmware-stuck",
        DESK,
        optioned(firmware=OLD_ROM, seen="66.84.0.5"),
        firmware=GOOD,
        times_fetched={DESK: 3},
    ),
    case("firmware-unknown", DESK, optioned(seen="66.99.0.1")),
    case("firmware-unknown", DESK, optioned(seen="96.86.0.1")),
    case("media-missing", DESK, optioned(logo="logo.jpg")),
    case("media-missing", DESK, optioned(ringtones=("bell.wav",))),
    case("logo-unshown", DESK, optioned("CP920", logo="logo.jpg"), media_files={"logo.jpg"}),
    case("other-model", DESK, firma(), agents={DESK: "Yealink SIP-T54W 96.86.0.20 00:15:65:00:00:01"}),
    case("model-doubts", "T43U", optioned("T43U")),
    case("bad-setting", DESK, firma(devices=keys(settings={"no.such": "1"}))),
    case("bad-setting", DESK, firma(devices=keys(settings={"account.17.label": "x"}))),
    case("bad-setting", "firma", firma(settings={"no.such": "1"})),
    case(
        "key-sync-and-codes",
        DESK,
        firma(devices=keys(settings={"bw.feature_key_sync": "1", "features.dnd.on_code": "*26"})),
        "key-sync",
    ),
    case("key-sync", "firma", firma(settings={"bw.feature_key_sync": "1"})),
    case(
        "overrides-ours",
        "firma",
        firma(settings={"static.auto_provision.server.url": "http://192.0.2.66/"}),
    ),
    case("single-source", DESK, firma(devices=keys(settings={"account.1.anonymous_call_mode": "1"}))),
    case("unheard-setting", "firma", firma(settings={"syslog.mode": "1"})),
    case(
        "unheard-setting",
        "Biuro",
        firma(
            sites=(Site("Biuro", settings={"expansion_module.1.key.1.label": "x"}),),
            devices=(phone(model="T42S", site="Biuro"), *ALONE),
        ),
    ),
    case("contradiction", "103", firma(extensions=(*firma().extensions, Extension("103", THREE)))),
    case("contradiction", DESK, firma(), taken_macs={DESK: "inna"}),
    case("unknown-model", DESK, firma(devices=(phone(model="T99"), *ALONE))),
    case("unwritable", DESK, optioned(ringtones=("a.wav", "b.wav")), media_files={"a.wav", "b.wav"}),
    case("unwritable", DESK, optioned("T22P", codecs=("opus",)), "codec-lacking"),
)


def test_a_sound_company_has_nothing_said_of_it():
    assert look(firma(), passwords={ONE: "haslo", TWO: "haslo"}) == []


@pytest.mark.parametrize("wrong", CASES, ids=lambda each: each.code)
def test_a_rule_finds_what_it_is_for_and_no_other_does(wrong: Case):
    findings = look(wrong.customer, **wrong.more)
    assert codes(findings) == {wrong.code, *wrong.also}
    (finding,) = (each for each in findings if each.code == wrong.code)
    assert finding.subject is not None
    assert finding.subject.name == wrong.subject
    assert finding.message
    assert finding.advice


def test_every_rule_has_a_case():
    assert {each.code for each in CASES} == CODES


def test_the_same_company_has_the_same_findings_in_the_same_order_whichever_way_its_lists_stand():
    wrong = firma(
        lines=(*firma().lines, Line(THREE, PLUS)),
        extensions=(*firma().extensions, Extension("103"), Extension("104")),
        devices=keys(Key(BLF, "199"), Key(BLF, "103"), Key(DIAL, "7"), phone=PhoneOptions(logo="a.jpg")),
    )
    turned = replace(
        wrong,
        lines=wrong.lines[::-1],
        extensions=wrong.extensions[::-1],
        devices=tuple(replace(device, keys=device.keys[::-1]) for device in wrong.devices[::-1]),
    )
    findings = look(wrong)
    assert look(turned) == findings
    assert [each.severity for each in findings] == sorted(
        (each.severity for each in findings), key=tuple(Severity).index
    )
    assert {each.severity for each in findings} == set(Severity)


@pytest.mark.parametrize(
    "value", ["112", "34", "102", "600", "48225550111", "+48225550111", "*40", "*33102", "*98", "#21#"]
)
def test_a_speed_dial_may_go_wherever_the_company_or_the_world_answers(value: str):
    company = firma(
        centrex=Centrex(intercom_prefix="*33", speed_dial=SpeedDial(3, (SpeedDialEntry("34", TWO),))),
        devices=keys(Key(DIAL, value), phone=PhoneOptions(voice_mail="*98")),
    )
    assert look(company) == []


@pytest.mark.parametrize("watched", ["102", TWO, "600"])
def test_a_lamp_may_watch_a_colleague_a_line_or_a_group(watched: str):
    assert look(firma(devices=keys(Key(BLF, watched)))) == []


def test_a_lamp_for_a_line_that_the_phone_shares_on_another_account_is_no_fault():
    shared = phone(keys=(Key(BLF, "102"),))
    shared = replace(shared, accounts=(*shared.accounts, DeviceAccount(2, TWO)))
    assert look(firma(devices=(shared, *ALONE))) == []


def test_a_line_of_a_customers_own_exchange_needs_no_phone():
    assert look(firma(lines=(*firma().lines, Line(THREE, "biznes-trunk")))) == []


def test_a_group_is_reached_through_another_and_groups_in_a_circle_end():
    inner, outer = (
        HuntGroup("602", members=(Member("101"),)),
        HuntGroup("601", members=(Member(group="602"),)),
    )
    assert look(firma(hunt_groups=(inner, outer))) == []
    circle = replace(inner, members=(Member(group="601"),))
    findings = look(firma(hunt_groups=(circle, outer)))
    assert codes(findings) == {"group-unreachable", "contradiction"}


def test_a_password_stays_out_of_the_findings():
    findings = look(firma(), passwords={ONE: 'bardzo"tajne' * 6})
    assert codes(findings) == {"password-untypeable", "password-too-long"}
    assert not any("tajne" in str(finding) for finding in findings)


def test_a_device_behind_many_faults_has_all_of_them_said_at_once():
    wrong = keys(
        Key(BLF, "102", key=99),
        Key(KeyType.LINE, module=1, key=1),
        Key(KeyType.INTERCOM, "102"),
        Key(KeyType.PAGING, "nowhere"),
        Key(BLF, "102", account=2),
        settings={"no.such": "1", "nor.this": "1"},
        phone=PhoneOptions(firmware="96.86.0.20.rom", srtp="optional"),
    )
    company = firma(centrex=Centrex(intercom_prefix=None), devices=wrong)
    findings = [each for each in look(company) if each.subject and each.subject.name == str(DESK)]
    assert sorted(each.code for each in findings) == [
        "bad-setting",
        "bad-setting",
        "contradiction",
        "firmware-prefix",
        "impossible-key",
        "no-such-key",
        "no-such-module",
        "service-off",
        "srtp-without-tls",
    ]


@pytest.mark.parametrize("model", ["T22P", "T48G"])
def test_old_phones_reach_a_listener_for_old_tls(model: str):
    assert look(optioned(model), public=HTTPS, speaks_old_tls=True) == []


def test_what_is_said_of_a_vendor_and_its_models_reaches_some_phone():
    vendor = VendorLevel(
        "yealink",
        settings={"syslog.mode": "1", "lang.gui": "Polish"},
        models=(ModelLevel("T46S", settings={"memorykey.1.label": "x"}), ModelLevel("T22P")),
    )
    new = frozenset({("T46S", Generation.V86)})
    found = worst_first(lint_wide(Wide(vendor, new)))
    assert [(each.code, each.customer, str(each.subject)) for each in found] == [
        ("unheard-setting", None, "vendor yealink"),
        ("unheard-setting", None, "model T46S"),
    ]
    assert "syslog.mode" in found[0].message
    assert lint_wide(Wide(vendor, frozenset({("T28P", Generation.V70)}))) == []
    assert lint_wide(Wide(vendor, frozenset())) == []


def test_a_wide_word_that_is_unsure_is_said_once_for_all_phones_and_of_no_customer():
    vendor = VendorLevel("yealink", settings={"account.1.anonymous_call_mode": "1"})
    (finding,) = look(firma(), vendor=vendor)
    assert (finding.code, finding.customer, str(finding.subject)) == ("single-source", None, "vendor yealink")
