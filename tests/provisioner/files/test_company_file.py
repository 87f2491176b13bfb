"""The company file: read whole, or refused with everything that is wrong in it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import (
    CallerPresentation,
    Centrex,
    Customer,
    Extension,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
    Park,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import Device, DeviceAccount, Key, KeyType, PhoneOptions, ResyncWindow
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.problems import Contradictions
from provisioner.files import yaml_tree
from provisioner.files.company import CompanyFile, read_company_file
from provisioner.files.errors import FileErrors

SAMPLE = (Path(__file__).parent / "company.yaml").read_bytes()


def errors_of(text: str | bytes) -> list[tuple[int, int, str, str]]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(FileErrors) as refused:
        read_company_file(data, "firma.yaml")
    return [(error.line, error.column, error.path, error.message) for error in refused.value.items]


def only_error(text: str | bytes) -> tuple[int, int, str, str]:
    errors = errors_of(text)
    assert len(errors) == 1, errors
    return errors[0]


def read(text: str) -> CompanyFile:
    return read_company_file(text.encode())


def one_customer(text: str) -> Customer:
    return merge(None, read("customers: [{login: firma, name: Firma, " + text + "}]").customers[0])


def test_the_sample_of_the_design_becomes_the_company_that_it_describes() -> None:
    customer = merge(None, read_company_file(SAMPLE).customers[0])
    assert customer == Customer(
        login="nowyklienttestowy",
        name="Nowy klient testowy",
        credit_limit=Decimal("50.00"),
        centrex=Centrex(
            intercom_prefix="*33",
            park=Park("*70", "*71", 60),
            distinctive_ring=True,
            speed_dial=SpeedDial(entries=(SpeedDialEntry("34", "48225550111"),)),
        ),
        lines=(Line("48223809887", "telefonia-ip-plus"),),
        extensions=(Extension("101", "48223809887", "Recepcja", published=True),),
        hunt_groups=(
            HuntGroup(
                "600",
                "Sprzedaż",
                HuntStrategy.ORDER,
                CallerPresentation.KEEP,
                pickup_allowed=True,
                members=(Member("101", ring_delay=0, ring_time=15),),
                overflow="102",
            ),
        ),
        devices=(
            Device(
                MacAddress("0015654aa937"),
                "VP530P",
                accounts=(DeviceAccount(1, "48223809887"),),
                keys=(Key(KeyType.BLF, "102", "Biuro", key=2),),
                settings={"local_time.time_format": "1"},
            ),
        ),
    )
    check_whole(customer, {}, {})


def test_the_sample_reads_the_same_with_a_byte_order_mark_and_with_windows_line_ends() -> None:
    plain = read_company_file(SAMPLE).customers
    assert read_company_file(b"\xef\xbb\xbf" + SAMPLE).customers == plain
    assert read_company_file(SAMPLE.replace(b"\n", b"\r\n")).customers == plain


def test_scalars_are_the_text_that_was_written() -> None:
    text = "a.a: 0101, a.b: 1e3, a.c: on, a.d: 0x1F, a.e: 1_000, a.f: 2026-01-01, a.g: 1:30, a.h: 'null'"
    assert one_customer("settings: {" + text + "}").settings == {
        "a.a": "0101",
        "a.b": "1e3",
        "a.c": "on",
        "a.d": "0x1F",
        "a.e": "1_000",
        "a.f": "2026-01-01",
        "a.g": "1:30",
        "a.h": "null",
    }


def test_an_unquoted_mac_of_digits_is_a_mac_and_not_a_number_of_base_sixty() -> None:
    customer = one_customer("devices: [{mac: 00:15:65:10:20:30, model: T46S}]")
    assert customer.devices[0].mac == MacAddress("001565102030")


def test_sites_phone_options_and_settings_are_read_at_every_level() -> None:
    customer = one_customer(
        "phone: {ntp_servers: [pool.ntp.org], codecs: [g722, pcma], resync: {start: '01:30'}, lldp: off},"
        "sites: [{name: Magazyn, concurrent_calls: 4, phone: {vlan_id: 120, outbound_proxy: ''},"
        " settings: {a.b: 1}}],"
        "devices: [{mac: 001565102030, model: T46S, modules: 1,"
        " phone: {srtp: compulsory, sip_transport: tls}}]"
    )
    assert customer.phone == PhoneOptions(
        ntp_servers=("pool.ntp.org",), codecs=("g722", "pcma"), resync=ResyncWindow("01:30"), lldp=False
    )
    assert customer.sites[0].phone == PhoneOptions(vlan_id=120, outbound_proxy="")
    assert customer.sites[0].settings == {"a.b": "1"}
    assert customer.sites[0].concurrent_calls == 4
    assert customer.devices[0].phone == PhoneOptions(srtp="compulsory", sip_transport="tls")
    assert customer.devices[0].modules == 1


def test_vendors_and_their_models_are_read() -> None:
    text = "vendors: [{vendor: yealink, phone: {language: pl}, models: [{model: T23G, settings: {a.b: 1}}]}]"
    level = merge_vendor(None, read(text).vendors[0])
    assert level.phone.language == "pl"
    assert level.models[0].settings == {"a.b": "1"}


def test_a_missing_service_stays_and_null_turns_it_off() -> None:
    assert one_customer("centrex: {intercom: ~}").centrex == Centrex()
    assert one_customer("centrex: {pickup: null, park: }").centrex == Centrex(pickup_prefix=None, park=None)


def test_an_error_says_line_column_and_path() -> None:
    text = "customers:\n  - login: firma\n    lines:\n      - number: 48223809887\n      - number: abc\n"
    assert only_error(text)[:3] == (5, 17, "customers[0].lines[1].number")
    with pytest.raises(
        FileErrors, match=r"^firma.yaml: line 5, column 17: customers\[0\].lines\[1\].number: number"
    ):
        read_company_file(text.encode(), "firma.yaml")


def test_columns_count_characters_and_not_bytes() -> None:
    assert only_error("customers: [{login: f, name: Żółć, zz: 1}]")[:2] == (1, 36)


def test_an_unknown_key_is_refused_at_its_place_with_the_nearest_one() -> None:
    line, column, path, message = only_error("customers:\n  - login: firma\n    hunt_group: []\n")
    assert (line, column, path) == (3, 5, "customers[0].hunt_group")
    assert message == "a customer has no key 'hunt_group': did you mean hunt_groups?"


def test_an_unknown_key_that_resembles_none_gets_the_list() -> None:
    _, _, _, message = only_error("customers: [{login: firma, centrex: {pickup: {zzz: 1, prefix: '*40'}}}]")
    assert message == "this service has no key 'zzz': it knows prefix"


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (
            "hunt_groups: [{number: 600, members: [{ring_time: abc}]}]",
            ".hunt_groups[0].members[0].ring_time",
            "'abc'",
        ),
        (
            "hunt_groups: [{number: 600, members: [{ring_time: -5}]}]",
            ".hunt_groups[0].members[0].ring_time",
            "is -5",
        ),
        (
            "hunt_groups: [{number: 600, members: [{ring_time: 1.5}]}]",
            ".hunt_groups[0].members[0].ring_time",
            "'1.5'",
        ),
        (
            "hunt_groups: [{number: 600, strategy: best}]",
            ".hunt_groups[0].strategy",
            "order, random, simultaneous",
        ),
        ("hunt_groups: [{number: 600, members: 101}]", ".hunt_groups[0].members", "must be a list"),
        ("hunt_groups: [{number: 600, members: [101]}]", ".hunt_groups[0].members[0]", "must be a mapping"),
        ("hunt_groups: {number: 600}", ".hunt_groups", "must be a list"),
        ("hunt_groups: ", ".hunt_groups", "must be a list"),
        ("hunt_groups: [~]", ".hunt_groups[0]", "must be a mapping"),
        ("hunt_groups: [{name: Sprzedaż}]", ".hunt_groups[0]", "a hunt group needs the key number"),
        ("centrex: []", ".centrex", "must be a mapping (key: value), not a list"),
        ("centrex: {pickup: '*40'}", ".centrex.pickup", "must be a mapping (key: value), not a text"),
        ("centrex: {pickup: {prefix: abc}}", ".centrex.pickup.prefix", "1 to 8 of the characters"),
        ("centrex: {intercom: {}}", ".centrex.intercom", "needs the key prefix"),
        ("centrex: {extension_length: 99}", ".centrex.extension_length", "from 1 to 10"),
        ("centrex: {park: {return_after: 0}}", ".centrex.park.return_after", "from 1 to 7200"),
        ("centrex: {codes: {dnd_on: ''}}", ".centrex.codes.dnd_on", "is empty"),
        ("centrex: {distinctive_ring: tak}", ".centrex.distinctive_ring", "true or false"),
        ("language: de", ".language", "one of pl, en"),
        ("language: [pl]", ".language", "not a list"),
        ("language: ", ".language", "can't be null"),
        ("time_zone: Warszawa", ".time_zone", "is not a time zone"),
        ("currency: zł", ".currency", "three capital letters"),
        ("credit_limit: -1", ".credit_limit", "can't be negative"),
        ("credit_limit: 0.1234567", ".credit_limit", "at most 6 decimals"),
        ("lines: [{number: '+48223809887'}]", ".lines[0].number", "without the plus"),
        ("lines: [{number: 48223809887, password: żółw}]", ".lines[0].password", "without accents"),
        ("lines: [{number: 48223809887, password: ''}]", ".lines[0].password", "is empty"),
        ('extensions: [{number: 101, name: "a\\nb"}]', ".extensions[0].name", "U+000A"),
        ("extensions: [{number: 101, name: '%NULL%'}]", ".extensions[0].name", "forget the setting"),
        ("devices: [{mac: 00:15:65:4a:a9}]", ".devices[0].mac", "is not a MAC address"),
        ("devices: [{mac: ff:ff:ff:ff:ff:ff}]", ".devices[0].mac", "can't be a phone's MAC address"),
        (
            "devices: [{mac: 001565102030, keys: [{key: 1}]}]",
            ".devices[0].keys[0]",
            "a key needs the key type",
        ),
        ("devices: [{mac: 001565102030, keys: [{type: bfl}]}]", ".devices[0].keys[0].type", "blf"),
        (
            "devices: [{mac: 001565102030, accounts: [{account: 0}]}]",
            ".devices[0].accounts[0].account",
            "from 1",
        ),
        ("settings: {'a b': 1}", ".settings.a b", "can't be a parameter's name"),
        ("settings: {a.b: ''}", ".settings.a.b", "write null to take the setting back"),
        ("settings: {a.b: [1]}", ".settings.a.b", "must be a text, not a list"),
        ('settings: {a.b: "1\\nc.d = 2"}', ".settings.a.b", "U+000A"),
        ("settings: [a.b]", ".settings", "must be a mapping"),
        ("phone: {sip_port: 65536}", ".phone.sip_port", "from 1 to 65535"),
        ("phone: {sip_transport: sctp}", ".phone.sip_transport", "udp, tcp, tls, dns_srv"),
        ("phone: {sip_host: 'a b'}", ".phone.sip_host", "host name or an IP address"),
        ("phone: {outbound_proxy: 'http://a'}", ".phone.outbound_proxy", "host or host:port"),
        ("phone: {register_expires_s: 5}", ".phone.register_expires_s", "from 30 to"),
        ("phone: {nat_keepalive_s: -1}", ".phone.nat_keepalive_s", "from 0 to"),
        ("phone: {codecs: [pcma, pcma]}", ".phone.codecs", "names one codec twice"),
        ("phone: {codecs: []}", ".phone.codecs", "name one at least"),
        ("phone: {codecs: [mp3]}", ".phone.codecs[0]", "pcma, pcmu"),
        ("phone: {ntp_servers: [a, b, c]}", ".phone.ntp_servers", "at most 2 fit"),
        ("phone: {ntp_servers: a}", ".phone.ntp_servers", "must be a list"),
        ("phone: {vlan_id: 4095}", ".phone.vlan_id", "from 0 to 4094"),
        ("phone: {sip_dscp: 64}", ".phone.sip_dscp", "from 0 to 63"),
        ("phone: {syslog_level: 8}", ".phone.syslog_level", "from 0 to 7"),
        ("phone: {logo: ../x}", ".phone.logo", "without a folder"),
        ("phone: {resync: {start: '24:00'}}", ".phone.resync.start", "time of day"),
        ("phone: {time_zone: Mars/Phobos}", ".phone.time_zone", "is not a time zone"),
        ("phone: ~", ".phone", "must be a mapping"),
    ],
)
def test_a_value_that_can_not_be_is_refused_in_plain_words(text: str, path: str, words: str) -> None:
    _, _, where, message = only_error("customers: [{login: firma, " + text + "}]")
    assert where == f"customers[0]{path}"
    assert words in message


@pytest.mark.parametrize(
    "text", ["", "   \n", "# only a comment\n", "[]", "customers", "~", "{}", "---\n..."]
)
def test_a_file_that_says_nothing_is_told_how_one_begins(text: str) -> None:
    assert "begins with customers: or vendors:" in only_error(text)[3]


def test_all_errors_of_a_file_are_reported_at_once_in_its_order() -> None:
    text = (
        "customers:\n"
        "  - login: firma\n"
        "    langauge: pl\n"
        "    centrex: {pickup: {prefix: *40}}\n"
        "    extensions: [{number: 101}, {number: 1x1}, {number: 101}]\n"
        "    extensions: []\n"
        "  - name: Inna\n"
        "vendors: [{vendor: cisco}]\n"
    )
    errors = errors_of(text)
    assert [error[:3] for error in errors] == [
        (3, 5, "customers[0].langauge"),
        (4, 32, "customers[0].centrex.pickup.prefix"),
        (5, 42, "customers[0].extensions[1].number"),
        (5, 57, "customers[0].extensions[2].number"),
        (6, 5, "customers[0].extensions"),
        (7, 5, "customers[1]"),
        (8, 20, "vendors[0].vendor"),
    ]


def test_an_unquoted_code_is_explained_as_an_alias() -> None:
    _, column, path, message = only_error("customers: [{login: f, centrex: {pickup: {prefix: *40}}}]")
    assert (column, path) == (51, "customers[0].centrex.pickup.prefix")
    assert message == '*40 without quotes is an alias of YAML: write "*40"'


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for one, two in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{two}: &{two} [{','.join([f'*{one}'] * 9)}]\n"
    errors = errors_of(bomb)
    assert (1, 4, "a", '&a without quotes is an anchor of YAML: write "&a"') in errors


def test_tags_make_no_objects() -> None:
    _, _, path, message = only_error("customers: [{login: !!python/object/apply:os.system ['true']}]")
    assert path == "customers[0].login"
    assert "a tag (!) has no meaning here" in message


def test_a_key_that_is_there_twice_names_the_first() -> None:
    line, column, path, message = only_error("customers:\n- login: a\n  name: b\n  name: c\n")
    assert (line, column, path) == (4, 3, "customers[0].name")
    assert message == "this key is already in line 3: leave one of them"


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("lines: [{number: 48223809887}, {number: 48223809887}]", "lines[1].number", "customers[0].lines[0]"),
        ("sites: [{name: A}, {name: A}]", "sites[1].name", "customers[0].sites[0]"),
        (
            "devices: [{mac: 001565102030}, {mac: 00-15-65-10-20-30}]",
            "devices[1].mac",
            "'00:15:65:10:20:30' is already in line 1",
        ),
        (
            "devices: [{mac: 001565102030, accounts: [{account: 1}, {account: 1}]}]",
            "devices[0].accounts[1].account",
            "'1' is already",
        ),
        (
            "centrex: {speed_dial: {entries: [{number: 1}, {number: 1}]}}",
            "centrex.speed_dial.entries[1].number",
            "'1' is already",
        ),
    ],
)
def test_an_item_that_is_there_twice_names_the_first(text: str, path: str, words: str) -> None:
    _, _, where, message = only_error("customers: [{login: firma, " + text + "}]")
    assert where == f"customers[0].{path}"
    assert words in message


def test_a_customer_that_is_there_twice_names_the_first() -> None:
    assert only_error("customers:\n- login: firma\n- login: firma\n")[:3] == (3, 10, "customers[1].login")


def test_tabs_are_explained() -> None:
    line, _, _, message = only_error("customers:\n\t- login: firma\n")
    assert line == 2
    assert "indent with blanks, not tabs" in message


@pytest.mark.parametrize(
    "text", ["customers: [", "customers: {a: b", 'customers: "a', "a: b: c", "- a\nb: c", "a: @b"]
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str) -> None:
    line, column, _, message = only_error(text)
    assert line >= 1
    assert column >= 1
    assert message.startswith("this is not YAML: ")


def test_a_second_document_is_refused() -> None:
    line, _, _, message = only_error("customers: []\n---\ncustomers: []\n")
    assert line == 2
    assert "a file has one" in message


def test_a_windows_1250_file_is_refused_at_the_first_foreign_byte() -> None:
    line, column, _, message = only_error("customers:\n- login: f\n  name: Sprzedaż\n".encode("cp1250"))
    assert (line, column) == (3, 16)
    assert message == "the byte 0xBF is not UTF-8 (Windows-1250?): save the file as UTF-8"


def test_a_utf_16_file_is_refused() -> None:
    assert "UTF-16: save it as UTF-8" in only_error("customers: []".encode("utf-16"))[3]


def test_control_characters_are_refused_with_their_places() -> None:
    errors = errors_of("customers:\n- login: a\0b\n  name: x\u2028y\n")
    assert [error[:2] for error in errors] == [(2, 11), (3, 10)]
    assert "U+0000" in errors[0][3]


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    message = only_error(b"\xff" * (yaml_tree.LARGEST_BYTES + 1))[3]
    assert (
        message == f"the file has {4 * 2**20 + 1} bytes: at most {4 * 2**20} are read; split it by customer"
    )


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "a: [" * 20, "? " * 10_000])
def test_a_file_that_nests_without_end_is_refused(text: str) -> None:
    assert any(
        "nests deeper than 16 levels" in error[3] or "not YAML" in error[3] for error in errors_of(text)
    )


def test_a_file_of_too_many_values_is_refused_where_they_become_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_tree, "MOST_VALUES", 4)
    line, column, _, message = only_error("customers: [a, b, c]")
    assert (line, column) == (1, 16)
    assert "more than 4 values: split it by customer" in message


def test_a_list_of_too_many_items_is_refused_once() -> None:
    assert "has 20001 items: at most 20000 fit" in only_error(f"customers: [{'1,' * 20_001}]")[3]


def test_a_message_names_a_hundred_errors_and_counts_the_rest() -> None:
    text = "customers:\n- login: firma\n  extensions:\n" + "  - {number: x}\n" * 150
    with pytest.raises(FileErrors) as refused:
        read_company_file(text.encode())
    duplicates = 149
    assert len(refused.value.items) == 150 + duplicates
    assert str(refused.value).endswith(f"and {50 + duplicates} more errors")


def test_a_large_company_is_read() -> None:
    lines = "".join(f"  - {{number: 4822{number:07}, product: biznes-trunk}}\n" for number in range(5000))
    customer = merge(None, read("customers:\n- login: f\n  name: F\n  lines:\n" + lines).customers[0])
    assert len(customer.lines) == 5000


def test_contradictions_are_placed_in_the_file() -> None:
    text = SAMPLE.replace(b'{number: "101"', b'{number: "112"').replace(b'"*33"', b'"*40"')
    text = text.replace(b"accounts: [{account: 1", b"accounts: [{account: 2")
    file = read_company_file(text, "firma.yaml")
    with pytest.raises(Contradictions) as refused:
        check_whole(merge(None, file.customers[0]), {"48223809887": "rywal"}, {})
    located = file.located("nowyklienttestowy", refused.value)
    assert [(error.line, error.path) for error in located.items] == [
        (9, "customers[0].centrex.intercom"),
        (15, "customers[0].lines[0]"),
        (17, "customers[0].extensions[0]"),
        (19, "customers[0].hunt_groups[0]"),
        (27, "customers[0].devices[0]"),
    ]
    assert "hides the emergency number 112" in str(located)


def test_a_circle_of_groups_is_placed_at_its_first_group() -> None:
    text = (
        "customers:\n- login: f\n  name: F\n  hunt_groups:\n"
        "  - {number: 600, members: [{group: 601}]}\n"
        "  - {number: 601, members: [{group: 600}]}\n"
    )
    file = read(text)
    with pytest.raises(Contradictions) as refused:
        check_whole(merge(None, file.customers[0]), {}, {})
    (error,) = file.located("f", refused.value).items
    assert (error.line, error.column) == (5, 5)
    assert "600 -> 601 -> 600" in error.message


def test_each_of_very_many_contradictions_has_its_own_place() -> None:
    count = 15_000
    rows = "".join(f'      - {{number: "{10_000 + i}"}}\n' for i in range(count))
    file = read(f"customers:\n  - login: firma\n    name: Firma\n    extensions:\n{rows}")
    with pytest.raises(Contradictions) as found:
        check_whole(merge(None, file.customers[0]), {}, {})
    errors = file.located("firma", found.value).items
    assert [error.line for error in errors] == list(range(5, 5 + count))
    assert errors[-1].path == f"customers[0].extensions[{count - 1}]"


def test_what_the_file_does_not_name_is_placed_at_its_customer() -> None:
    current = Customer("f", "F", extensions=(Extension("112"),))
    file = read("customers:\n- login: f\n  language: en\n")
    with pytest.raises(Contradictions) as refused:
        check_whole(merge(current, file.customers[0]), {}, {})
    (error,) = file.located("f", refused.value).items
    assert (error.line, error.path) == (2, "customers[0]")


def test_both_parsers_of_yaml_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "customers:\n- login: f\n  name: {a: *b, c: &d e}\n  zzz: 1\n"
    fast, found = read_company_file(SAMPLE).customers, errors_of(bad)
    monkeypatch.setattr(yaml_tree, "_Loader", yaml.SafeLoader)
    assert read_company_file(SAMPLE).customers == fast
    assert errors_of(bad) == found


def refuses_or_reads(data: bytes) -> None:
    refused = None
    try:
        read_company_file(data)
    except FileErrors as error:
        refused = error
    if refused is not None:
        assert refused.items
        assert all(item.line >= 1 and item.column >= 1 and item.message for item in refused.items)


def test_a_message_repeats_no_key_that_would_break_its_line_or_drive_a_terminal() -> None:
    for key in (r"a\nb", r"\e[2J", r"\u202eb", "k" * 900):
        errors = errors_of(f'customers: [{{login: firma, settings: {{"{key}": x}}, "{key}": 1}}]')
        assert len(errors) == 2
        for _, _, path, message in errors:
            assert (path + message).isprintable()
            assert len(path + message) < 400


@given(st.binary())
@example(b"\xef\xbb\xbf")
@example(b"a: \xc2\x85b")
@example(b"!<tag:x> &a *b")
@example(b'a: "\\ud800"')
@example(b"%TAG ! !\n---")
@example(b"<<: {}")
@example(b"? \n: ")
def test_any_bytes_are_read_or_refused_with_places(data: bytes) -> None:
    refuses_or_reads(data)


@given(st.text("abc:-[]{}*&!|>'\"#%@`,? \n\t0~"))
def test_any_text_of_yamls_signs_is_read_or_refused_with_places(text: str) -> None:
    refuses_or_reads(text.encode())


keys = st.sampled_from(
    ["customers", "login", "name", "centrex", "park", "prefix", "lines", "number", "phone", "settings"]
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["firma", "101"])
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


@given(trees)
def test_any_tree_is_read_or_refused_with_places(tree: object) -> None:
    refuses_or_reads(yaml.safe_dump({"customers": tree}, allow_unicode=True).encode("utf-8", "replace"))
    refuses_or_reads(
        yaml.safe_dump({"customers": [{"login": "f", "centrex": tree, "devices": [tree]}]}).encode()
    )


@given(st.text(min_size=1))
def test_any_name_comes_back_as_it_was_written_or_is_refused(name: str) -> None:
    text = yaml.safe_dump({"customers": [{"login": "f", "name": name}]}, default_style='"')
    try:
        file = read_company_file(text.encode())
    except FileErrors:
        return
    assert file.customers[0].name == name
