"""Phones of companies that were never stored."""

from __future__ import annotations

from typing import Any

from phone_templates import cfg, spec
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.order import in_order
from provisioner.files.company import read_company_file
from provisioner.phones.describe import Surroundings, describe
from provisioner.phones.render import DeviceFile, device_files
from tests.provisioner.operations.small import DESK, small, written

PUBLIC = PublicAddresses("http://192.0.2.1:8081", "sip.example.com", 5060, "udp")


def company(**changes: Any) -> Customer:
    """The small company, with some of its keys said otherwise."""
    return in_order(merge(None, read_company_file(written(small(**changes)).encode()).customers[0]))


def vendor(**said: Any) -> VendorLevel:
    """What is said of Yealink."""
    file = read_company_file(written(vendors=[{"vendor": "yealink", **said}]).encode())
    return merge_vendor(None, file.vendors[0])


def around(said: VendorLevel | None = None, **versions: int) -> Surroundings:
    return Surroundings(said or VendorLevel("yealink"), PUBLIC, versions)


def device_of(customer: Customer, mac: MacAddress = DESK) -> Device:
    return next(device for device in customer.devices if device.mac == mac)


def described(customer: Customer, mac: MacAddress = DESK, said: VendorLevel | None = None) -> spec.Phone:
    """The phone's description."""
    return describe(device_of(customer, mac), customer, around(said))


def rendered(customer: Customer, mac: MacAddress = DESK, said: VendorLevel | None = None) -> dict[str, str]:
    """The settings of the phone's own file, secrets by reference."""
    text = device_files(device_of(customer, mac), customer, around(said))[DeviceFile.MAC]
    return dict(cfg.parse(text))
