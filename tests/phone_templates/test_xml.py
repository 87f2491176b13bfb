from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from phone_templates.yealink import xml
from tests.golden_files import Golden

ENTRIES = [xml.Entry("Biuro", ("102",)), xml.Entry("Żółw & <Syn>", ("103", "48225550111"))]


def test_a_phone_book_has_a_person_an_entry_and_all_the_numbers() -> None:
    root = etree.fromstring(xml.phone_book(ENTRIES))
    assert root.tag == "YealinkIPPhoneDirectory"
    assert [entry.tag for entry in root] == ["DirectoryEntry", "DirectoryEntry"]
    assert [child.tag for child in root[1]] == ["Name", "Telephone", "Telephone"]
    assert [child.text for child in root[1]] == ["Żółw & <Syn>", "103", "48225550111"]


def test_documents_say_that_they_are_utf_8_and_are_the_same_each_time() -> None:
    document = xml.phone_book(ENTRIES)
    assert document.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<YealinkIPPhoneDirectory>")
    assert "Żółw".encode() in document
    assert document == xml.phone_book(iter(ENTRIES))


def test_an_empty_phone_book_is_a_document() -> None:
    assert etree.fromstring(xml.phone_book([])).tag == "YealinkIPPhoneDirectory"


def test_a_menu_opens_other_documents() -> None:
    root = etree.fromstring(xml.menu("Firma", [xml.Item("Wszyscy", "http://192.0.2.1/a?b=1&c=2")]))
    assert root.tag == "YealinkIPPhoneMenu"
    assert root.findtext("MenuItem/Name") == "Wszyscy"
    assert root.findtext("MenuItem/URL") == "http://192.0.2.1/a?b=1&c=2"


def test_browser_objects_use_the_vendors_elements(golden: Golden) -> None:
    documents = [
        xml.text_menu("Menu", [xml.Item("Książka", "http://192.0.2.1/book.xml")]),
        xml.text_screen("Stan", "Linia: 48223809887\nZarejestrowana: tak"),
        xml.input_screen(
            "Szukaj",
            "http://192.0.2.1/find.xml",
            [xml.Field("Nazwisko", "q", "Kow"), xml.Field("PIN", "pin", password=True)],
        ),
        xml.directory("Firma", [("Biuro", "102")]),
        xml.execute(["Dial:102"]),
        xml.configuration([("features.dnd.enable", "1")]),
        xml.status("stan", ["Nieobecny do 15:00"]),
    ]
    golden("yealink/browser.xml", b"\n".join(documents).decode())


def test_a_browser_object_beyond_what_a_phone_reads_is_refused() -> None:
    long = [xml.Item(f"Osoba {number}", f"http://192.0.2.1/{number}") for number in range(200)]
    with pytest.raises(xml.BadXml, match="10000"):
        xml.text_menu("Wszyscy", long)
    assert len(xml.phone_book([xml.Entry(item.name, ("1",)) for item in long])) > xml.BROWSER_LIMIT


@pytest.mark.parametrize(
    "text", ["a\0b", "a\x1bb", "a\nb", "a\tb", "a\x85b", "a\u2028b", "a\ud800b", "a\ufffeb"]
)
def test_what_a_page_cannot_hold_is_refused_by_name(text: str) -> None:
    with pytest.raises(xml.BadXml, match=r"U\+[0-9A-F]{4}"):
        xml.phone_book([xml.Entry(text, ("102",))])
    with pytest.raises(xml.BadXml):
        xml.execute([text])


def test_only_a_text_screen_has_lines() -> None:
    assert etree.fromstring(xml.text_screen("a", "b\nc")).findtext("Text") == "b\nc"
    with pytest.raises(xml.BadXml):
        xml.text_screen("a\nb", "c")


@given(st.text(), st.text())
def test_any_text_comes_back_as_it_was_or_is_refused(name: str, telephone: str) -> None:
    try:
        document = xml.phone_book([xml.Entry(name, (telephone,))])
    except xml.BadXml:
        return
    root = etree.fromstring(document)
    assert len(root) == 1
    assert (root.findtext("DirectoryEntry/Name") or "") == name
    assert (root.findtext("DirectoryEntry/Telephone") or "") == telephone
