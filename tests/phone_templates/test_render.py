from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.posix_tz import BadTimeZone
from phone_templates.spec import (
    Account,
    Clock,
    Codec,
    Codes,
    Dtmf,
    Key,
    KeyType,
    Language,
    Network,
    OutboundProxy,
    Phone,
    PhoneBook,
    ProvisioningLogin,
    Resync,
    Syslog,
    Transport,
)
from phone_templates.values import CLEARED, Secret, UnsafeValue, fill, joined, references
from phone_templates.yealink.layout import BadKey
from phone_templates.yealink.models import UnknownModel, all_models, find_model
from phone_templates.yealink.parameters import catalogue
from phone_templates.yealink.render import first_contact_file, render
from phone_templates.yealink.view import BadPhone
from tests.golden_files import Golden
from tests.phone_templates.sample_phones import (
    CODES,
    EVERY_KEY,
    KEYS,
    OFFICE,
    RECEPTION,
    WARSAW,
    filled,
    full_phone,
    make_phone,
)

MENU = "http://192.0.2.1:8081/menu.xml"

EVERY_PHONE = [
    pytest.param(model.name, generation, id=f"{model.name}-{generation.name}")
    for model in all_models()
    for generation in model.generations
]
EVERY_GENERATION = [
    ("VP530P", Generation.V70),
    ("T46G", Generation.V71),
    ("T46G", Generation.V80),
    ("T46S", Generation.V81),
    ("T46S", Generation.V86),
]


def settings(phone: Phone) -> dict[str, str]:
    """What the phone's MAC file says; of passwords of its pages, the user's."""
    return dict(cfg.parse(filled(render(phone).mac_file)))


# Whole files, read against the facts.


@pytest.mark.parametrize(
    ("name", "phone"),
    [
        ("vp530p_v70_full", full_phone("VP530P", Generation.V70)),
        (
            "t28p_v70_module",
            make_phone(
                "T28P",
                Generation.V70,
                modules=1,
                codes=CODES,
                keys=(*KEYS, Key(KeyType.PAGING, "224.5.6.20:10008", "Hala", module=1, key=38)),
            ),
        ),
        ("t28p_v73", make_phone("T28P", Generation.V71, codes=CODES, keys=EVERY_KEY, browser_url=MENU)),
        (
            "t46g_v72",
            make_phone("T46G", Generation.V71, accounts=(RECEPTION, OFFICE), keys=KEYS, codes=CODES),
        ),
        ("t23g_v80_full", full_phone("T23G", Generation.V80)),
        (
            "t46s_v81_module",
            make_phone(
                "T46S",
                Generation.V81,
                modules=1,
                codes=CODES,
                keys=(*KEYS, Key(KeyType.BLF, "103", "Magazyn", module=1, key=1)),
            ),
        ),
        ("t46s_v86", make_phone("T46S", Generation.V86, codes=CODES, keys=EVERY_KEY, browser_url=MENU)),
        ("t54w_v86_full", full_phone("T54W", Generation.V86)),
        (
            "t32g_v70_zero_based",
            make_phone(
                "T32G",
                Generation.V70,
                codes=CODES,
                keys=(Key(KeyType.BLF, "102", "Biuro"), Key(KeyType.SPEED_DIAL, "48225550111")),
            ),
        ),
        ("w52p_v81_base", full_phone("W52P", Generation.V81, action_url_base=None)),
        ("cp860_v71_plain", make_phone("CP860", Generation.V71)),
    ],
)
def test_the_whole_file_of(name: str, phone: Phone, golden: Golden) -> None:
    golden(f"yealink/{name}.cfg", filled(render(phone).mac_file))


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
def test_the_whole_model_file_and_first_contact_file(
    model: str, generation: Generation, golden: Golden
) -> None:
    name = f"yealink/{model.lower()}_{generation.name.lower()}"
    golden(f"{name}_model.cfg", filled(render(full_phone(model, generation)).model_file))
    golden(
        f"{name}_first_contact.cfg",
        first_contact_file(find_model(model), generation, Language.POLISH, WARSAW),
    )


def test_the_boot_file_names_both_files_and_the_phones_own_one_last(golden: Golden) -> None:
    boot_file = render(make_phone("T46S", Generation.V81)).boot_file
    assert boot_file is not None
    golden("yealink/t46s.boot", boot_file)
    assert render(make_phone("T46G", Generation.V80)).boot_file is None


