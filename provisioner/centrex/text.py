"""What a person's text may hold at the door: names, numbers and codes.

Every rule takes the value and the words for its field, gives the value back, and raises `BadValue` that says
what to do. A long value never appears whole in a message, a password not at all.
"""

from __future__ import annotations

import re
import unicodedata

from provisioner.centrex.errors import BadValue

LONGEST_NAME = 128
LONGEST_NUMBER = 32
LONGEST_EXTENSION = 10

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

# Yealink reads these two whole values as "take the setting back to its default" and "set it to nothing".
CLEARED = "%NULL%"
_VENDOR_MARKERS = frozenset({CLEARED, "%EMPTY%"})

_DIGITS = re.compile(r"[0-9]+")
_E164 = re.compile(r"[1-9][0-9]{4,14}")
_DIALABLE = re.compile(rf"\+?[0-9*#]{{1,{LONGEST_NUMBER}}}")
_CODE = re.compile(r"[0-9*#]{1,8}")
_SETTING = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,119}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,99}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@\-]{0,63}")


def shown(value: str) -> str:
    """`value` as a message may quote it: short, and with nothing that breaks the line."""
    return repr(value if len(value) <= 40 else value[:39] + "…")


def plain_text(value: object, field: str, *, longest: int = LONGEST_NAME, may_be_empty: bool = False) -> str:
    """One line of text that every file, header and page can hold."""
    if value is None:
        raise BadValue(f"{field} can't be null: give it a value, or leave the key out to keep what is there")
    if not isinstance(value, str):
        raise BadValue(f"{field} must be a text, not {kind_of(value)}")
    if not value and not may_be_empty:
        raise BadValue(f"{field} is empty: give it a value, or leave the key out")
    if unsafe := _UNSAFE.search(value):
        raise BadValue(
            f"{field} holds the character U+{ord(unsafe.group()):04X}, which no phone can show: take it out "
            f"(a text is one line, without tabs and control characters)"
        )
    if invisible := next((sign for sign in value if unicodedata.category(sign) == "Cf"), None):
        raise BadValue(f"{field} holds the invisible character U+{ord(invisible):04X}: take it out")
    if value != value.strip():
        raise BadValue(f"{field} begins or ends with a blank: take it out")
    if len(value) > longest:
        raise BadValue(f"{field} has {len(value)} characters: at most {longest} fit")
    if value.upper() in _VENDOR_MARKERS:
        raise BadValue(f"{field} can't be {value}: phones read it as an order to forget the setting")
    return value


def kind_of(value: object) -> str:
    """What a value is, in words for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number without quotes"
    return "nothing" if value is None else "a text"


def login(value: object, field: str) -> str:
    """The name under which a customer or user is known to us; it stands in addresses of pages."""
    text = plain_text(value, field)
    if not _LOGIN.fullmatch(text):
        raise BadValue(f"{field} {shown(text)} has up to 64 letters without accents, digits and . _ @ - only")
    return text


def extension(value: object, field: str) -> str:
    """A short number inside the company: an extension, a group or a speed dial."""
    text = plain_text(value, field)
    if not _DIGITS.fullmatch(text):
        raise BadValue(f"{field} {shown(text)} must be digits only, such as 101")
    if len(text) > LONGEST_EXTENSION:
        raise BadValue(f"{field} {shown(text)} has {len(text)} digits: at most {LONGEST_EXTENSION} fit")
    return text


def line_number(value: object, field: str) -> str:
    """The number of a line: E.164 without the plus."""
    text = plain_text(value, field)
    if text.startswith("+") and _E164.fullmatch(text[1:]):
        raise BadValue(f"{field} {shown(text)} is written without the plus: {text[1:]}")
    if text.startswith("00") and _E164.fullmatch(text[2:]):
        raise BadValue(f"{field} {shown(text)} is written without the leading zeros: {text[2:]}")
    if not _E164.fullmatch(text):
        raise BadValue(
            f"{field} {shown(text)} must be a whole number with its country code, 5 to 15 digits: 48223809887"
        )
    return text


def dialable(value: object, field: str) -> str:
    """Any number that can be dialled: digits, * and #, perhaps a plus in front."""
    text = plain_text(value, field)
    if not _DIALABLE.fullmatch(text):
        raise BadValue(
            f"{field} {shown(text)} can't be dialled: write up to {LONGEST_NUMBER} digits, * or #, "
            f"without blanks and hyphens"
        )
    return text


def code(value: object, field: str) -> str:
    """A code that turns a service on or off, or a prefix: 1 to 8 of 0-9, * and #."""
    text = plain_text(value, field)
    if not _CODE.fullmatch(text):
        raise BadValue(f"{field} {shown(text)} must be 1 to 8 of the characters 0-9, * and #, such as *40")
    return text


def setting_name(value: object, field: str) -> str:
    """A parameter's name, such as `local_time.time_format`; whether a phone knows it is asked later."""
    text = plain_text(value, field)
    if not _SETTING.fullmatch(text):
        raise BadValue(f"{shown(text)} can't be a parameter's name: write it like local_time.time_format")
    return text


def setting_value(value: object, field: str) -> str:
    """The value of a phone's parameter; `%NULL%`, and only here, is the vendor's order to forget it."""
    if value == "":
        raise BadValue(f"{field} is empty: write null to take the setting back")
    if value == CLEARED:
        return CLEARED
    return plain_text(value, field, longest=2048)


def file_name(value: object, field: str) -> str:
    """The name of an uploaded file, without any folder."""
    text = plain_text(value, field)
    if not _FILE_NAME.fullmatch(text):
        raise BadValue(
            f"{field} {shown(text)} must be a file name without a folder: "
            f"letters without accents, digits and . _ - only"
        )
    return text


def password(value: object, field: str) -> str:
    """A SIP password. Phones of different ages spell anything beyond ASCII differently, so it is refused."""
    text = plain_text(value, field)
    if not text.isascii():
        raise BadValue(f"{field} may hold letters without accents, digits and signs of a keyboard only")
    return text
