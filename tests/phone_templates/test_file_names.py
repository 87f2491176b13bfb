"""The names of the files that phones ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates.yealink.files import FileKind, FileName, classify, model_file_name

MAC = "001565aabbcc"


@pytest.mark.parametrize(
    ("name", "kind", "canonical"),
    [
        ("001565aabbcc.cfg", FileKind.MAC, "001565aabbcc.cfg"),
        ("001565AABBCC.CFG", FileKind.MAC, "001565aabbcc.cfg"),
        ("00:15:65:aa:bb:cc.cfg", FileKind.MAC, "001565aabbcc.cfg"),
        ("00-15-65-AA-BB-CC.cfg", FileKind.MAC, "001565aabbcc.cfg"),
        ("0015.65aa.bbcc.cfg", FileKind.MAC, "001565aabbcc.cfg"),
        ("001565aabbcc.boot", FileKind.BOOT, "001565aabbcc.boot"),
        ("001565aabbcc-local.cfg", FileKind.LOCAL, "001565aabbcc-local.cfg"),
        ("00-15-65-aa-bb-cc-local.cfg", FileKind.LOCAL, "001565aabbcc-local.cfg"),
        ("001565aabbcc-contact.xml", FileKind.CONTACTS, "001565aabbcc-contact.xml"),
        ("001565aabbcc-calllog.xml", FileKind.CALL_LOG, "001565aabbcc-calllog.xml"),
        ("001565aabbcc-sys.log", FileKind.LOG, "001565aabbcc-sys.log"),
        ("001565aabbcc-boot.log", FileKind.LOG, "001565aabbcc-boot.log"),
    ],
)
def test_a_phones_own_files_are_recognised_in_any_case_and_mac_spelling(name, kind, canonical):
    assert classify(name) == FileName(kind, mac=MAC, name=canonical)


def test_a_model_file_is_y_and_exactly_twelve_digits():
    assert model_file_name(123) == "y000000000123.cfg"
    assert classify("y000000000123.cfg") == FileName(FileKind.MODEL, cfg_number=123, name="y000000000123.cfg")
    assert classify("Y000000000023.CFG").cfg_number == 23
    assert classify("y0000000000123.cfg").kind is FileKind.UNKNOWN
    assert classify("y00000000023.cfg").kind is FileKind.UNKNOWN


def test_the_common_boot_file_is_not_the_t28s_model_file():
    assert classify("y000000000000.boot").kind is FileKind.COMMON_BOOT
    assert classify("y000000000000.cfg") == FileName(FileKind.MODEL, cfg_number=0, name="y000000000000.cfg")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        "001565aabbc.cfg",
        "001565aabbccd.cfg",
        "00:15-65:aa:bb:cc.cfg",
        "001565aabbcc.cfg.bak",
        "001565aabbcc.cfg\n",
        "../001565aabbcc.cfg",
        "y000000000023.boot",
        "١٢٣٤٥٦٧٨٩٠١٢.cfg",
        "y" + "0" * 100_000 + ".cfg",
    ],
)
def test_anything_else_is_unknown(name):
    assert classify(name) == FileName(FileKind.UNKNOWN)


@given(st.text())
def test_no_name_is_an_error(name):
    assert classify(name).kind in FileKind


@given(st.integers(0, 0xFFFFFFFFFFFF), st.sampled_from([":", "-", ".", "_", ""]), st.booleans())
def test_a_mac_file_name_comes_back_as_phones_spell_it(number, by, upper):
    mac = f"{number:012x}"
    spelled = by.join(mac[i : i + 2] for i in range(0, 12, 2)) + ".cfg"
    assert classify(spelled.upper() if upper else spelled).name == f"{mac}.cfg"