# What holds for every phone.


@pytest.mark.parametrize(("model", "generation"), EVERY_PHONE)
def test_every_value_that_is_sent_is_one_that_its_parameter_takes(model: str, generation: Generation) -> None:
    for name, value in cfg.parse(filled(render(full_phone(model, generation)).mac_file)):
        assert catalogue().check(name, value, generation, find_model(model)) == value


@pytest.mark.parametrize(("model", "generation"), EVERY_PHONE)
def test_the_model_file_says_nothing_that_the_mac_file_does_not(model: str, generation: Generation) -> None:
    phone = full_phone(model, generation, settings={"local_time.time_format": "0"})
    files = render(phone)
    assert set(cfg.parse(files.model_file)) <= set(cfg.parse(files.mac_file))


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
def test_the_same_phone_has_the_same_bytes(model: str, generation: Generation) -> None:
    phone = full_phone(model, generation, settings={"b.c": "1", "a.b": "2"})
    again = full_phone(model, generation, settings={"a.b": "2", "b.c": "1"})
    assert render(phone) == render(again)


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
def test_secrets_stand_in_no_file_but_by_reference(model: str, generation: Generation) -> None:
    files = render(full_phone(model, generation))
    named = {ref.partition("/")[0] for ref in references(files.mac_file)}
    assert named == {"line", "device"}
    assert not any("token" in ref or "password" in ref for ref in references(files.model_file))
    y_file = first_contact_file(find_model(model), generation, Language.POLISH, WARSAW)
    assert not references(y_file)


def test_the_first_contact_file_says_language_time_and_ask_again_and_nothing_else() -> None:
    for model, generation in EVERY_GENERATION:
        y_file = first_contact_file(find_model(model), generation, Language.POLISH, WARSAW)
        families = {name.removeprefix("static.").partition(".")[0] for name, _ in cfg.parse(y_file)}
        assert families <= {"lang", "local_time", "auto_provision", "sip"}
        said = {name.removeprefix("static."): value for name, value in cfg.parse(y_file)}
        assert said["auto_provision.repeat.enable"] == "1"
        assert said["auto_provision.repeat.minutes"] == "5"
        assert "auto_provision.server.url" not in said


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
def test_the_model_file_under_the_token_takes_the_short_interval_back(
    model: str, generation: Generation
) -> None:
    for resync in (None, Resync(137, 147)):
        files = render(make_phone(model, generation, resync=resync))
        said = {name.removeprefix("static."): value for name, value in cfg.parse(files.model_file)}
        assert said["auto_provision.repeat.enable"] == "0"
        assert said.get("auto_provision.weekly.begin_time") == ("02:17" if resync else None)
        if not generation.prefixes_static:
            assert said["auto_provision.mode"] == ("7" if resync else "1")


# One thing at a time.


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
@pytest.mark.parametrize(
    ("transport", "number"),
    [(Transport.UDP, "0"), (Transport.TCP, "1"), (Transport.TLS, "2"), (Transport.DNS_SRV, "3")],
)
def test_the_transport_has_the_vendors_number(
    model: str, generation: Generation, transport: Transport, number: str
) -> None:
    said = settings(make_phone(model, generation, accounts=(replace(RECEPTION, transport=transport),)))
    older = generation in (Generation.V70, Generation.V71)
    assert said["account.1.transport" if older else "account.1.sip_server.1.transport_type"] == number


@pytest.mark.parametrize(("model", "generation"), EVERY_GENERATION)
def test_a_server_that_the_dns_names_has_no_port(model: str, generation: Generation) -> None:
    account = replace(RECEPTION, transport=Transport.DNS_SRV, server_port=5060)
    said = settings(make_phone(model, generation, accounts=(account,)))
    port = "account.1.sip_server_port" if generation is Generation.V70 else "account.1.sip_server.1.port"
    assert said[port] == "0"


@pytest.mark.parametrize(("dtmf", "number"), list(zip(Dtmf, "0123", strict=True)))
def test_digits_travel_by_the_vendors_number(dtmf: Dtmf, number: str) -> None:
    said = settings(make_phone(accounts=(replace(RECEPTION, dtmf=dtmf),)))
    assert said["account.1.dtmf.type"] == number


