"""What phones bring to be kept, and what of it another phone takes over."""

from __future__ import annotations

import pytest

from phone_templates.catalogue import Generation, Sensitivity
from phone_templates.yealink.backups import HIDDEN, Backup, BadBackup, backup_called, read_backup, shown
from phone_templates.yealink.carry import carry
from phone_templates.yealink.dialect import EVENTS, event_called
from phone_templates.yealink.files import classify
from phone_templates.yealink.models import find_model
from phone_templates.yealink.parameters import catalogue, sensitivity_of

V70, V71, V80, V86 = Generation.V70, Generation.V71, Generation.V80, Generation.V86
LOCAL = "#!version:1.0.0.1\n" + "account.1.dnd.enable = 1\n"
CONTACTS = b"""<?xml version="1.0" encoding="UTF-8"?>
<root_contact><contact display_name="\xc5\xbbaneta" office_number="102" line="-1"/></root_contact>
"""


@pytest.mark.parametrize(
    ("name", "backup"),
    [
        ("001565aabbcc-local.cfg", Backup.LOCAL),
        ("001565AABBCC-Contact.XML", Backup.CONTACTS),
        ("00:15:65:aa:bb:cc-calllog.xml", Backup.CALL_LOG),
        ("001565aabbcc-sys.log", Backup.SYSTEM_LOG),
        ("001565aabbcc-boot.log", Backup.BOOT_LOG),
        ("001565aabbcc.cfg", None),
        ("001565aabbcc.boot", None),
        ("y000000000066.cfg", None),
        ("-local.cfg", None),
    ],
)
def test_a_backup_is_known_by_its_name(name: str, backup: Backup | None) -> None:
    assert backup_called(classify(name)) is backup


def test_what_phones_read_again_is_kept_as_it_came() -> None:
    assert read_backup(Backup.LOCAL, LOCAL.encode()) == LOCAL
    assert read_backup(Backup.CONTACTS, CONTACTS).encode() == CONTACTS
    assert read_backup(Backup.LOCAL, b"") == ""


