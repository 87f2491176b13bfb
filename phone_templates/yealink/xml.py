"""What phones fetch as XML: phone books, menus and the objects of the XML browser. All of it through lxml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from phone_templates.errors import PhoneTemplatesError

BROWSER_LIMIT: Final = 10_000
"A phone reads no more bytes of one browser object."


_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class BadXml(PhoneTemplatesError):
    """What XML, or a phone that reads it, can't hold."""

    code = "bad-xml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of a phone book."""

    name: str
    telephones: tuple[str, ...]
    "In the order in which the phone offers them."


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a menu, and what it opens."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing asked for on an input screen."""

    prompt: str
    parameter: str
    "The name under which the answer is sent."
    default: str = ""
    password: bool = False
    "Show stars."


def phone_book(entries: Iterable[Entry]) -> bytes:
    """A remote phone book. It may be longer than a browser object."""
    root = etree.Element("YealinkIPPhoneDirectory")
    for entry in entries:
        person = etree.SubElement(root, "DirectoryEntry")
        _child(person, "Name", entry.name)
        for telephone in entry.telephones:
            _child(person, "Telephone", telephone)
    return _bytes(root)


def menu(title: str, items: Iterable[Item]) -> bytes:
    """A menu of phone books: each line opens the next document."""
    root = etree.Element("YealinkIPPhoneMenu")
    _child(root, "Title", title)
    _items(root, items, "Name", "URL")
    return _bytes(root)


def text_menu(title: str, items: Iterable[Item]) -> bytes:
    """A browser list to choose from."""
    root = etree.Element("YealinkIPPhoneTextMenu")
    _child(root, "Title", title)
    _items(root, items, "Prompt", "URI")
    return _browser(root)


def text_screen(title: str, text: str) -> bytes:
    """A browser page of plain text."""
    root = etree.Element("YealinkIPPhoneTextScreen")
    _child(root, "Title", title)
    # The one place where a line may end.
    _child(root, "Text", "").text = "\n".join(_safe(line) for line in text.split("\n"))
    return _browser(root)


def input_screen(title: str, url: str, fields: Iterable[Field]) -> bytes:
    """A browser form; its answers go to `url` as query parameters."""
    root = etree.Element("YealinkIPPhoneInputScreen")
    _child(root, "Title", title)
    _child(root, "URL", url)
    for field in fields:
        asked = etree.SubElement(root, "InputField")
        asked.set("type", "string")
        asked.set("password", "yes" if field.password else "no")
        _child(asked, "Prompt", field.prompt)
        _child(asked, "Parameter", field.parameter)
        if field.default:
            _child(asked, "Default", field.default)
    return _browser(root)


def directory(title: str, items: Iterable[tuple[str, str]]) -> bytes:
    """A browser list of names and the numbers that they dial."""
    root = etree.Element("YealinkIPPhoneDirectory")
    _child(root, "Title", title)
    for name, number in items:
        item = etree.SubElement(root, "MenuItem")
        _child(item, "Prompt", name)
        _child(item, "URI", number)
    return _browser(root)


def execute(uris: Iterable[str]) -> bytes:
    """Commands that the phone carries out one after the other, such as `Dial:101`."""
    root = etree.Element("YealinkIPPhoneExecute")
    for uri in uris:
        item = etree.SubElement(root, "ExecuteItem")
        item.set("URI", _safe(uri))
    return _browser(root)


def configuration(settings: Iterable[tuple[str, str]]) -> bytes:
    """Settings that the phone takes over at once."""
    root = etree.Element("YealinkIPPhoneConfiguration")
    for name, value in settings:
        _child(root, "Item", f"{_safe(name)} = {_safe(value)}")
    return _browser(root)


def status(session: str, messages: Iterable[str]) -> bytes:
    """Lines that stay on the idle screen until the same `session` replaces them."""
    root = etree.Element("YealinkIPPhoneStatus")
    root.set("SessionID", _safe(session))
    for message in messages:
        _child(root, "Message", message)
    return _browser(root)


def _items(root: etree._Element, items: Iterable[Item], name: str, address: str) -> None:
    for item in items:
        line = etree.SubElement(root, "MenuItem")
        _child(line, name, item.name)
        _child(line, address, item.url)


def _child(parent: etree._Element, tag: str, text: str) -> etree._Element:
    child = etree.SubElement(parent, tag)
    child.text = _safe(text)
    return child


def _safe(text: str) -> str:
    """`text` if XML 1.0 §2.2 can hold it and a phone can show it; lxml's refusal names no character.

    Line ends and tabs are XML, but no phone shows them in a line; C1 controls and Unicode's own line ends
    are XML too, but no text.
    """
    if found := _UNSHOWABLE.search(text):
        raise BadXml(f"a phone's page can't hold the character U+{ord(found[0]):04X}: remove it")
    return text


def _browser(root: etree._Element) -> bytes:
    document = _bytes(root)
    if len(document) > BROWSER_LIMIT:
        raise BadXml(
            f"the page has {len(document)} bytes and a phone reads {BROWSER_LIMIT}: show less, or split it"
        )
    return document


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