def test_codecs_keep_their_order_and_the_others_are_off() -> None:
    account = replace(RECEPTION, codecs=(Codec.G722, Codec.PCMA))
    named = settings(make_phone(accounts=(account,)))
    assert named["account.1.codec.g722.priority"] == "1"
    assert named["account.1.codec.pcma.priority"] == "2"
    assert {name for name, value in named.items() if ".codec." in name and value == "0"} == {
        f"account.1.codec.{name}.enable"
        for name in (
            "pcmu", "g729", "opus", "g723_53", "g723_63", "g726_16", "g726_24", "g726_32", "g726_40",
            "ilbc", "ilbc_13_33kbps", "ilbc_15_2kbps",
        )
    }  # fmt: skip
    numbered = settings(make_phone("VP530P", Generation.V70, accounts=(account,)))
    enabled = {
        name.split(".")[3]
        for name, value in numbered.items()
        if name.endswith(".enable") and ".codec." in name and value == "1"
    }
    assert enabled == {"6", "2"}
    assert [numbered[f"account.1.codec.6.{part}"] for part in ("priority", "payload_type", "rtpmap")] == [
        "1",
        "G722",
        "9",
    ]


def test_v81_numbers_its_codecs_and_v82_names_them_so_both_are_said() -> None:
    said = settings(make_phone("T46S", Generation.V81))
    assert said["account.1.codec.2.priority"] == said["account.1.codec.pcma.priority"] == "1"


def test_a_codec_that_the_phone_lacks_is_left_out_but_one_must_remain() -> None:
    opus_first = replace(RECEPTION, codecs=(Codec.OPUS, Codec.PCMA))
    said = settings(make_phone("VP530P", Generation.V70, accounts=(opus_first,)))
    assert said["account.1.codec.2.priority"] == "1"
    for codecs in ((), (Codec.OPUS,)):
        with pytest.raises(BadPhone, match="no codec"):
            render(make_phone("VP530P", Generation.V70, accounts=(replace(RECEPTION, codecs=codecs),)))


def test_accounts_that_are_not_used_are_turned_off() -> None:
    said = settings(make_phone("VP530P", Generation.V70, accounts=(replace(RECEPTION, number=3),)))
    assert [said[f"account.{number}.enable"] for number in range(1, 5)] == ["0", "0", "1", "0"]
    assert "account.5.enable" not in said


def test_an_older_generation_may_have_fewer_accounts() -> None:
    with pytest.raises(BadPhone, match="accounts 1 to 6, not 7"):
        render(make_phone("T46G", Generation.V71, accounts=(replace(RECEPTION, number=7),)))
    render(make_phone("T46G", Generation.V80, accounts=(replace(RECEPTION, number=7),)))


def test_two_lines_on_one_account_are_refused() -> None:
    with pytest.raises(BadPhone, match="account 1 "):
        render(make_phone(accounts=(RECEPTION, replace(OFFICE, number=1))))


def test_without_names_a_line_is_called_by_its_number() -> None:
    account = Account(1, "48223809887", Secret("line/48223809887/password@1"), "sip.example.pl")
    said = settings(make_phone(accounts=(account,)))
    for name in ("label", "display_name", "user_name", "auth_name"):
        assert said[f"account.1.{name}"] == "48223809887"


@pytest.mark.parametrize(("generation", "model"), [(g, m) for m, g in EVERY_GENERATION])
def test_the_keys_of_a_phone_have_the_vendors_types(generation: Generation, model: str) -> None:
    phone = make_phone(model, generation, keys=EVERY_KEY, codes=CODES, browser_url=MENU)
    said = settings(phone)
    types = [value for name, value in said.items() if "key." in name and name.endswith(".type")]
    retrieve = "56" if generation.prefixes_static else "13"
    assert types[: len(EVERY_KEY) + 1] == [
        "15",
        "16",
        "13",
        "10",
        retrieve,
        "14",
        "9",
        "23",
        "24",
        "17",
        "27",
        "12",
    ]
    assert set(types[len(EVERY_KEY) + 1 :]) <= {"0"}


def test_keys_dial_the_exchanges_codes() -> None:
    said = settings(make_phone(keys=EVERY_KEY, codes=CODES, browser_url=MENU))
    values = [said.get(f"linekey.{number}.value") for number in range(1, 13)]
    assert values == [
        None, "102", "48225550111", "*70101", "*71101", "*33102", "*40102", "*40", "224.5.6.20:10008",
        "http://door.example.pl/open?door=1", MENU, "*97",
    ]  # fmt: skip


