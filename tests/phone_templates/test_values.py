from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates.values import (
    CLEARED,
    Joined,
    Secret,
    UnknownSecret,
    UnsafeValue,
    cfg_value,
    checked,
    fill,
    joined,
    masked,
    references,
)

PASSWORD = Secret("line/48223809887/password@3")


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "a\tb", "a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "a\ud800b"],
)
def test_what_could_start_another_line_is_refused(text: str) -> None:
    with pytest.raises(UnsafeValue, match=r"U\+"):
        cfg_value(text)


@pytest.mark.parametrize("text", ["", " ", " a", "a ", "\u00a0a", "a\u3000"])
def test_what_a_phone_would_trim_is_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        cfg_value(text)


@pytest.mark.parametrize(
    "text", ["a#b", "#a", "a;b", "a=b", "=", "ząb", "日本", '"a"', "%s", "{{ x }}", "*40"]
)
def test_what_is_literal_inside_a_value_stays_as_it_is(text: str) -> None:
    assert cfg_value(text) == text


def test_switches_and_numbers_are_written_as_digits() -> None:
    assert [cfg_value(value) for value in (True, False, 0, 5060)] == ["1", "0", "0", "5060"]


def test_nothing_is_no_value() -> None:
    with pytest.raises(UnsafeValue):
        cfg_value(None)


def test_a_person_cannot_say_the_word_that_clears_a_setting() -> None:
    with pytest.raises(UnsafeValue, match="clear"):
        cfg_value(CLEARED)
    with pytest.raises(UnsafeValue, match="clear"):
        cfg_value(Joined(("%NU", "LL%")))


def test_a_secret_is_a_reference_until_the_file_is_filled() -> None:
    content = cfg_value(joined("admin:", PASSWORD))
    assert references(content) == {PASSWORD.ref}
    assert masked(content) == "admin:«line/48223809887/password@3»"
    assert fill(content, {PASSWORD.ref: "s3cr=t#"}) == "admin:s3cr=t#"


def test_no_text_of_a_person_can_forge_a_reference() -> None:
    for forged in (f"\x02{PASSWORD.ref}\x03", f"a\x02{PASSWORD.ref}", "\x03"):
        with pytest.raises(UnsafeValue):
            cfg_value(forged)
        with pytest.raises(UnsafeValue):
            cfg_value(joined(forged, PASSWORD))


def test_a_secret_cannot_bring_in_another_secret() -> None:
    with pytest.raises(UnsafeValue):
        fill(cfg_value(PASSWORD), {PASSWORD.ref: "\x02line/1/password@1\x03"})


@pytest.mark.parametrize("secret", ["a\nadmin = 1", "", " a", CLEARED])
def test_a_secret_is_checked_like_any_value(secret: str) -> None:
    with pytest.raises(UnsafeValue):
        fill(cfg_value(PASSWORD), {PASSWORD.ref: secret})


def test_a_missing_secret_is_named_not_left_out() -> None:
    with pytest.raises(UnknownSecret, match="48223809887"):
        fill(cfg_value(PASSWORD), {})


@pytest.mark.parametrize("ref", ["", "a b", "a\nb", "a\x03b", "\u2028"])
def test_a_secret_needs_a_plain_name(ref: str) -> None:
    with pytest.raises(UnsafeValue):
        Secret(ref)


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_value_is_kept_exactly_or_refused(text: str) -> None:
    try:
        value = cfg_value(text)
    except UnsafeValue:
        return
    assert value == text
    assert "\n" not in value
    assert checked(value) == text


@given(st.text(), st.text())
def test_filling_restores_exactly_what_was_joined(before: str, after: str) -> None:
    try:
        content = cfg_value(joined(before, PASSWORD, after))
    except UnsafeValue:
        return
    assert fill(content, {PASSWORD.ref: "x"}) == f"{before}x{after}"
