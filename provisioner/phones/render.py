"""The texts of all files that depend on our data. Secrets stand in them by reference."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from phone_templates import cfg
from phone_templates.spec import Language
from phone_templates.yealink import xml
from phone_templates.yealink.models import Model, all_models
from phone_templates.yealink.render import first_contact_file, render
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.phones.describe import PHONE_BOOK, Surroundings, clock_of, describe
from provisioner.phones.levels import Level, effective_options, levels_of

FIRST_CONTACT = "first-contact"
"The file of a model that any phone gets outside of a token."


class DeviceFile(StrEnum):
    """The files that are a device's own."""

    MAC = "mac"
    "`<mac>.cfg`, all that is the phone's."
    MODEL = "model"
    "The y-file that it gets under its token."
    BOOT = "boot"
    "`<mac>.boot`, where boot mode is on."


def device_file_name(file: DeviceFile, mac_hex: str, model: Model) -> str:
    """What the phone calls the file."""
    if file is DeviceFile.MAC:
        return f"{mac_hex}.cfg"
    return model.model_file if file is DeviceFile.MODEL else f"{mac_hex}.boot"


def device_files(device: Device, customer: Customer, around: Surroundings) -> Mapping[DeviceFile, str]:
    """All files of one device.

    Raises `CentralkaError` or `PhoneTemplatesError` where the phone can't have what it was given.
    """
    phone = describe(device, customer, around)
    files = render(phone)
    texts = {DeviceFile.MAC: files.mac_file, DeviceFile.MODEL: files.model_file}
    boots = effective_options(levels_of(device, customer, around.vendor)).boot_mode
    if boots and files.boot_file is not None:
        texts[DeviceFile.BOOT] = files.boot_file
    return texts


def customer_files(customer: Customer) -> Mapping[str, str]:
    """The files of a customer that all of its phones share: the phone book."""
    return {PHONE_BOOK: xml.phone_book(phone_book_entries(customer)).decode("utf-8")}


def phone_book_entries(customer: Customer) -> list[xml.Entry]:
    """The published extensions and all hunt groups, by name, then number."""
    people = [(each.name or each.number, each.number) for each in customer.extensions if each.published]
    groups = [(each.name or each.number, each.number) for each in customer.hunt_groups]
    return [xml.Entry(name, (number,)) for name, number in sorted(people + groups)]


def first_contact_files(vendor: VendorLevel) -> Mapping[str, str]:
    """By model: the secret-free file that its phones get before they have a token.

    It is chosen by its name alone, so it knows nothing of a customer. A name doesn't tell the firmware:
    the file speaks to every generation that the model has had, and each ignores what it doesn't know.
    """
    texts: dict[str, str] = {}
    for model in all_models():
        if not model.sectioned:
            texts[model.name] = _first_contact(model, vendor)
    return texts


def _first_contact(model: Model, vendor: VendorLevel) -> str:
    own = [Level("", vendor.phone, {})]
    own += [Level("", level.phone, {}) for level in vendor.models if level.model == model.name]
    options = effective_options(tuple(own))
    language = Language(options.language or Language.POLISH)
    said: dict[str, str] = {}
    for generation in model.generations:
        said |= dict(cfg.parse(first_contact_file(model, generation, language, clock_of(options))))
    return cfg.write(list(said.items()))
