"""Twenty ways in which provisioning servers get Yealink's files wrong, and where each of them is tested.

 1 newer account names sent to V70     here
 2 `static.` missing since V81         here
 3 `static.` sent to V80               here
 4 a boot file served by accident      tests of serving: boot files are 404 unless switched on
 5 digits of the y-file                test_file_names, test_models, tests of serving
 6 the T28's own y-file blocked        tests of serving
 7 upper-case MAC                      test_file_names, tests of serving
 8 User-Agents without "Yealink"       test_user_agent
 9 User-Agents without colons          test_user_agent
10 static DNS under DHCP               here
11 hundreds of blank assignments       here
12 a time stamp in the file            here
13 every resync reboots                here
14 `reboot=false` named "reboot"       can't occur: nothing sends a check-sync yet
15 time and language outside the MAC file   here
16 SRTP values reversed                here
17 BLF with DNS-SRV and two servers    here
18 codes and feature-key sync at once  here
19 copied templates                    here
20 invented tables                     here
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.spec import Key, KeyType, Language, Phone, Srtp, Transport
from phone_templates.yealink.models import all_models, find_model
from phone_templates.yealink.parameters import catalogue
from phone_templates.yealink.render import first_contact_file, render
from phone_templates.yealink.view import BadPhone
from tests.phone_templates.sample_phones import (
    CODES,
    OFFICE,
    RECEPTION,
    WARSAW,
    filled,
    full_phone,
    make_phone,
)

PAIRS = [(model, generation) for model in all_models() for generation in model.generations]

# The vendor's guide: these families moved under `static.` with V81, and only these.
PREFIXED = re.compile(
    r"(static\.)?(network|auto_provision|security|syslog|firmware|wui|managementserver|zero_touch"
    r"|directory_setting|watch_dog|trusted_certificates)\."
)
NEWER_THAN_V70 = re.compile(
    r"account\.\d+\.(sip_server|outbound_proxy)\.\d"
    r"|account\.\d+\.(codec\.[a-z]|alert_info_url_enable)"
    r"|static\."
    r"|sip\.(trust_ctrl|notify_reboot_enable)"
    r"|auto_provision\.(power_on|dhcp_option\.enable|weekly\.(enable|dayofweek))$"
    r"|action_url\.(registered|unregistered|setup_autop_finish)"
    r"|(linekey|memorykey|expansion_module\.\d+\.key)\.\d+\.extension"
    r"|(features\.)?call_park\."
    r"|syslog\.(enable|level)$"
)


def files_of(phone: Phone) -> list[str]:
    files = render(phone)
    y_file = first_contact_file(find_model(phone.model), phone.generation, Language.POLISH, WARSAW)
    return [files.mac_file, files.model_file, y_file]


def names_of(phone: Phone) -> list[str]:
    return [name for file in files_of(phone) for name, _ in cfg.parse(file)]


def settings(phone: Phone) -> dict[str, str]:
    return dict(cfg.parse(filled(render(phone).mac_file)))


def full_phones(*generations: Generation) -> list[Phone]:
    return [full_phone(model.name, each) for model, each in PAIRS if each in generations]


def test_1_a_v70_file_has_no_newer_name() -> None:
    phones = full_phones(Generation.V70)
    assert len(phones) >= 5
    for phone in phones:
        newer = [name for name in names_of(phone) if NEWER_THAN_V70.match(name)]
        assert not newer, phone.model


def test_1_a_v70_account_names_its_server_itself() -> None:
    said = settings(make_phone("VP530P", Generation.V70, accounts=(RECEPTION, OFFICE)))
    assert said["account.2.sip_server_host"] == "sip.example.pl"
    assert said["account.2.outbound_host"] == "edge.example.pl"
    assert said["account.2.transport"] == "2"


def test_2_and_3_static_stands_before_the_right_names_since_v81_and_never_before() -> None:
    for model, generation in PAIRS:
        for name in names_of(full_phone(model.name, generation)):
            newer = generation in (Generation.V81, Generation.V86)
            assert name.startswith("static.") == (newer and bool(PREFIXED.match(name))), (generation, name)


def test_10_no_dns_server_is_set_by_hand() -> None:
    for model, generation in PAIRS:
        names = names_of(full_phone(model.name, generation))
        assert not [name for name in names if "dns" in name or ".internet_port.ip" in name]


def test_11_no_assignment_is_blank_and_none_clears() -> None:
    for model, generation in PAIRS:
        for phone in (make_phone(model.name, generation), full_phone(model.name, generation)):
            for file in files_of(phone):
                assert all(value not in ("", "%NULL%") for _, value in cfg.parse(file))


def test_12_a_file_depends_on_its_phone_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [files_of(full_phone(model.name, generation)) for model, generation in PAIRS[:20]]
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    assert [files_of(full_phone(model.name, generation)) for model, generation in PAIRS[:20]] == before
    for files in before:
        assert not any(re.search(r"20[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}", file) for file in files)


def test_13_a_resync_does_not_reboot_where_the_generation_can_be_told() -> None:
    for model, generation in PAIRS:
        for file in files_of(make_phone(model.name, generation)):
            told = dict(cfg.parse(file)).get("sip.notify_reboot_enable")
            assert told == (None if generation is Generation.V70 else "0")


def test_15_time_and_language_stand_in_the_mac_file() -> None:
    for model, generation in PAIRS:
        said = settings(make_phone(model.name, generation))
        assert (said["lang.gui"], said["local_time.time_zone"]) == ("Polish", "+1")
        assert said["local_time.start_time"] == "3/5/7/2"


@pytest.mark.parametrize(
    ("generation", "optional", "compulsory"),
    [
        (Generation.V70, "2", "1"),
        (Generation.V71, "2", "1"),
        (Generation.V80, "2", "1"),
        (Generation.V81, "1", "2"),
        (Generation.V86, "1", "2"),
    ],
)
def test_16_srtp_means_what_the_generation_means(
    generation: Generation, optional: str, compulsory: str
) -> None:
    for mode, number in ((Srtp.OFF, "0"), (Srtp.OPTIONAL, optional), (Srtp.COMPULSORY, compulsory)):
        said = settings(make_phone("T46S", generation, accounts=(replace(RECEPTION, srtp=mode),)))
        assert said["account.1.srtp_encryption"] == number


def test_17_an_account_has_one_server_whatever_the_transport() -> None:
    for model, generation in PAIRS:
        account = replace(RECEPTION, transport=Transport.DNS_SRV)
        names = names_of(make_phone(model.name, generation, accounts=(account,)))
        assert not [name for name in names if "sip_server.2" in name or "backup_" in name]


def test_17_a_blf_key_counts_lines_from_zero_only_where_the_phone_does() -> None:
    keys = (Key(KeyType.BLF, "102"), Key(KeyType.SPEED_DIAL, "103"))
    for model, first in (("T32G", "0"), ("T38G", "0"), ("T28P", "1"), ("VP530P", "1")):
        said = settings(make_phone(model, Generation.V70, keys=keys))
        assert said["linekey.2.line"] == first
        assert said["linekey.3.line"] == "1"


SYNC = [
    ("T46S", Generation.V86, "features.feature_key_sync.enable"),
    ("T46S", Generation.V81, "features.dnd.feature_key_sync.enable"),
    ("T46S", Generation.V81, "account.1.feature_key_sync.enable"),
    ("T46G", Generation.V71, "bw.feature_key_sync"),
]


@pytest.mark.parametrize(("model", "generation", "name"), SYNC)
def test_18_no_code_is_sent_when_the_server_keeps_forwarding_and_dnd(
    model: str, generation: Generation, name: str
) -> None:
    without = settings(make_phone(model, generation, codes=CODES))
    assert without["features.dnd.on_code"] == "*26"
    assert without["forward.always.on_code"] == "*21*"
    synced = settings(make_phone(model, generation, codes=CODES, settings={name: "1"}))
    assert not [key for key in synced if key.endswith((".on_code", ".off_code"))]
    assert synced["features.pickup.direct_pickup_code"] == "*40"
    off = settings(make_phone(model, generation, codes=CODES, settings={name: "0"}))
    assert off["features.dnd.on_code"] == "*26"


@pytest.mark.parametrize(("model", "generation", "name"), SYNC)
@pytest.mark.parametrize("code", ["features.dnd.on_code", "account.1.dnd.off_code", "forward.busy.on_code"])
def test_18_who_asks_for_both_is_told_that_they_contradict(
    model: str, generation: Generation, name: str, code: str
) -> None:
    with pytest.raises(BadPhone, match="contradict"):
        render(make_phone(model, generation, settings={name: "1", code: "*26"}))


def test_19_what_is_said_of_one_account_is_said_of_another_with_its_number() -> None:
    for model, generation in PAIRS:
        if model.accounts_for(generation) < 3:
            continue
        alone = {
            number: settings(
                make_phone(model.name, generation, accounts=(replace(RECEPTION, number=number),))
            )
            for number in (1, 3)
        }
        mine, other = (
            {
                name.replace(f"account.{number}.", "account.N."): value
                for name, value in alone[number].items()
                if name.startswith(f"account.{number}.")
            }
            for number in (1, 3)
        )
        assert mine == other


def test_19_each_field_reaches_its_own_setting() -> None:
    """Every value is different here, so one that was copied to a second place would show."""
    account = replace(
        RECEPTION, user_name="u1", auth_name="a1", label="l1", display_name="d1", server_host="h1",
        server_port=1001, expires_s=1002, nat_keepalive_s=1003, voice_mail="v1",
    )  # fmt: skip
    said = settings(make_phone("T46S", Generation.V86, accounts=(account,)))
    wanted = {
        "account.1.user_name": "u1",
        "account.1.auth_name": "a1",
        "account.1.label": "l1",
        "linekey.1.label": "l1",
        "account.1.display_name": "d1",
        "account.1.sip_server.1.address": "h1",
        "account.1.sip_server.1.port": "1001",
        "account.1.sip_server.1.expires": "1002",
        "account.1.nat.udp_update_time": "1003",
        "voice_mail.number.1": "v1",
    }
    assert {name: value for name, value in said.items() if value in wanted.values()} == wanted


def test_19_each_code_reaches_its_own_setting() -> None:
    names = {field: f"c{number}" for number, field in enumerate(CODES.__dataclass_fields__)}
    said = settings(make_phone("T46S", Generation.V86, codes=replace(CODES, **names)))
    found = {value: name for name, value in said.items() if value in names.values()}
    assert found[names["park"]] == "features.call_park.park_code"
    assert found[names["retrieve"]] == "features.call_park.park_retrieve_code"
    for service in ("always", "busy", "no_answer"):
        for switch in ("on", "off"):
            assert found[names[f"forward_{service}_{switch}"]] == f"forward.{service}.{switch}_code"
    assert found[names["dnd_on"]] == "features.dnd.on_code"
    assert found[names["dnd_off"]] == "features.dnd.off_code"


def test_20_no_name_is_sent_that_two_sources_have_not_shown_for_the_generation() -> None:
    for model, generation in PAIRS:
        for name in names_of(full_phone(model.name, generation)):
            parameter = catalogue().find(name, generation)
            assert parameter is not None, (generation, name)
            assert parameter.trusted, (generation, name)
