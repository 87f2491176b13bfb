"""What a company file may say of phones: known models, settings that they have, and who may set them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from phone_templates.catalogue import Generation, Parameter, Sensitivity, checked_value
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.models import find_model, own_spelling
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.errors import BadValue, CentralkaError, Forbidden
from provisioner.centrex.problems import Kind, Problem, Subject
from provisioner.phones.describe import Surroundings
from provisioner.phones.render import device_files

_NEWEST_FIRST = tuple(reversed(Generation))


def is_secret(name: str) -> bool:
    """Whether a parameter of any generation is password-like, and so kept sealed and never shown."""
    return any(
        parameter is not None and parameter.sensitivity is Sensitivity.SECRET
        for generation in Generation
        for parameter in (catalogue().find(name, generation),)
    )


def with_known_models(customer: Customer) -> Customer:
    """The customer with its phones' models by their own names. What no model is called stays as it is."""
    return replace(
        customer, devices=tuple(replace(device, model=_own_name(device.model)) for device in customer.devices)
    )


def vendor_with_known_models(vendor: VendorLevel) -> VendorLevel:
    """The same for the levels of models; raises `PhoneTemplatesError` for an unknown one."""
    models = (replace(level, model=find_model(level.model).name) for level in vendor.models)
    return replace(vendor, models=tuple(sorted(models, key=lambda level: level.model)))


def _own_name(model: str) -> str:
    try:
        return own_spelling(model)
    except PhoneTemplatesError:
        return model


def phone_problems(customer: Customer, around: Surroundings) -> Iterator[Problem]:
    """What the customer's phones can't be or do, each with the thing to look at."""
    yield from _wide_settings(Subject(Kind.CUSTOMER, customer.login), customer.settings)
    for site in customer.sites:
        yield from _wide_settings(Subject(Kind.SITE, site.name), site.settings)
    for device in customer.devices:
        subject = Subject(Kind.DEVICE, str(device.mac))
        try:
            device_files(device, customer, around)
        except (CentralkaError, PhoneTemplatesError, ValueError) as error:
            message = str(error)
            yield Problem(subject, message if str(device.mac) in message else f"{subject}: {message}")


def check_vendor_settings(vendor: VendorLevel) -> None:
    """Raises `BadValue` for settings of a vendor or model that no phone knows."""
    for settings in (vendor.settings, *(level.settings for level in vendor.models)):
        for problem in _wide_settings(Subject(Kind.CUSTOMER, vendor.vendor), settings):
            raise BadValue(problem.message)


def _wide_settings(subject: Subject, settings: Mapping[str, str]) -> Iterator[Problem]:
    """A wide level speaks to many models: some generation must know each name, and take the value."""
    for name, value in settings.items():
        parameter = _known_somewhere(name)
        if parameter is None:
            near = catalogue().nearest(name, Generation.V86) or catalogue().nearest(name, Generation.V70)
            hint = f"did you mean {', '.join(near)}?" if near else "look it up in the vendor's guide"
            yield Problem(subject, f"{subject}: no phone has a parameter {name[:100]!r}: {hint}")
            continue
        try:
            checked_value(name, value, parameter.type)
        except PhoneTemplatesError as error:
            yield Problem(subject, f"{subject}: {error}")


def _known_somewhere(name: str) -> Parameter | None:
    found = (catalogue().find(name, generation) for generation in _NEWEST_FIRST)
    return next((parameter for parameter in found if parameter is not None), None)


def check_role(actor: Actor, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Raises `Forbidden` where `actor` changes a setting that would hand over the phone, and may not."""
    if actor.role is Role.OPERATOR:
        return
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name):
            continue
        parameter = _known_somewhere(name)
        if parameter is None or parameter.sensitivity.hands_over_the_phone:
            raise Forbidden(f"{name} would hand over the phone: only an operator may set it")
