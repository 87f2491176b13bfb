"""Whole numbers, switches, choices, amounts, hosts and times as people write them.

Every rule takes the value (a text, or what JSON made of it) and the words for its field, and raises
`BadValue` that says what to do.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeVar

from provisioner.centrex.errors import BadValue
from provisioner.centrex.nights import NightWindow
from provisioner.centrex.text import kind_of, plain_text, shown

LANGUAGES = ("pl", "en")

_ON = frozenset({"true", "yes", "on"})
_OFF = frozenset({"false", "no", "off"})
_INTEGER = re.compile(r"-?[0-9]{1,12}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_HOUR_MINUTE = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_CURRENCY = re.compile(r"[A-Z]{3}")

Choice = TypeVar("Choice", bound=StrEnum)


def integer(value: object, field: str, *, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = _scalar(value, field, "a whole number")
        if not _INTEGER.fullmatch(text):
            raise BadValue(f"{field} must be a whole number from {low} to {high}, not {shown(text)}")
        number = int(text)
    if not low <= number <= high:
        raise BadValue(f"{field} is {number}: it must be from {low} to {high}")
    return number


def flag(value: object, field: str) -> bool:
    """True or false, as YAML people write them."""
    if isinstance(value, bool):
        return value
    text = _scalar(value, field, "true or false")
    if text.lower() in _ON:
        return True
    if text.lower() in _OFF:
        return False
    raise BadValue(f"{field} must be true or false, not {shown(text)}")


def choice(value: object, field: str, kind: type[Choice]) -> Choice:
    """One member of an enumeration by its word."""
    return kind(one_of(value, field, tuple(member.value for member in kind)))


def one_of(value: object, field: str, words: tuple[str, ...]) -> str:
    """One of a few words."""
    text = _scalar(value, field, f"one of {', '.join(words)}")
    if text not in words:
        raise BadValue(f"{field} must be one of {', '.join(words)}, not {shown(text)}")
    return text


def amount(value: object, field: str) -> Decimal:
    """Money: not negative, exact, at most six decimals; two at least are kept."""
    if isinstance(value, float):
        raise BadValue(f'{field} must be written in quotes, so that it stays exact: "{value}"')
    text = str(value) if type(value) is int else _scalar(value, field, "an amount")
    if text.startswith("-"):
        raise BadValue(f"{field} can't be negative: write 0 or more")
    if "," in text:
        raise BadValue(f"{field} is written with a point, not a comma: {shown(text.replace(',', '.'))}")
    if not _AMOUNT.fullmatch(text):
        raise BadValue(f"{field} must be an amount such as 50.00, with at most 6 decimals, not {shown(text)}")
    return normal_amount(Decimal(text))


def normal_amount(number: Decimal) -> Decimal:
    """The same amount with no more decimals than it needs, and two at least: one amount, one spelling."""
    try:
        return number.quantize(Decimal("0.01")) if number == round(number, 2) else number.normalize()
    except InvalidOperation as error:
        raise BadValue(f"{number} is too large for an amount: write a smaller one") from error


def currency(value: object, field: str) -> str:
    """A currency's three letters (ISO 4217)."""
    text = _scalar(value, field, "a currency")
    if not _CURRENCY.fullmatch(text):
        raise BadValue(f"{field} must be three capital letters such as PLN, not {shown(text)}")
    return text


def language(value: object, field: str) -> str:
    """A language that pages and phones are kept in."""
    return one_of(value, field, LANGUAGES)


def time_zone(value: object, field: str) -> str:
    """A zone of the IANA database, the pinned one: of this machine's own, a phone's file may not know it."""
    text = plain_text(value, field)
    if text not in _zones():
        raise BadValue(f"{field} {shown(text)} is not a time zone: write one such as Europe/Warsaw")
    return text


def host(value: object, field: str) -> str:
    """A host name or an IP address (IPv6 without brackets)."""
    text = plain_text(value, field, longest=253)
    if not _is_host(text):
        raise BadValue(f"{field} {shown(text)} must be a host name or an IP address, such as sip.example.com")
    return text


def host_port(value: object, field: str) -> str:
    """`host`, `host:port`, or `[IPv6]:port`."""
    text = plain_text(value, field, longest=260)
    name, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit() and not _is_host(text):
        if not 1 <= int(port[:6]) <= 65535:
            raise BadValue(f"{field} {shown(text)}: a port is from 1 to 65535")
        bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
        if _is_host(bare) and (":" not in bare or bare != name):
            return text
    elif _is_host(text):
        return text
    raise BadValue(f"{field} {shown(text)} must be host or host:port, such as proxy.example.com:5060")


def hour_minute(value: object, field: str) -> str:
    """A time of day, HH:MM."""
    text = _scalar(value, field, "a time of day")
    if not _HOUR_MINUTE.fullmatch(text):
        raise BadValue(f"{field} must be a time of day such as 02:00, not {shown(text)}")
    return text


def window(value: object, field: str) -> str:
    """From when to when, HH:MM-HH:MM."""
    text = _scalar(value, field, "a window")
    try:
        NightWindow.parse(text)
    except ValueError:
        raise BadValue(f"{field} must be a window such as 22:00-05:00, not {shown(text)}") from None
    return text


def _scalar(value: object, field: str, wanted: str) -> str:
    if isinstance(value, dict | list | tuple):
        raise BadValue(f"{field} must be {wanted}, not {kind_of(value)}")
    if isinstance(value, int | float):
        raise BadValue(f"{field} must be {wanted}, not {value}")
    return plain_text(value, field)


def _is_host(text: str) -> bool:
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return False
        return "%" not in text
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))


@cache
def _zones() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())
