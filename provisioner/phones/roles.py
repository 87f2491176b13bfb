"""What only an operator may say of phones: what hands one over, sends calls away or runs foreign pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, Key, KeyType, PhoneOptions, VendorLevel
from provisioner.centrex.errors import Forbidden
from provisioner.phones.check import known_somewhere
from provisioner.phones.describe import BROWSER_PAGES

_OPTIONS = (
    "sip_host",
    "outbound_proxy",
    "syslog_server",
    "syslog_level",
    "firmware",
    "firmware_downgrade",
    "encryption",
)
"Options that are written as parameters which hand over the phone."

_KEY_TYPE = re.compile(r".*key\.[0-9]+\.type|expansion_module\.([0-9]+\.)?key\.[0-9]+\.type")
_KEY_VALUE = re.compile(r".*key\.[0-9]+\.value|.*\.action|edk\..*|custom_softkey_[a-z_]+\.url")
_URL_KEY_TYPES = frozenset({17, 22, 27, 35, 47, 73})
"url, xml_group, xml_browser, url_record, xml_phone_book, custom_key: the phone asks an address for them."


def check_customer_role(actor: Actor, old: Customer | None, new: Customer) -> None:
    """Raises `Forbidden` where `actor` changes what would hand over a phone of the customer, and may not."""
    if actor.role is Role.OPERATOR:
        return
    before = _levels(old) if old else {}
    for subject, (phone, settings) in _levels(new).items():
        phone_before, settings_before = before.get(subject, (PhoneOptions(), {}))
        _check_options(phone_before, phone)
        _check_settings(settings_before, settings)
    keys = {device.mac: device.keys for device in old.devices} if old else {}
    for device in new.devices:
        _check_keys(device, keys.get(device.mac, ()))


def check_vendor_role(actor: Actor, old: VendorLevel, new: VendorLevel) -> None:
    """Raises `Forbidden` where anybody but an operator changes what reaches the phones of all customers."""
    if actor.role is not Role.OPERATOR and old != new:
        raise Forbidden("what is said of a vendor or a model reaches every customer: ask an operator for it")


def _levels(customer: Customer) -> dict[str, tuple[PhoneOptions, Mapping[str, str]]]:
    levels = {"customer": (customer.phone, customer.settings)}
    levels |= {f"site {site.name}": (site.phone, site.settings) for site in customer.sites}
    return levels | {f"device {each.mac}": (each.phone, each.settings) for each in customer.devices}


def _check_options(before: PhoneOptions, after: PhoneOptions) -> None:
    for name in _OPTIONS:
        if getattr(before, name) != getattr(after, name):
            raise Forbidden(f"{name} would hand over the phone: only an operator may set it")


def _check_settings(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name):
            continue
        parameter = known_somewhere(name)
        if parameter is None or parameter.sensitivity.hands_over_the_phone:
            raise Forbidden(f"{name} would hand over the phone: only an operator may set it")
        # A key that was harmless may be given an address, and one with an address another type.
        if _KEY_VALUE.fullmatch(name) or (_KEY_TYPE.fullmatch(name) and _asks(after.get(name, ""))):
            raise Forbidden(f"{name} could make the phone run a foreign page: set the key under `keys`")


def _asks(key_type: str) -> bool:
    """Whether a key of that type asks an address; what is no number is refused elsewhere."""
    return key_type.removeprefix("+").isdecimal() and int(key_type) in _URL_KEY_TYPES


def _check_keys(device: Device, before: Iterable[Key]) -> None:
    there = set(before)
    for key in device.keys:
        foreign = key.type is KeyType.URL or (
            key.type is KeyType.XML_BROWSER and key.value not in BROWSER_PAGES
        )
        if foreign and key not in there:
            raise Forbidden(
                f"device {device.mac}: a {key.type} key that asks {key.value[:100]!r} could hand over the"
                f" phone: only an operator may set it; the pages {', '.join(BROWSER_PAGES)} are free to use"
            )
