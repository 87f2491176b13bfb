"""Which parameters each firmware generation knows, which values they take, and what they give away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates.catalogue import (
    BadParameterValue,
    Generation,
    Kind,
    NoSuchSlot,
    Sensitivity,
    UnknownParameter,
)
from phone_templates.yealink.models import find_model
from phone_templates.yealink.parameters import catalogue

V70, V71, V80, V81, V86 = Generation
VECTORS = Path(__file__).parents[1] / "vectors/yealink"
PREFIXED = [line.split("\t") for line in (VECTORS / "static_renames.tsv").read_text().splitlines()[1:]]
# lang is not static; base stations read the third without the prefix (13 sources to 6).
NOT_PREFIXED = {"lang.gui", "lang.wui", "auto_provision.handset_configured.enable"}


def knows(name: str) -> set[Generation]:
    return {generation for generation in Generation if catalogue().find(name, generation)}


def check(name: str, value: object, model: str = "T46S", firmware: str | None = None) -> str:
    phone = find_model(model)
    return catalogue().check(name, value, phone.generation(firmware), phone)


# Mistake 1: names of V71 and later sent to V70.
@pytest.mark.parametrize(
    "name",
    [
        "account.1.sip_server.1.address",
        "account.1.sip_server.1.port",
        "account.1.sip_server.1.expires",
        "account.1.sip_server.2.retry_counts",
        "account.1.sip_server.1.transport_type",
        "account.1.outbound_proxy.1.address",
        "account.1.outbound_proxy.1.port",
        "account.1.codec.pcma.enable",
        "auto_provision.dhcp_option.enable",
        "sip.trust_ctrl",
        "sip.notify_reboot_enable",
        "linekey.1.extension",
        "memorykey.1.extension",
        "expansion_module.1.key.1.extension",
        "action_url.registered",
        "action_url.setup_autop_finish",
        "static.auto_provision.server.url",
    ],
)
def test_v70_does_not_know_what_came_later(name):
    assert V70 not in knows(name)


def test_nothing_of_v70_numbers_a_server_or_a_proxy():
    names = [parameter.name for parameter in catalogue().parameters(V70)]
    assert [name for name in names if ".sip_server." in name or ".outbound_proxy." in name] == []


@pytest.mark.parametrize(
    "name",
    [
        "account.1.sip_server_host",
        "account.1.sip_server_port",
        "account.1.expires",
        "account.1.outbound_host",
        "account.1.outbound_proxy_enable",
        "account.1.transport",
        "account.1.codec.1.priority",
        "account.1.sip_trust_ctrl",
        "linekey.1.pickup_value",
        "memorykey.10.pickup_value",
        "auto_provision.mode",
        "auto_provision.dhcp_enable",
        "auto_provision.pnp_enable",
        "auto_provision.server.url",
        "auto_provision.weekly.enalbe",
        "action_url.log_on",
        "syslog.mode",
        "syslog.server",
        "security.user_password",
        "local_time.time_zone",
    ],
)
def test_v70_knows_its_own_spellings_from_two_sources(name):
    assert catalogue().find(name, V70).trusted


# Mistakes 2 and 3: `static.` missing since V81, or sent to V80 and older.
@pytest.mark.parametrize(("bare", "prefixed"), PREFIXED, ids=lambda name: name)
def test_static_is_spelled_since_v81_and_never_before(bare, prefixed):
    bare, prefixed = bare.replace("X", "1"), prefixed.replace("X", "1")
    assert not knows(prefixed) & {V70, V71, V80}
    if bare not in NOT_PREFIXED:
        assert knows(prefixed) == {V81, V86}
        assert not knows(bare) & {V81, V86}
        assert knows(bare), "one of the older generations had it"


def test_no_generation_before_v81_has_any_static_name():
    for generation in (V70, V71, V80):
        assert not [p.name for p in catalogue().parameters(generation) if p.name.startswith("static.")]


def test_the_language_is_never_static():
    assert knows("lang.gui") == knows("lang.wui") == set(Generation)
    assert knows("static.lang.gui") == set()


def test_no_name_of_v81_has_two_spellings_but_two_of_base_stations():
    names = {parameter.name for parameter in catalogue().parameters(V81)}
    both = {name for name in names if f"static.{name}" in names}
    assert both == {"auto_provision.handset_configured.enable", "auto_provision.custom.handset.protect"}


def test_old_account_names_end_with_v80():
    assert knows("account.1.sip_server_host") == {V70, V71, V80}
    assert knows("account.1.transport") == {V70, V71, V80}
    assert knows("account.1.sip_server.1.transport_type") == {V80, V81, V86}
    assert knows("account.1.sip_server.1.address") == {V71, V80, V81, V86}


def test_codecs_by_number_end_with_v81():
    assert knows("account.1.codec.2.priority") == {V70, V71, V80, V81}
    assert knows("account.1.codec.pcma.priority") >= {V81, V86}


def test_check_sync_without_reboot_can_be_asked_for_since_v71():
    assert knows("sip.notify_reboot_enable") == {V71, V80, V81, V86}


def test_what_v70_and_v80_knew_v71_knew_too():
    assert knows("account.1.fallback.timeout") >= {V70, V71, V80}


def test_a_name_of_one_source_is_known_but_not_trusted():
    assert catalogue().find("auto_provision.power_on", V70).sources == 1
    assert not catalogue().find("auto_provision.power_on", V70).trusted
    assert catalogue().find("account.1.label", V70).sources == 23


def test_sources_are_counted_apart_for_older_and_newer_firmware():
    assert catalogue().find("action_url.setup_autop_finish", V80).sources == 1
    assert catalogue().find("action_url.setup_autop_finish", V81).sources == 31


@pytest.mark.parametrize(
    ("model", "firmware", "name", "nearest"),
    [
        ("VP530P", None, "account.3.sip_server.1.address", "account.3.sip_server_host"),
        ("VP530P", None, "static.auto_provision.server.url", "auto_provision.server.url"),
        ("VP530P", None, "action_url.registered", "action_url.log_on"),
        ("T46S", None, "account.2.sip_server_host", "account.2.sip_server.1.address"),
        ("T46S", None, "account.2.backup_sip_server_port", "account.2.sip_server.2.port"),
        ("T46S", None, "network.vlan.internet_port_vid", "static.network.vlan.internet_port_vid"),
        ("T46S", None, "acount.2.lable", "account.2.label"),
        ("T46S", None, "linekey.17.typ", "linekey.17.type"),
        ("T46G", "28.80.0.95", "static.lang.gui", "lang.gui"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_its_own_numbers(model, firmware, name, nearest):
    with pytest.raises(UnknownParameter) as refused:
        check(name, "1", model, firmware)
    assert refused.value.nearest[0] == nearest
    assert nearest in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "account.X.label",
        "account.01.label",
        "account.0.label",
        "account.1.label\nsecurity.user_password",
        "account.1.label ",
        "account..label",
        ".".join(["account"] * 50),
        "0" * 100_000,
        "",
    ],
)
def test_what_is_no_name_is_unknown(name):
    assert knows(name) == set()
    with pytest.raises(UnknownParameter):
        check(name, "1")


@given(st.text(), st.sampled_from(list(Generation)))
def test_any_name_is_found_or_refused(name, generation):
    if catalogue().find(name, generation) is None:
        assert len(catalogue().nearest(name, generation)) <= 3


def test_finding_a_parameter_does_not_depend_on_how_many_there_are():
    catalogue()
    before = time.process_time()
    for _ in range(10_000):
        catalogue().find("expansion_module.3.key.40.label", V81)
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("model", "firmware", "name"),
    [
        ("VP530P", None, "account.5.label"),
        ("T46G", "28.71.0.81", "account.7.label"),
        ("T41P", "36.71.0.1", "account.4.label"),
        ("T46S", None, "linekey.28.type"),
        ("T46S", None, "memorykey.1.type"),
        ("T46S", None, "expansion_module.7.key.1.type"),
        ("T46S", None, "expansion_module.1.key.41.type"),
        ("T27G", None, "expansion_module.1.key.21.type"),
        ("T42S", None, "expansion_module.1.key.1.type"),
        ("T19P_E2", None, "linekey.1.type"),
        ("W52P", None, "handset.6.name"),
        ("T46S", None, "handset.1.name"),
        ("T28P", None, "programablekey.15.type"),
        ("T46S", None, "account.1.sip_server.3.address"),
        ("T46S", None, "voice_mail.number.17"),
        ("T46S", None, "distinctive_ring_tones.alert_info.11.text"),
        ("T46S", None, "softkey.1001.label"),
    ],
)
def test_a_number_beyond_the_model_is_refused(model, firmware, name):
    with pytest.raises(NoSuchSlot, match=model):
        check(name, "1", model, firmware)


@pytest.mark.parametrize(
    ("model", "firmware", "name"),
    [
        ("VP530P", None, "account.4.label"),
        ("VP530P", None, "memorykey.10.type"),
        ("T46G", None, "account.16.label"),
        ("T46S", None, "linekey.27.type"),
        ("T46S", None, "expansion_module.6.key.40.type"),
        ("T27G", None, "expansion_module.1.key.40.type"),
        ("W60B", None, "account.8.label"),
        ("W60B", None, "handset.8.name"),
        # How many handsets a W75B has is not known.
        ("W75B", None, "handset.30.name"),
    ],
)
def test_the_last_number_of_the_model_is_taken(model, firmware, name):
    assert check(name, "1", model, firmware) == "1"


@pytest.mark.parametrize("written", [True, 1, "1", "on", "Yes", "TRUE"])
def test_a_switch_is_turned_on_by_any_word_for_it(written):
    assert check("account.1.100rel_enable", written) == "1"


@pytest.mark.parametrize("written", [False, 0, "0", "off", "No", "false"])
def test_a_switch_is_turned_off_by_any_word_for_it(written):
    assert check("account.1.100rel_enable", written) == "0"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("account.1.100rel_enable", "2", "write 1"),
        ("sip.notify_reboot_enable", "3", "0, 1, 2"),
        ("account.1.sip_server.1.transport_type", "4", "0, 1, 2, 3"),
        ("account.1.srtp_encryption", "3", "0, 1, 2"),
        ("account.1.dtmf.type", "rfc2833", "0, 1, 2, 3"),
        ("account.1.nat.udp_update_enable", "4", "0, 1, 2, 3"),
        ("account.1.cid_source", "6", "0, 1, 2, 3, 4, 5"),
        ("account.1.sip_server.1.port", "65536", "from 0 to 65535"),
        ("account.1.sip_server.1.port", "-1", "from 0 to 65535"),
        ("account.1.sip_server.1.port", "sip", "whole number"),
        ("static.network.vlan.internet_port_vid", "4095", "from 0 to 4094"),
        ("static.network.vlan.pc_port_priority", "8", "from 0 to 7"),
        ("static.auto_provision.aes_key_16.com", "short", "at least 16"),
        ("static.auto_provision.aes_key_16.mac", "x" * 17, "at most 16"),
        ("action_url.incoming_call", "http://h/" + "x" * 503, "at most 511"),
        ("action_url.incoming_call", "javascript:alert(1)", "not a URL"),
        ("ringtone.url", "http://", "not a URL"),
        ("ringtone.url", "http://h/a b", "not a URL"),
        ("account.1.label", "", "empty"),
        ("account.1.label", " blank", "blank"),
        ("account.1.label", "two\nlines", r"U\+000A"),
        ("account.1.label", "\x02line/1/password@1\x03", r"U\+0002"),
        ("account.1.label", "x" * 5000, "4096"),
        ("account.1.label", None, "None"),
    ],
)
def test_a_value_out_of_its_range_is_refused_and_says_what_fits(name, value, wanted):
    with pytest.raises(BadParameterValue, match=wanted):
        check(name, value)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("sip.notify_reboot_enable", 0, "0"),
        ("account.1.sip_server.1.port", "05060", "5060"),
        ("account.1.dtmf.type", "03", "3"),
        ("action_url.incoming_call", "http://h/" + "x" * 502, "http://h/" + "x" * 502),
        ("action_url.incoming_call", "http://h/?m=$mac&c=$call_id", "http://h/?m=$mac&c=$call_id"),
        ("account.1.label", "Biuro #1; sala = 2", "Biuro #1; sala = 2"),
        ("account.1.label", "%NULL%", "%NULL%"),
        ("account.1.sip_server.1.port", "%NULL%", "%NULL%"),
        ("static.security.user_password", "admin:x", "admin:x"),
        ("local_time.start_time", "3/5/7/2", "3/5/7/2"),
    ],
)
def test_a_value_in_its_range_is_written_as_phones_want_it(name, value, written):
    assert check(name, value) == written


def test_a_password_can_not_be_cleared():
    with pytest.raises(BadParameterValue, match="set another one"):
        check("ldap.password", "%NULL%")


def test_ranges_from_a_guide_are_known_and_those_from_a_name_assumed():
    for name in ("sip.notify_reboot_enable", "account.1.cid_source", "account.1.sip_server.1.port"):
        assert not catalogue().find(name, V81).assumed
    for name in ("account.1.100rel_enable", "account.1.label", "local_time.summer_time"):
        assert catalogue().find(name, V81).assumed


@pytest.mark.parametrize(
    "name",
    [
        "static.auto_provision.server.url",
        "static.auto_provision.server.username",
        "static.auto_provision.repeat.minutes",
        "static.auto_provision.pnp_enable",
        "static.auto_provision.dhcp_option.enable",
        "static.auto_provision.custom.sync.path",
        "static.auto_provision.local_log.backup.path",
        "static.autoprovision.1.url",
        "static.autoprovision.1.code",
        "static.zero_touch.enable",
        "static.redirect.user_name",
        "static.security.user_name.admin",
        "static.security.trust_certificates",
        "static.security.var_enable",
        "static.security.default_access_level",
        "action_url.incoming_call",
        "action_url.setup_completed",
        "features.action_uri.enable",
        "features.action_uri_limit_ip",
        "features.action_uri_force_autop",
        "features.show_action_uri_option",
        "sip.check_sync.action_url",
        "static.trusted_certificates.url",
        "static.server_certificates.url",
        "static.managementserver.url",
        "static.managementserver.username",
        "push_xml.server",
        "push_xml.sip_notify",
        "static.openvpn.url",
        "static.network.vpn_enable",
        "static.custom_factory_configuration.url",
        "static.configuration.url",
        "static.custom_mac_cfg.url",
        "static.firmware.url",
        "over_the_air.url",
        "over_the_air.url.w56h",
        "static.network.802_1x.identity",
        "static.network.802_1x.root_cert_url",
        "static.network.port.http",
        "static.network.port.https",
        "static.network.primary_dns",
        "static.network.internet_port.gateway",
        "static.network.span_to_pc_port",
        "static.web_item_level.url",
        "static.wui.http_enable",
        "static.wui.https_enable",
        "wui.quick_login",
        "sip.trust_ctrl",
        "account.1.sip_server.1.address",
        "account.1.outbound_proxy.1.address",
        "account.1.user_name",
        "account.1.auth_name",
        "screensaver.xml_browser.url",
        "phone_setting.browser.url",
        "static.syslog.server",
        "static.wifi.1.ssid",
        "ldap.host",
        "account.1.xsi.host",
        "features.csta_control.enable",
        "static.auto_provision.aes_key_in_file",
        "app.install_url",
        "dm.server.address",
        "static.network.static_nat.addr",
        "account.1.vq_rtcpxr.collector_server_host",
        "alarm.server.address",
    ],
)
def test_what_would_hand_the_phone_over_is_marked_so(name):
    assert catalogue().find(name, V81).sensitivity is Sensitivity.TAKEOVER
    assert catalogue().find(name, V81).sensitivity.hands_over_the_phone


@pytest.mark.parametrize(
    "name",
    [
        "account.1.password",
        "account.1.hoteling.password",
        "account.1.hoteling.pin",
        "account.1.xsi.password",
        "static.security.user_password",
        "static.auto_provision.server.password",
        "static.auto_provision.aes_key_16.com",
        "static.auto_provision.aes_key_16.mac",
        "static.auto_provision.aes_key.mac",
        "static.autoprovision.1.password",
        "static.autoprovision.1.com_aes",
        "static.autoprovision.1.mac_aes",
        "static.managementserver.password",
        "static.managementserver.connection_request_password",
        "static.network.802_1x.md5_password",
        "static.wifi.1.password",
        "static.wifi.1.eap_password",
        "static.sip.nat_turn.password",
        "static.redirect.password",
        "ldap.password",
        "push_xml.password",
        "features.xml_browser.pwd",
        "features.uc_password",
        "phone_setting.phone_lock.unlock_pin",
        "base.pin_code",
        "remote_phonebook.data.1.password",
        "gb.sopi.password",
    ],
)
def test_a_password_is_a_secret_and_hands_the_phone_over_too(name):
    parameter = catalogue().find(name, V81)
    assert parameter.sensitivity is Sensitivity.SECRET
    assert parameter.sensitivity.hands_over_the_phone
    assert parameter.type.kind is Kind.SECRET


@pytest.mark.parametrize(
    "name",
    [
        "local_time.time_format",
        "account.1.label",
        "linekey.1.type",
        "features.dnd.on_code",
        "ringtone.url",
        "gui_lang.url",
        "hotdesking.startup_password_enable",
        "features.password_dial.prefix",
        "voice.tone.country",
    ],
)
def test_what_changes_only_looks_and_dialling_is_plain(name):
    assert catalogue().find(name, V81).sensitivity is Sensitivity.PLAIN


@pytest.mark.parametrize(
    ("generation", "name"),
    [
        (V70, "auto_provision.server.url"),
        (V70, "account.1.sip_trust_ctrl"),
        (V70, "account.1.sip_server_host"),
        (V70, "account.1.outbound_host"),
        (V70, "account.1.idle_screen_url"),
        (V70, "phone_setting.action_uri_enable"),
        (V70, "network.web_server_type"),
        (V80, "redirect.enable"),
        (V80, "openvpn.url"),
        (V80, "zero_touch.enable"),
    ],
)
def test_older_spellings_are_as_sensitive_as_newer_ones(generation, name):
    assert catalogue().find(name, generation).sensitivity is Sensitivity.TAKEOVER


def test_every_name_with_password_in_it_is_judged():
    """A new row of the table with a password in it must not slip through as plain text."""
    harmless = ("_enable", ".enable", ".length", ".prefix", ".mode")
    for generation in Generation:
        for parameter in catalogue().parameters(generation):
            if "password" in parameter.name and not parameter.name.endswith(harmless):
                judged = parameter.sensitivity is Sensitivity.SECRET
                assert judged or parameter.name.startswith("default_input_method."), parameter.name
