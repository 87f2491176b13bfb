from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates import cfg
from phone_templates.values import UnsafeValue, cfg_value

NAMES = st.from_regex(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){0,4}", fullmatch=True)


def test_a_file_begins_with_its_version_and_ends_with_a_line_end() -> None:
    assert cfg.write([("account.1.label", "Łódź")]) == "#!version:1.0.0.1\naccount.1.label = Łódź\n"


def test_comments_blank_lines_and_both_line_ends_are_read() -> None:
    text = "#!version:1.0.0.1\r\n\r\n  # no\na.b=1\r\nc.d =  x = y # z \t\n"
    assert cfg.parse(text) == [("a.b", "1"), ("c.d", "x = y # z")]


def test_a_blank_assignment_is_read_but_never_written() -> None:
    assert cfg.parse("a.b =\n") == [("a.b", "")]
    with pytest.raises(UnsafeValue):
        cfg.write([("a.b", "")])


@pytest.mark.parametrize(
    ("text", "line"), [("a\n", 1), ("\n= b\n", 2), ("a.b = 1\na b = 2\n", 2), ("ą = 1", 1)]
)
def test_what_is_no_setting_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(cfg.BadCfg, match=f"line {line}:") as refusal:
        cfg.parse(text)
    assert refusal.value.line == line


def test_sections_of_older_firmware_are_refused() -> None:
    with pytest.raises(cfg.BadCfg, match="sections"):
        cfg.parse("[ firmware ]\npath = /tmp/download.cfg\n")


def test_unusual_line_separators_do_not_end_a_line() -> None:
    assert cfg.parse("a.b = x\x0by = z\n") == [("a.b", "x\x0by = z")]


def test_a_name_stands_once_except_for_the_passwords_of_the_phones_pages() -> None:
    twice = [("security.user_password", "admin:a"), ("security.user_password", "user:b")]
    assert cfg.parse(cfg.write(twice)) == twice
    with pytest.raises(cfg.BadName, match="twice"):
        cfg.write([("a.b", "1"), ("a.b", "2")])


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "#a", "a..b", ".a", "ą"])
def test_what_is_no_name_is_not_written(name: str) -> None:
    with pytest.raises(cfg.BadName):
        cfg.write([(name, "1")])


@given(st.dictionaries(NAMES, st.text(min_size=1)))
def test_what_is_written_is_read_back_or_refused(settings: dict[str, str]) -> None:
    try:
        pairs = [(name, cfg_value(value)) for name, value in settings.items()]
    except UnsafeValue:
        return
    assert cfg.parse(cfg.write(pairs)) == pairs


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        pairs = cfg.parse(text)
    except cfg.BadCfg:
        return
    assert all(name and "=" not in name for name, _ in pairs)


def test_the_firmware_section_ends_the_settings_and_holds_no_line_more() -> None:
    text = cfg.write([("firmware.url", "http://a/b.rom")]) + cfg.firmware_section([("server_type", "http")])
    assert text.endswith("firmware.url = http://a/b.rom\n[ firmware ]\nserver_type = http\n")
    assert cfg.parse(text) == [("firmware.url", "http://a/b.rom")]
    with pytest.raises(UnsafeValue):
        cfg.firmware_section([("path", "a\nserver_type = x")])