def test_only_keys_that_call_have_an_account() -> None:
    phone = make_phone(
        accounts=(RECEPTION, OFFICE),
        keys=tuple(replace(key, account=2) for key in EVERY_KEY),
        codes=CODES,
        browser_url="http://a",
    )
    said = settings(phone)
    assert [said.get(f"linekey.{number}.line") for number in range(3, 14)] == [
        *"2222222",
        None,
        None,
        None,
        "2",
    ]


def test_a_voice_mail_key_dials_the_number_of_its_line() -> None:
    said = settings(make_phone(accounts=(RECEPTION, OFFICE), keys=(Key(KeyType.VOICE_MAIL, account=2),)))
    assert said["linekey.3.value"] == "*97"


@pytest.mark.parametrize(
    ("key", "dialled"),
    [
        (Key(KeyType.PARK), "*70"),
        (Key(KeyType.PARK, "101"), "*70101"),
        (Key(KeyType.PARK, "*70"), "*70"),
        (Key(KeyType.RETRIEVE, "*71101"), "*71101"),
        (Key(KeyType.INTERCOM, "102"), "*33102"),
        (Key(KeyType.INTERCOM, "*33102"), "*33102"),
        (Key(KeyType.PICKUP, "*40102"), "*40102"),
    ],
)
def test_a_code_is_dialled_once_whether_its_key_says_it_or_not(key: Key, dialled: str) -> None:
    codes = Codes(pickup="*40", intercom="*33", park="*70", retrieve="*71")
    said = dict(cfg.parse(filled(render(make_phone(keys=(replace(key, key=5),), codes=codes)).mac_file)))
    assert said["linekey.5.value"] == dialled


@pytest.mark.parametrize(
    ("key", "codes", "message"),
    [
        (Key(KeyType.BLF), CODES, "a number or address"),
        (Key(KeyType.PARK), Codes(), "turn parking on"),
        (Key(KeyType.RETRIEVE), Codes(), "turn parking on"),
        (Key(KeyType.INTERCOM, "102"), Codes(), "turn intercom on"),
        (Key(KeyType.INTERCOM), CODES, "an extension"),
        (Key(KeyType.PICKUP, "102"), Codes(), "turn call pickup on"),
        (Key(KeyType.GROUP_PICKUP), Codes(), "turn call pickup on"),
        (Key(KeyType.XML_BROWSER), CODES, "an address"),
        (Key(KeyType.VOICE_MAIL), CODES, "voice mail number"),
        (Key(KeyType.BLF, "102", account=2), CODES, "account 2"),
        (Key(KeyType.PAGING, "192.0.2.1:10008"), CODES, "multicast"),
        (Key(KeyType.PAGING, "224.5.6.20"), CODES, "multicast"),
        (Key(KeyType.PAGING, "224.5.6.20:99999"), CODES, "multicast"),
    ],
)
def test_a_key_that_could_do_nothing_is_refused(key: Key, codes: Codes, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        render(make_phone(keys=(key,), codes=codes))


def test_a_removed_key_is_told_to_go_away() -> None:
    said = settings(make_phone("T28P", Generation.V71, modules=1))
    free = [name for name, value in said.items() if name.endswith(".type") and "key" in name and value == "0"]
    assert len(free) == 5 + 10 + 38


def test_a_screen_in_colour_gets_a_picture_a_grey_one_a_logo_and_a_base_neither() -> None:
    logo = "http://192.0.2.1/logo"
    assert settings(make_phone("T54W", logo=logo))["wallpaper_upload.url"] == logo
    mono = settings(make_phone("T42S", logo=logo))
    assert mono["lcd_logo.url"] == logo
    assert mono["phone_setting.lcd_logo.mode"] == "2"
    base = settings(make_phone("W52P", Generation.V81, logo=logo))
    assert logo not in base.values()


def test_what_is_off_is_said_to_be_off() -> None:
    said = settings(make_phone("T46S", codes=Codes(), distinctive_ring=False))
    for name in (
        "features.pickup.direct_pickup_enable", "features.pickup.group_pickup_enable",
        "features.intercom.allow", "features.call_park.enable",
        "account.1.alert_info_url_enable", "account.1.subscribe_mwi",
    ):  # fmt: skip
        assert said[name] == "0"
    assert not any(name.startswith("distinctive_ring_tones") for name in said)
    assert not any(name.endswith("_code") for name in said)


def test_a_vlan_of_zero_turns_tagging_off_without_a_number() -> None:
    said = settings(make_phone(network=Network(vlan_id=0, pc_vlan_id=7)))
    assert said["static.network.vlan.internet_port_enable"] == "0"
    assert "static.network.vlan.internet_port_vid" not in said
    assert said["static.network.vlan.pc_port_vid"] == "7"


def test_what_outranks_the_stored_url_is_left_alone_when_the_phone_need_not_stay() -> None:
    said = settings(make_phone(stay=False))
    assert not any("pnp" in name or "zero_touch" in name or "dhcp" in name for name in said)
    assert "static.auto_provision.server.url" in said


def test_a_phone_logs_no_more_than_it_knows_levels() -> None:
    assert settings(make_phone(syslog=Syslog("192.0.2.9", 7)))["static.syslog.level"] == "6"


def test_an_action_url_that_a_phone_would_cut_off_is_refused() -> None:
    base = joined(f"http://{'a' * 400}.example.pl/", Secret("device/1/service@1"))
    with pytest.raises(BadPhone, match="511"):
        render(make_phone(action_url_base=base))


def test_every_action_url_fits_and_tells_who_calls() -> None:
    phone = make_phone("VP530P", Generation.V70, action_url_base="http://192.0.2.1/x")
    urls = {name: value for name, value in settings(phone).items() if name.startswith("action_url.")}
    assert "action_url.log_on" in urls
    assert "action_url.registered" not in urls
    assert "action_url.setup_autop_finish" not in urls
    assert all(len(url) <= 511 and "mac=$mac" in url for url in urls.values())
    newer = settings(make_phone(action_url_base="http://192.0.2.1/x"))
    assert {"action_url.registered", "action_url.setup_autop_finish"} <= set(newer)
    assert "action_url.log_on" not in newer


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"phone_books": (PhoneBook("a", "http://a"),) * 6}, "5 phone books"),
        ({"ringtones": ("http://a", "http://b")}, "one ring tone"),
        ({"resync": Resync(1430, 1440)}, "one day"),
        ({"resync": Resync(20, 10)}, "one day"),
    ],
)
def test_what_the_phone_has_no_room_for_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(BadPhone, match=message):
        render(make_phone(**said))


