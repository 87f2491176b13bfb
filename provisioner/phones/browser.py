"""What a phone's XML browser shows: a menu, the company's directory page by page, and the phone itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from phone_templates.yealink import xml
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device
from provisioner.phones.render import phone_book_entries

_PAGE = 30
"People on one page: 30 names of 80 characters are far below the limit of a browser object."

_WORDS = {
    "pl": {"directory": "Książka firmowa", "phone": "Ten telefon", "line": "Linia"},
    "en": {"directory": "Company directory", "phone": "This phone", "line": "Line"},
}


@dataclass(frozen=True, slots=True)
class Page:
    """One browser object."""

    content: bytes
    etag: str


def browser_page(name: str, number: int, customer: Customer, device: Device, base: str) -> Page | None:
    """The page of that name and number, or None. `base` is the URL under which the phone asks."""
    words = _WORDS[device.phone.language or customer.language]
    content: bytes | None = None
    if name == "menu" and number == 1:
        content = xml.text_menu(customer.name, _menu(customer, words, base))
    elif name == "directory":
        content = _directory(number, customer, words)
    elif name == "phone" and number == 1:
        content = xml.text_screen(words["phone"], _this_phone(customer, device, words))
    return None if content is None else Page(content, hashlib.sha256(content).hexdigest()[:32])


def _menu(customer: Customer, words: dict[str, str], base: str) -> list[xml.Item]:
    pages = -(-len(phone_book_entries(customer)) // _PAGE) or 1
    items = [xml.Item(words["directory"], f"{base}/browser/directory.xml")]
    items += [
        xml.Item(f"{words['directory']} {page}", f"{base}/browser/directory-{page}.xml")
        for page in range(2, pages + 1)
    ]
    return [*items, xml.Item(words["phone"], f"{base}/browser/phone.xml")]


def _directory(number: int, customer: Customer, words: dict[str, str]) -> bytes | None:
    page = phone_book_entries(customer)[(number - 1) * _PAGE : number * _PAGE]
    if number > 1 and not page:
        return None
    return xml.directory(words["directory"], [(entry.name[:80], entry.telephones[0]) for entry in page])


def _this_phone(customer: Customer, device: Device, words: dict[str, str]) -> str:
    lines = [f"{device.model} {device.mac}", device.name] if device.name else [f"{device.model} {device.mac}"]
    by_line = {each.line: each for each in customer.extensions if each.line}
    for account in device.accounts:
        extension = by_line.get(account.line)
        inside = f" ({extension.number})" if extension else ""
        lines.append(f"{words['line']} {account.account}: {account.line}{inside}")
    return "\n".join(lines)
