"""What a company file may say of phones: known models, and settings that they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from phone_templates.catalogue import Generation, Parameter, Sensitivity, checked_value
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.models import find_model, own_spelling
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import PhoneOptions, VendorLevel
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.patch import ModelPatch, VendorPatch
from provisioner.centrex.problems import Kind, Problem, Subject, refuse
from provisioner.phones.describe import BadSetting, Surroundings
from provisioner.phones.managed import check_not_managed
from provisioner.phones.render import DeviceFile, device_files

_MOST_HINTS = 20
"Looking for what could have been meant is slow; a level full of unknown names is a mistake of another kind."
_NEWEST_FIRST = tuple(reversed(Generation))


def is_secret(name: str) -> bool:
    """Whether a parameter of any generation is password-like, and so kept sealed and never shown."""
    return any(
        parameter is not None and parameter.sensitivity is Sensitivity.SECRET
        for generation in Generation
        for parameter in (catalogue().find(name, generation),)
    )


def with_known_models(customer: Customer) -> Customer:
    """The customer with all models by their own names. What no model is called stays as it is."""
    return replace(
        customer,
        phone=_with_known_targets(customer.phone),
        sites=tuple(replace(site, phone=_with_known_targets(site.phone)) for site in customer.sites),
        devices=tuple(
            replace(device, model=_own_name(device.model), phone=_with_known_targets(device.phone))
            for device in customer.devices
        ),
    )


def with_known_targets(vendor: VendorLevel) -> VendorLevel:
    """The same of what is said of a vendor."""
    return replace(vendor, phone=_with_known_targets(vendor.phone))


def _with_known_targets(phone: PhoneOptions) -> PhoneOptions:
    if not isinstance(phone.firmware, tuple):
        return phone
    targets = (replace(target, model=_own_name(target.model)) for target in phone.firmware)
    return replace(phone, firmware=tuple(sorted(targets, key=lambda target: target.model)))


def _own_name(model: str) -> str:
    try:
        return own_spelling(model)
    except PhoneTemplatesError:
        return model


def phone_files(customer: Customer, around: Surroundings) -> Mapping[MacAddress, Mapping[DeviceFile, str]]:
    """The files of all phones. Raises `Contradictions` with everything that they can't be or do."""
    problems = [*_wide_settings(Subject(Kind.CUSTOMER, customer.login), customer.settings)]
    for site in customer.sites:
        problems += _wide_settings(Subject(Kind.SITE, site.name), site.settings)
    files: dict[MacAddress, Mapping[DeviceFile, str]] = {}
    for device in customer.devices:
        subject = Subject(Kind.DEVICE, str(device.mac))
        try:
            files[device.mac] = device_files(device, customer, around)
        except (CentralkaError, PhoneTemplatesError, ValueError) as error:
            message = str(error)
            if str(device.mac) not in message:
                message = f"{subject}: {message}"
            key = ("settings", error.name) if isinstance(error, BadSetting) else ()
            problems.append(Problem(subject, message, key))
    refuse(problems)
    return files


def patch_with_known_models(patch: VendorPatch) -> VendorPatch:
    """The patch with its models by their own names. Raises `Contradictions` for unknown ones and doubles."""
    written: dict[str, str] = {}
    models: list[ModelPatch] = []
    problems = []
    for level in patch.models:
        subject = Subject(Kind.MODEL, level.model)
        try:
            name = find_model(level.model).name
        except PhoneTemplatesError as error:
            problems.append(Problem(subject, str(error)))
            continue
        if written.setdefault(name, level.model) != level.model:
            message = f"{subject} is there already as {written[name]}: leave one of them"
            problems.append(Problem(subject, message))
        models.append(level.model_copy(update={"model": name}))
    refuse(problems)
    # What a copy is given counts as said.
    return patch.model_copy(update={"models": tuple(models)} if "models" in patch.model_fields_set else {})


def vendor_problems(vendor: VendorLevel, patch: VendorPatch) -> Iterator[Problem]:
    """Settings of a vendor or model that no phone knows; models are called as the patch calls them."""
    yield from _wide_settings(Subject(Kind.VENDOR, vendor.vendor), vendor.settings)
    written = called_in(patch)
    for level in vendor.models:
        subject = Subject(Kind.MODEL, written.get(level.model, level.model))
        yield from _wide_settings(subject, level.settings)


def called_in(patch: VendorPatch) -> Mapping[str, str]:
    """What the patch calls each model that it names."""
    return {find_model(level.model).name: level.model for level in patch.models}


def _nearest(name: str) -> list[str]:
    return catalogue().nearest(name, Generation.V86) or catalogue().nearest(name, Generation.V70)


def _wide_settings(subject: Subject, settings: Mapping[str, str]) -> Iterator[Problem]:
    """A wide level speaks to many models: some generation must know each name, and take the value."""
    hints = _MOST_HINTS
    for name, value in settings.items():
        parameter = known_somewhere(name)
        key = ("settings", name)
        if parameter is None:
            near = _nearest(name) if hints > 0 else []
            hints -= 1
            hint = f"did you mean {', '.join(near)}?" if near else "look it up in the vendor's guide"
            yield Problem(subject, f"{subject}: no phone has a parameter {name[:100]!r}: {hint}", key)
            continue
        try:
            check_not_managed(name)
            checked_value(name, value, parameter.type)
        except PhoneTemplatesError as error:
            yield Problem(subject, f"{subject}: {error}", key)


def known_somewhere(name: str) -> Parameter | None:
    """What a parameter is to the newest generation that knows it."""
    found = (catalogue().find(name, generation) for generation in _NEWEST_FIRST)
    return next((parameter for parameter in found if parameter is not None), None)