def test_an_unknown_model_or_zone_is_refused() -> None:
    with pytest.raises(UnknownModel):
        render(make_phone("T999X"))
    with pytest.raises(BadTimeZone):
        render(make_phone(clock=Clock("Europe/Warsaw")))


# Raw settings.


def test_a_raw_setting_takes_the_place_of_what_the_templates_say() -> None:
    phone = make_phone(
        settings={"local_time.time_format": "0", "account.1.dtmf.type": "2", "z.a": "1", "b.a": "2"}
    )
    plain = cfg.parse(render(make_phone()).mac_file)
    changed = cfg.parse(render(phone).mac_file)
    assert [name for name, _ in changed] == [*(name for name, _ in plain), "b.a", "z.a"]
    assert dict(changed)["local_time.time_format"] == "0"
    assert dict(cfg.parse(render(phone).model_file))["local_time.time_format"] == "0"
    assert "z.a" not in dict(cfg.parse(render(phone).model_file))


def test_a_raw_password_replaces_that_users_line_only() -> None:
    name = "static.security.user_password"
    phone = make_phone(settings={name: joined("user:", Secret("setting/1@1"))})
    said = [value for key, value in cfg.parse(filled(render(phone).mac_file)) if key == name]
    assert said == ["admin:secret-of-device-0015654aa937-admin@1", "user:secret-of-setting-1@1"]


def test_a_raw_setting_may_clear_what_stood_there() -> None:
    assert settings(make_phone(settings={"account.1.label": CLEARED}))["account.1.label"] == CLEARED


@pytest.mark.parametrize("value", ["", " a", "a\nb = c", "a\u2028b"])
def test_a_raw_setting_is_checked_like_any_value(value: str) -> None:
    with pytest.raises(UnsafeValue):
        render(make_phone(settings={"account.1.label": value}))


