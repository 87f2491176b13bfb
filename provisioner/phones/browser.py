"""What a phone's XML browser shows: a menu, the company's directory page by page, and the phone itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from phone_templates.yealink import xml
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device
from provisioner.phones.render import phone_book_entries

# One character of a name takes at most 5 bytes (`&amp;`), the tags around a person 75: 30 people of 50
# characters stay below the 10 000 bytes that a phone reads.
_PEOPLE = 30
_LONGEST_NAME = 50
_MENU_ITEMS = 20
"Lines of one menu: each holds a whole URL."

_WORDS = {
    "pl": {"directory": "Książka firmowa", "phone": "Ten telefon", "line": "Linia", "more": "Dalej"},
    "en": {"directory": "Company directory", "phone": "This phone", "line": "Line", "more": "More"},
}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page:
    """One browser object."""

    content: bytes
    etag: str


def browser_page(
    name: str, number: int, customer: Customer, device: Device, language: str, base: str
) -> Page | None:
    """The page of that name and number, or None.

    `language` is the phone's, pl or en; `base` is the URL under which the phone asks.
    """
    words = _WORDS[language]
    content: bytes | None = None
    if name == "menu":
        content = _menu(number, customer, words, base)
    elif name == "directory":
        content = _directory(number, customer, words)
    elif name == "phone" and number == 1:
        content = xml.text_screen(words["phone"], _this_phone(customer, device, words))
    return None if content is None else Page(content, hashlib.sha256(content).hexdigest()[:32])


def _menu(number: int, customer: Customer, words: dict[str, str], base: str) -> bytes | None:
    directories = len(_pages(phone_book_entries(customer), _PEOPLE))
    items = [xml.Item(words["directory"], f"{base}/browser/directory.xml")]
    items += [
        xml.Item(f"{words['directory']} {page}", f"{base}/browser/directory-{page}.xml")
        for page in range(2, directories + 1)
    ]
    menus = _pages([*items, xml.Item(words["phone"], f"{base}/browser/phone.xml")], _MENU_ITEMS)
    if number > len(menus):
        return None
    more = [xml.Item(words["more"], f"{base}/browser/menu-{number + 1}.xml")] if number < len(menus) else []
    return xml.text_menu(customer.name, [*menus[number - 1], *more])


def _directory(number: int, customer: Customer, words: dict[str, str]) -> bytes | None:
    pages = _pages(phone_book_entries(customer), _PEOPLE)
    if number > len(pages):
        return None
    people = [(entry.name[:_LONGEST_NAME].rstrip(), entry.telephones[0]) for entry in pages[number - 1]]
    return xml.directory(words["directory"], people)


def _this_phone(customer: Customer, device: Device, words: dict[str, str]) -> str:
    lines = [f"{device.model} {device.mac}", device.name] if device.name else [f"{device.model} {device.mac}"]
    by_line = {each.line: each for each in customer.extensions if each.line}
    for account in device.accounts:
        extension = by_line.get(account.line)
        inside = f" ({extension.number})" if extension else ""
        lines.append(f"{words['line']} {account.account}: {account.line}{inside}")
    return "\n".join(lines)


def _pages(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    """`items` in pieces; one empty piece where there are none."""
    return [items[start : start + size] for start in range(0, len(items), size)] or [items]