@pytest.mark.parametrize(
    ("backup", "content", "why"),
    [
        (Backup.LOCAL, b"account.1.label = \xff", "not UTF-8"),
        (Backup.LOCAL, b"PK\x03\x04", "line 1"),
        (Backup.LOCAL, b"a.b = 1\n[ network ]\n", "line 2"),
        (Backup.LOCAL, b"a.b = \x00", "NUL"),
        (Backup.CONTACTS, b"", "not XML"),
        (Backup.CONTACTS, b"<root_contact>", "not XML"),
        (Backup.CALL_LOG, b"hello", "not XML"),
        (Backup.CONTACTS, CONTACTS.replace(b"UTF-8", b"UTF-16"), "not XML"),
        (Backup.CONTACTS, '<?xml version="1.0"?><a/>'.encode("utf-16"), "not UTF-8"),
        (Backup.CONTACTS, b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "document type"),
        (Backup.CONTACTS, b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "document type"),
        (Backup.CONTACTS, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "type"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(backup: Backup, content: bytes, why: str) -> None:
    with pytest.raises(BadBackup, match=why):
        read_backup(backup, content)


def test_a_billion_laughs_are_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><a x="&l19;">&l19;</a>'
    with pytest.raises(BadBackup):
        read_backup(Backup.CONTACTS, bomb.encode())


def test_a_log_is_taken_whatever_is_in_it_and_shows_no_terminal_codes() -> None:
    text = read_backup(Backup.SYSTEM_LOG, b"<131>Jan  1 sua \x1b[2J\x00\xff\tregistered\r\nnext\n")
    assert text == "<131>Jan  1 sua ?[2J?\ufffd\tregistered\nnext\n"


def test_secrets_are_hidden_where_people_read_changes() -> None:
    text = (
        "#!version:1.0.0.1\naccount.1.label = Biuro\naccount.1.password = geheim\n"
        "phone_setting.phone_lock.unlock_pin = 4711\nnever.heard.of.password = geheim\nldap.password =\n"
    )
    assert shown(Backup.LOCAL, text) == (
        f"account.1.label = Biuro\naccount.1.password = {HIDDEN}\n"
        f"phone_setting.phone_lock.unlock_pin = {HIDDEN}\nnever.heard.of.password = {HIDDEN}\n"
        "ldap.password = \n"
    )


def test_what_shows_contacts_sends_nothing_to_the_terminal() -> None:
    assert shown(Backup.CONTACTS, "<a>\x9b2J</a>\r\n") == "<a>?2J</a>\n"


@pytest.mark.parametrize(
    ("name", "sensitivity"),
    [
        ("account.3.password", Sensitivity.SECRET),
        ("account.1.label", Sensitivity.PLAIN),
        ("action_url.registered", Sensitivity.TAKEOVER),
        ("static.network.vpn_enable", Sensitivity.TAKEOVER),
        ("auto_provision.server.url", Sensitivity.TAKEOVER),
        ("made_up.api.password", Sensitivity.SECRET),
        ("made_up.colour", Sensitivity.PLAIN),
    ],
)
def test_a_name_is_judged_in_whatever_generation_and_unknown_ones_by_their_looks(
    name: str, sensitivity: Sensitivity
) -> None:
    assert sensitivity_of(name) is sensitivity


@pytest.mark.parametrize(
    ("name", "before", "now", "respelled"),
    [
        ("account.1.label", V86, V70, "account.1.label"),
        ("account.4.expires", V80, V86, "account.4.sip_server.1.expires"),
        ("account.4.sip_server.1.expires", V86, V70, "account.4.expires"),
        ("account.1.sip_server.2.expires", V86, V70, None),
        ("account.1.sip_server.2.address", V86, V70, "account.1.backup_sip_server_host"),
        ("network.vlan.internet_port_vid", V80, V86, "static.network.vlan.internet_port_vid"),
        ("static.network.vlan.internet_port_vid", V86, V70, "network.vlan.internet_port_vid"),
        ("account.1.codec.2.enable", V80, V86, None),
        ("auto_provision.mode", V80, V86, None),
        ("account.1.sip_trust_ctrl", V71, V86, None),
        ("made_up.colour", V80, V86, None),
    ],
)
def test_only_the_very_same_parameter_is_respelled(
    name: str, before: Generation, now: Generation, respelled: str | None
) -> None:
    assert catalogue().respelled(name, before, now) == respelled


def test_changes_carry_over_to_another_model_and_what_does_not_is_named() -> None:
    changes = [
        ("account.1.dnd.enable", "1"),
        ("account.16.label", "Magazyn"),
        ("linekey.2.label", "Anna"),
        ("linekey.25.label", "Ola"),
        ("phone_setting.ring_type", "Ring2.wav"),
        ("account.1.ringtone.ring_type", ""),
        ("account.1.password", "geheim"),
        ("action_url.off_hook", "http://192.0.2.66/"),
        ("features.made_up", "1"),
        ("account.1.missed_calllog", "rubbish"),
    ]
    carried = carry(changes, Generation.V86, find_model("T31P"), Generation.V86)
    assert dict(carried.settings) == {
        "account.1.dnd.enable": "1",
        "phone_setting.ring_type": "Ring2.wav",
        "account.1.ringtone.ring_type": "%NULL%",
        "linekey.2.label": "Anna",
    }
    reasons = {left.name: left.reason for left in carried.left}
    assert "the T31 has" in reasons["account.16.label"]
    assert "the T31 has" in reasons["linekey.25.label"]
    assert "company file" in reasons["account.1.password"]
    assert "company file" in reasons["action_url.off_hook"]
    assert "has no parameter" in reasons["features.made_up"]
    assert "not a switch" in reasons["account.1.missed_calllog"]
    assert not any("geheim" in reason for reason in reasons.values())


def test_changes_of_older_firmware_get_the_newer_names() -> None:
    carried = carry(
        [("account.1.expires", "600"), ("network.vlan.internet_port_vid", "20")],
        Generation.V80,
        find_model("T46S"),
        Generation.V86,
    )
    assert ("account.1.expires", "account.1.sip_server.1.expires") in carried.respelled
    assert carried.settings == (("account.1.sip_server.1.expires", "600"),)
    # Phones keep what has `static.` before it out of the file of users' changes.
    [left] = carried.left
    assert "static.network.vlan.internet_port_vid" in left.reason


def test_every_event_that_any_generation_reports_is_known_by_one_name() -> None:
    assert event_called("log_on") == event_called("registered") == "registered"
    assert event_called("log_off") == event_called("unregistered") == "unregistered"
    assert event_called("made_up") is None
    no_events = {"report_server", "show_msgbox", "is_ume", "vpn_ip", "alarm.trigger"}
    known = {
        parameter.name.removeprefix("action_url.")
        for generation in Generation
        for parameter in catalogue().parameters(generation)
        if parameter.name.startswith("action_url.")
    }
    assert known - no_events == set(EVENTS)