# Any text in any field.

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["a\nb = c", "#x", "a=b", "", " ", "ź", "%NULL%", "\x02a\x03", "{{ 7 }}", "{% raw %}"]),
)
TEXT_FIELDS: dict[str, Any] = {
    "account.1.label": lambda text: {"accounts": (replace(RECEPTION, label=text),)},
    "account.1.display_name": lambda text: {"accounts": (replace(RECEPTION, display_name=text),)},
    "account.1.user_name": lambda text: {"accounts": (replace(RECEPTION, user_name=text),)},
    "account.1.auth_name": lambda text: {"accounts": (replace(RECEPTION, auth_name=text),)},
    "account.1.sip_server.1.address": lambda text: {"accounts": (replace(RECEPTION, server_host=text),)},
    "account.1.outbound_proxy.1.address": lambda text: {
        "accounts": (replace(RECEPTION, outbound_proxy=OutboundProxy(text)),)
    },
    "account.1.password": lambda text: {"accounts": (replace(RECEPTION, password=text),)},
    "voice_mail.number.1": lambda text: {"accounts": (replace(RECEPTION, voice_mail=text),)},
    "linekey.2.label": lambda text: {"keys": (Key(KeyType.BLF, "102", text),)},
    "linekey.2.value": lambda text: {"keys": (Key(KeyType.SPEED_DIAL, text, "a"),)},
    "features.pickup.direct_pickup_code": lambda text: {"codes": Codes(pickup=text)},
    "features.call_park.park_code": lambda text: {"codes": Codes(park=text)},
    "features.dnd.on_code": lambda text: {"codes": Codes(dnd_on=text, dnd_off="a")},
    "remote_phonebook.data.1.name": lambda text: {"phone_books": (PhoneBook(text, "http://a"),)},
    "remote_phonebook.data.1.url": lambda text: {"phone_books": (PhoneBook("a", text),)},
    "local_time.ntp_server1": lambda text: {"clock": replace(WARSAW, ntp_servers=(text,))},
    "static.syslog.server": lambda text: {"syslog": Syslog(text)},
    "static.auto_provision.server.url": lambda text: {"provisioning_url": text},
    "static.firmware.url": lambda text: {"firmware_url": text},
    "wallpaper_upload.url": lambda text: {"logo": text},
    "ringtone.url": lambda text: {"ringtones": (text,)},
    "phone_setting.ring_type": lambda text: {"settings": {"phone_setting.ring_type": text}},
}  # fmt: skip


@pytest.mark.parametrize("name", TEXT_FIELDS)
@given(text=TEXT)
def test_any_text_comes_back_as_it_was_meant_or_is_refused(name: str, text: str) -> None:
    usual = make_phone(**TEXT_FIELDS[name]("usual"))
    meant = [
        (key, text if key == name else value) for key, value in cfg.parse(filled(render(usual).mac_file))
    ]
    try:
        said = cfg.parse(filled(render(make_phone(**TEXT_FIELDS[name](text))).mac_file))
    except PhoneTemplatesError:
        return
    if not text:
        # Left empty it is as if nobody had said it: no blank goes out.
        assert all(value for _, value in said)
        return
    # Others may show the same text (a label is the name, where nobody gave one); nothing else changes.
    assert [key for key, _ in said] == [key for key, _ in meant]
    for (key, value), (_, usually) in zip(said, meant, strict=True):
        assert value == usually or (value == text and usually == "usual"), key
    assert (name, text) in said


@given(st.text(max_size=30))
def test_any_secret_comes_back_as_it_is_or_is_refused(secret: str) -> None:
    content = render(make_phone()).mac_file
    refs = dict.fromkeys(references(content), "x")
    try:
        said = cfg.parse(fill(content, refs | {"line/48223809887/password@1": secret}))
    except UnsafeValue:
        return
    assert dict(said)["account.1.password"] == secret
    assert len(said) == len(cfg.parse(content))


@pytest.mark.parametrize(("model", "generation"), EVERY_PHONE)
def test_a_phone_is_told_what_to_say_to_the_server_of_its_files(model, generation):
    login = ProvisioningLogin("0015654aa937", Secret("device/0015654aa937/token@1"))
    said = settings(make_phone(model, generation, provisioning_login=login))
    static = "static." if generation.prefixes_static else ""
    assert said[f"{static}auto_provision.server.username"] == "0015654aa937"
    assert said[f"{static}auto_provision.server.password"] == "secret-of-device-0015654aa937-token@1"
    for name in ("username", "password"):
        known = catalogue().find(f"{static}auto_provision.server.{name}", generation)
        assert known is not None
        assert known.trusted
    assert not [name for name in settings(make_phone(model, generation)) if "server.username" in name]
