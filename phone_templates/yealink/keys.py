"""What a button is told: type number, account, value, label and pickup code."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from phone_templates.catalogue import Generation
from phone_templates.spec import Key, KeyType, Phone
from phone_templates.values import Text, joined
from phone_templates.yealink.key_types import Bank, UnknownKeyType, key_number
from phone_templates.yealink.layout import BadKey, Place, lay_out, named
from phone_templates.yealink.models import Model

NOTHING: Final = 0
"The type of a button without a key. It must be said, or the phone keeps the key that stood there."

_NAMES: Final = {
    KeyType.LINE: ("line",),
    KeyType.BLF: ("blf",),
    KeyType.SPEED_DIAL: ("speed_dial",),
    KeyType.PARK: ("call_park",),
    # Before V81 no button retrieves by itself; dialling the code does the same.
    KeyType.RETRIEVE: ("retrieve_park", "speed_dial"),
    KeyType.INTERCOM: ("intercom",),
    KeyType.PICKUP: ("pickup",),
    KeyType.GROUP_PICKUP: ("group_pickup",),
    KeyType.PAGING: ("multicast_paging",),
    KeyType.URL: ("url",),
    KeyType.XML_BROWSER: ("xml_browser",),
    KeyType.VOICE_MAIL: ("voice_mail",),
}
"The types by which a phone does it, the best first."

_WITHOUT_ACCOUNT: Final = frozenset({KeyType.PAGING, KeyType.URL, KeyType.XML_BROWSER})

_PAGING = re.compile(r"(?P<address>[0-9.]{7,15}):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class KeyView:
    """One button in the vendor's values."""

    place: str
    "`linekey.3`"
    type: int
    line: int | None = None
    "The account that it uses."
    value: Text | None = None
    label: Text | None = None
    pickup: str | None = None
    "The code that answers a ringing colleague; the phone puts the extension behind it."


def key_views(model: Model, phone: Phone) -> tuple[KeyView, ...]:
    """Every button of the phone, those without a key too. Raises `BadKey` and `TooManyKeys`."""

    def fits(key_type: KeyType, bank: Bank) -> bool:
        return _type_number(key_type, bank, phone.generation) is not None

    return tuple(
        KeyView(place.name, NOTHING) if key is None else _view(place, key, model, phone)
        for place, key in lay_out(model, phone, fits).items()
    )


def _view(place: Place, key: Key, model: Model, phone: Phone) -> KeyView:
    number = _type_number(key.type, place.bank, phone.generation)
    assert number is not None, "lay_out puts no key where it doesn't fit"  # noqa: S101
    is_blf = key.type is KeyType.BLF
    value = _value(key, phone)
    return KeyView(
        place=place.name,
        type=number,
        line=_line(key, phone, zero_based=is_blf and model.zero_based_blf_lines),
        value=value,
        label=key.label or _default_label(key, value, phone),
        pickup=phone.codes.pickup if is_blf else None,
    )


def _type_number(key_type: KeyType, bank: Bank, generation: Generation) -> int | None:
    for name in _NAMES[key_type]:
        try:
            return key_number(name, bank, generation)
        except UnknownKeyType:
            continue
    return None


def _line(key: Key, phone: Phone, *, zero_based: bool) -> int | None:
    if key.type in _WITHOUT_ACCOUNT:
        return None
    if not any(account.number == key.account for account in phone.accounts):
        raise BadKey(
            f"{named(key)} uses account {key.account}, on which the phone has no line:"
            " use another, or give it one"
        )
    return key.account - 1 if zero_based else key.account


def _value(key: Key, phone: Phone) -> Text | None:
    codes = phone.codes
    match key.type:
        case KeyType.LINE:
            return None
        case KeyType.BLF | KeyType.SPEED_DIAL | KeyType.URL:
            return _needed(key, key.value, "a number or address: give it a value")
        case KeyType.PARK:
            return _behind(_needed(key, codes.park, "a park code: turn parking on"), key.value)
        case KeyType.RETRIEVE:
            return _behind(_needed(key, codes.retrieve, "a retrieve code: turn parking on"), key.value)
        case KeyType.INTERCOM:
            _needed(key, key.value, "an extension: give it a value")
            return _behind(_needed(key, codes.intercom, "an intercom prefix: turn intercom on"), key.value)
        case KeyType.PICKUP:
            return _behind(_needed(key, codes.pickup, "a pickup prefix: turn call pickup on"), key.value)
        case KeyType.GROUP_PICKUP:
            # Without an extension behind it the prefix answers whatever rings in reach.
            return _needed(key, codes.pickup, "a pickup prefix: turn call pickup on")
        case KeyType.PAGING:
            return _multicast(key)
        case KeyType.XML_BROWSER:
            return _needed(key, key.value or phone.browser_url, "an address: give it a value")
        case KeyType.VOICE_MAIL:
            number = next((a.voice_mail for a in phone.accounts if a.number == key.account), None)
            return _needed(key, key.value or number, "a voice mail number: give it a value, or the line one")


def _behind(code: Text, value: Text) -> Text:
    """The extension behind the code; people who wrote the code themselves meant it once."""
    if isinstance(value, str) and isinstance(code, str) and value.startswith(code):
        return value
    return joined(code, value)


def _default_label(key: Key, value: Text | None, phone: Phone) -> Text | None:
    """What a phone would show by itself. It must be said, or the label of the key before it stays."""
    match key.type:
        case KeyType.LINE:
            account = next(account for account in phone.accounts if account.number == key.account)
            return account.label if account.label is not None else account.user_name
        case KeyType.BLF | KeyType.INTERCOM:
            return key.value
        case KeyType.URL | KeyType.XML_BROWSER:
            # The address may hold a token.
            return "URL" if key.type is KeyType.URL else "XML"
        case _:
            return value


def _needed(key: Key, value: Text | None, what: str) -> Text:
    if not value:
        raise BadKey(f"{named(key)} needs {what}, or take the key out")
    return value


def _multicast(key: Key) -> Text:
    found = _PAGING.fullmatch(key.value) if isinstance(key.value, str) else None
    try:
        ok = found is not None and ipaddress.IPv4Address(found["address"]).is_multicast
    except ipaddress.AddressValueError:
        ok = False
    if found is None or not ok or not 0 < int(found["port"]) < 65536:
        raise BadKey(f"{named(key)} needs a multicast address and port, such as 224.5.6.20:10008")
    return key.value
