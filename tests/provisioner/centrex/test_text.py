"""What a person's text may hold at the door."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.centrex import scalars, text
from provisioner.centrex.errors import BadValue


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\rb",
        "a\tb",
        "a\0b",
        "\x1b[0m",
        "a\x7f",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "a\ud800b",
        "a\uffff",
    ],
)
def test_a_character_that_could_start_a_second_line_is_refused_by_its_code(value: str) -> None:
    with pytest.raises(BadValue, match=r"name holds the character U\+[0-9A-F]{4}.*take it out"):
        text.plain_text(value, "name")


@pytest.mark.parametrize("value", [" a", "a ", "\u00a0a", "a\u3000"])
def test_outer_blanks_are_refused(value: str) -> None:
    with pytest.raises(BadValue, match="begins or ends with a blank"):
        text.plain_text(value, "name")


@pytest.mark.parametrize("value", ["%NULL%", "%EMPTY%", "%null%"])
def test_the_markers_that_make_phones_forget_a_setting_are_refused_as_a_whole_value(value: str) -> None:
    with pytest.raises(BadValue, match="phones read it as an order"):
        text.plain_text(value, "name")
    assert text.plain_text(f"x{value}", "name") == f"x{value}"


def test_a_parameter_may_be_told_to_be_forgotten() -> None:
    assert text.setting_value("%NULL%", "x") == "%NULL%"
    with pytest.raises(BadValue, match="phones read it as an order"):
        text.setting_value("%EMPTY%", "x")


@pytest.mark.parametrize("value", ["\u200b", "Anna\u202e", "\ufeffBiuro"])
def test_what_nobody_can_see_is_refused(value: str) -> None:
    with pytest.raises(BadValue, match="invisible character U\\+"):
        text.plain_text(value, "name")


def test_an_over_long_text_is_refused_without_being_repeated() -> None:
    with pytest.raises(BadValue, match="name has 5000 characters: at most 128 fit") as refused:
        text.plain_text("x" * 5000, "name")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "can't be null"),
        ("", "is empty"),
        ([], "must be a text, not a list"),
        ({}, "must be a text, not a mapping"),
        (True, "must be a text, not true or false"),
        (101, "must be a text, not a number without quotes"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(value: object, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        text.plain_text(value, "name")


@given(st.text())
def test_a_text_that_passes_is_one_line_and_unchanged(value: str) -> None:
    try:
        passed = text.plain_text(value, "name")
    except BadValue:
        return
    assert passed == value == value.strip()
    assert len(value.splitlines()) == 1
    assert passed.encode()


@pytest.mark.parametrize("value", ["10a", "1 1", "١٢", "*1", "+101", "12345678901"])
def test_an_extension_is_up_to_ten_ascii_digits(value: str) -> None:
    with pytest.raises(BadValue, match="extension"):
        text.extension(value, "extension")
    assert text.extension("0101", "extension") == "0101"


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("+48223809887", "without the plus: 48223809887"),
        ("0048223809887", "without the leading zeros: 48223809887"),
        ("22 380 98 87", "country code"),
        ("1234", "country code"),
        ("1" * 16, "country code"),
        ("4822380988٧", "country code"),
    ],
)
def test_a_line_is_a_whole_number_and_the_refusal_says_how_to_write_it(value: str, advice: str) -> None:
    with pytest.raises(BadValue, match=re.escape(advice)):
        text.line_number(value, "number")


@pytest.mark.parametrize("value", ["*40", "#21#", "0", "*#*#*#*#"])
def test_a_code_is_one_to_eight_of_digits_star_and_hash(value: str) -> None:
    assert text.code(value, "code") == value
    for bad in (value + "A", "", value * 9):
        with pytest.raises(BadValue, match="code"):
            text.code(bad, "code")


@pytest.mark.parametrize("value", ["../x.wav", "a/b", ".hidden", "zażółć.wav", "a b", "a" * 101])
def test_a_file_name_leads_into_no_folder(value: str) -> None:
    with pytest.raises(BadValue, match="file name without a folder"):
        text.file_name(value, "logo")


def test_a_password_is_never_repeated_in_a_refusal() -> None:
    for bad in ("tajne-hasło", "tajne\n", " tajne", "tajne" * 100):
        with pytest.raises(BadValue) as refused:
            text.password(bad, "password")
        assert "tajne" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["sip.example.com", "localhost", "192.0.2.1", "2001:db8::1", "a-b.c", "example.com."]
)
def test_a_host_is_a_name_or_an_address(value: str) -> None:
    assert scalars.host(value, "sip host") == value


@pytest.mark.parametrize(
    "value", ["a b", "-a", "a-", "a..b", "300.1.1.1", "[::1]", "a:5060", "http://a", "a/b", "ą"]
)
def test_what_is_no_host_is_refused(value: str) -> None:
    with pytest.raises(BadValue, match="host name or an IP address"):
        scalars.host(value, "sip host")


@pytest.mark.parametrize("value", ["a", "a:5060", "192.0.2.1:1", "[2001:db8::1]:5060", "2001:db8::1"])
def test_a_host_may_carry_its_port(value: str) -> None:
    assert scalars.host_port(value, "outbound proxy") == value


@pytest.mark.parametrize(
    "value", ["a:0", "a:65536", "a:", ":5060", "a:b", "a:5060:5060", "a b:1", "[a:1", "[]:1"]
)
def test_a_bad_port_or_host_before_it_is_refused(value: str) -> None:
    with pytest.raises(BadValue, match="outbound proxy"):
        scalars.host_port(value, "outbound proxy")


@pytest.mark.parametrize(
    ("value", "amount"), [("50", "50.00"), ("50.0", "50.00"), ("0.000001", "0.000001"), (7, "7.00")]
)
def test_one_amount_has_one_spelling(value: object, amount: str) -> None:
    assert str(scalars.amount(value, "credit limit")) == amount


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-1", "can't be negative"),
        ("50,00", "with a point, not a comma: '50.00'"),
        ("1e3", "at most 6 decimals"),
        ("0.0000001", "at most 6 decimals"),
        ("NaN", "at most 6 decimals"),
        (0.1, "in quotes"),
        (True, "must be an amount"),
        ([], "must be an amount, not a list"),
    ],
)
def test_an_amount_that_is_negative_or_not_exact_is_refused(value: object, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        scalars.amount(value, "credit limit")


@pytest.mark.parametrize("value", ["1.5", "1e3", "0x10", "abc", "--1", "1" * 13, "१", True, 1.0, [], None])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(BadValue, match="ring time"):
        scalars.integer(value, "ring time", low=0, high=60)


def test_a_switch_takes_the_words_of_yaml() -> None:
    for word in ("true", "yes", "on", "True", True):
        assert scalars.flag(word, "published")
    for word in ("false", "no", "off", "OFF", False):
        assert not scalars.flag(word, "published")
    with pytest.raises(BadValue, match="published must be true or false, not 'tak'"):
        scalars.flag("tak", "published")


@pytest.mark.parametrize(
    "value", ["Warszawa", "../etc/passwd", "europe/warsaw", "CET+1", "localtime", "posix/Europe/Warsaw"]
)
def test_a_time_zone_that_the_database_does_not_know_is_refused(value: str) -> None:
    assert scalars.time_zone("Europe/Warsaw", "time zone") == "Europe/Warsaw"
    with pytest.raises(BadValue, match="Europe/Warsaw"):
        scalars.time_zone(value, "time zone")
