"""What a phone inherits: vendor, then model, customer, site and the device itself; the nearest level wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from phone_templates.yealink.models import find_model
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, PhoneOptions, VendorLevel
from provisioner.centrex.secret_names import (
    customer_subject,
    device_subject,
    model_subject,
    site_subject,
    vendor_subject,
)


@dataclass(frozen=True, slots=True)
class Level:
    """One level's say."""

    subject: str
    "Names the level in secret references and in the settings table: `customer:nowyklienttestowy`."
    phone: PhoneOptions
    settings: Mapping[str, str]


def levels_of(device: Device, customer: Customer, vendor: VendorLevel) -> tuple[Level, ...]:
    """All levels that have a say in the phone's files, the farthest first."""
    levels = [Level(vendor_subject(vendor.vendor), vendor.phone, vendor.settings)]
    levels += [
        Level(model_subject(model.model), model.phone, model.settings)
        for model in vendor.models
        if model.model == find_model(device.model).name
    ]
    levels.append(Level(customer_subject(customer.login), customer.phone, customer.settings))
    levels += [
        Level(site_subject(customer.login, site.name), site.phone, site.settings)
        for site in customer.sites
        if site.name == device.site
    ]
    levels.append(Level(device_subject(device.mac.hex), device.phone, device.settings))
    return tuple(levels)


def effective_options(levels: tuple[Level, ...]) -> PhoneOptions:
    """The options that hold for a phone: of each one what the nearest level says."""
    said = {
        field.name: value
        for level in levels
        for field in fields(PhoneOptions)
        if (value := getattr(level.phone, field.name)) is not None
    }
    return PhoneOptions(**said)
