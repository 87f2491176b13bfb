"""A listed device becomes the description that its files are written from."""

from __future__ import annotations

from typing import Any

import pytest

from phone_templates import spec
from phone_templates.values import Joined, Secret
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.phones.render import customer_files, first_contact_files
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, phone
from tests.provisioner.phones.describing import company, described, vendor


def desk(*lines: str, **more: Any) -> dict[str, Any]:
    return {"devices": [phone(DESK, "T46S", *lines, **more), phone(HALL, "VP530P", TWO)]}


def test_an_account_registers_its_line_at_the_public_address():
    (account,) = described(company()).accounts
    assert (account.user_name, account.password) == (ONE, Secret(f"line/{ONE}/password@1"))
    assert (account.server_host, account.server_port) == ("sip.example.com", 5060)
    assert account.transport is spec.Transport.UDP


def test_an_account_is_shown_by_its_label_then_the_extensions_name_then_numbers():
    accounts = [{"account": 1, "line": ONE, "label": "Centrala"}]
    labelled = company(devices=[{"mac": str(DESK), "model": "T46S", "accounts": accounts}])
    assert described(labelled).accounts[0].label == "Centrala"
    assert described(company()).accounts[0].label == "Recepcja"
    nameless = [{"number": "101", "line": ONE}]
    groups = {"hunt_groups": []}
    assert described(company(extensions=nameless, **groups)).accounts[0].label == "101"
    assert described(company(extensions=[], **groups)).accounts[0].label == ONE


def test_of_two_extensions_of_a_line_the_lower_number_is_shown():
    both = [{"number": number, "line": ONE, "name": f"Osoba {number}"} for number in ("102", "101")]
    assert described(company(extensions=both)).accounts[0].label == "Osoba 101"


def test_options_of_the_nearest_level_outrank_the_public_address():
    customer = company(phone={"sip_host": "other.example.com", "sip_port": 5070, "sip_transport": "tls"})
    (account,) = described(customer).accounts
    assert (account.server_host, account.server_port) == ("other.example.com", 5070)
    assert account.transport is spec.Transport.TLS


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("proxy.example.com", "proxy.example.com", None),
        ("proxy.example.com:5070", "proxy.example.com", 5070),
        ("192.0.2.7:5070", "192.0.2.7", 5070),
        ("2001:db8::1", "2001:db8::1", None),
        ("[2001:db8::1]:5070", "[2001:db8::1]", 5070),
    ],
)
def test_an_outbound_proxy_is_a_host_with_or_without_a_port(text: str, host: str, port: int | None):
    (account,) = described(company(phone={"outbound_proxy": text})).accounts
    expected = spec.OutboundProxy(host) if port is None else spec.OutboundProxy(host, port)
    assert account.outbound_proxy == expected


def test_addresses_carry_the_token_that_they_are_meant_for():
    files = {"logo": "logo.dob", "ringtones": ["a-b.wav"], "firmware": "66.86.0.15.rom"}
    told = described(company(phone={**files, "action_urls": "true"}))
    base = "http://192.0.2.1:8081/"
    token, service = Secret(f"device/{DESK.hex}/token@1"), Secret(f"device/{DESK.hex}/service-token@1")
    assert told.provisioning_url == Joined((base, token, "/"))
    assert told.phone_books == (spec.PhoneBook("Firma", Joined((base, service, "/phonebook.xml"))),)
    assert told.logo == Joined((base, service, "/media/logo.dob"))
    assert told.ringtones == (Joined((base, service, "/media/a-b.wav")),)
    assert told.firmware_url == Joined((base, service, "/firmware/66.86.0.15.rom"))
    assert told.action_url_base == Joined((base, service, "/action"))
    assert described(company()).action_url_base is None


def test_a_phone_that_proves_itself_by_digest_is_told_no_url_with_its_token():
    told = described(company(phone={"http_auth": "true"}))
    assert told.provisioning_url == "http://192.0.2.1:8081/auth/"
    token = Secret(f"device/{DESK.hex}/token@1")
    assert told.provisioning_login == spec.ProvisioningLogin(DESK.hex, token)
    assert described(company()).provisioning_login is None
    elsewhere = {"static.auto_provision.server.url": "http://other.example/"}
    foreign = company(phone={"http_auth": "true"}, settings=elsewhere)
    assert described(foreign).provisioning_login is None


def test_a_browser_key_names_a_page_of_ours_by_one_word():
    keys = [{"type": "xml_browser", "value": "directory"}, {"type": "xml_browser", "value": "http://a.example/"}]
    ours, foreign = described(company(**desk(ONE, keys=keys))).keys
    assert isinstance(ours.value, Joined)
    assert ours.value.parts[-1] == "/browser/directory.xml"
    assert foreign.value == "http://a.example/"


def test_codes_of_services_that_are_off_are_told_to_nobody():
    codes = described(company(centrex={"park": None, "pickup": None})).codes
    assert (codes.park, codes.retrieve, codes.pickup, codes.intercom) == (None, None, None, None)
    codes = described(company(centrex={"intercom": {"prefix": "*33"}, "codes": {"dnd_on": "*78"}})).codes
    assert (codes.pickup, codes.intercom, codes.dnd_on) == ("*40", "*33", "*78")


def test_a_line_of_nobody_is_refused():
    with pytest.raises(NotFound, match="48999999999"):
        described(company(devices=[phone(DESK, "T46S", "48999999999")]))


@pytest.mark.parametrize(
    ("start", "end"),
    [("02:00", "05:00"), ("22:00", "06:00"), ("23:55", "00:30"), ("23:58", "06:00"), ("00:00", "00:00")],
)
def test_each_phone_has_its_own_minutes_of_the_window_on_one_side_of_midnight(start: str, end: str):
    def minute(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    said = vendor(phone={"resync": {"start": start, "end": end}})
    begin, length = minute(start), (minute(end) - minute(start)) % 1440 or 1440
    slots = set()
    for number in range(100):
        mac = MacAddress(f"001565{number:06x}")
        resync = described(company(devices=[phone(mac, "T46S", ONE)]), mac, said).resync
        assert resync is not None
        assert 0 <= resync.begin_minute < resync.end_minute < 1440
        assert (resync.begin_minute - begin) % 1440 < length
        slots.add(resync.begin_minute)
    assert len(slots) > 15
    again = described(company(), said=said).resync
    assert again == described(company(name="Inna"), said=said).resync


def test_the_phone_book_lists_published_people_and_groups_by_name():
    extensions = [
        {"number": "101", "line": ONE, "name": "Żaneta & <synowie>", "published": True},
        {"number": "102", "line": TWO, "name": "Anna", "published": True},
        {"number": "103", "name": "Cicha"},
    ]
    (text,) = customer_files(company(extensions=extensions)).values()
    assert text.index("Anna") < text.index("Sprzedaż") < text.index("Żaneta &amp; &lt;synowie&gt;")
    assert "Cicha" not in text


def test_first_contact_tells_the_vendors_language_and_clock_and_nothing_else():
    secret = {"ldap.password": "Tajne", "network.vlan.internet_port_vid": "7"}
    said = vendor(phone={"language": "en", "time_zone": "Asia/Tokyo", "vlan_id": 7}, settings=secret)
    plain, told = first_contact_files(VendorLevel("yealink")), first_contact_files(said)
    assert plain.keys() == told.keys()
    assert len(told) > 40
    for model, text in told.items():
        assert "local_time.time_zone = +9" in text, model
        assert "English" in text, model
        assert not any(word in text for word in ("Tajne", "vlan", "://", "account.")), model
