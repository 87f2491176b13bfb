"""Which firmware a phone shall have, whether it is offered to it, and which targets can't be.

The nearest level that says something of the phone's model wins. A file says something of the models whose
versions begin with its prefix, so one name at a customer may mean a whole series and leave the others alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from phone_templates.yealink.firmware import (
    FirmwareVersion,
    age,
    models_of_prefix,
    parse_file_name,
    parse_version,
)
from phone_templates.yealink.models import Model, known_model
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import FirmwareTarget, PhoneOptions, VendorLevel
from provisioner.centrex.problems import Kind, Problem, Subject
from provisioner.phones.levels import Level

_TOLD = re.compile(r"^(?:static\.)?firmware\.url = .*/firmware/([^/\s]+)$", re.MULTILINE)

FirmwareSaid = str | tuple[FirmwareTarget, ...] | None
"What one level says."


@dataclass(frozen=True, slots=True)
class Target:
    """The firmware that a phone shall have."""

    file: str
    version: FirmwareVersion
    may_downgrade: bool
    "Phones that have a newer one get it, too."


class Standing(StrEnum):
    """Where a phone stands with its target."""

    REACHED = "has it"
    WAITING = "waits for it"
    GOES_BACK = "goes back to it"
    "It has a newer one and is told to give that up."
    NEWER = "has a newer one"
    UNKNOWN = "has not said what it has"
    FOREIGN = "says it has another model's"

    @property
    def is_offered(self) -> bool:
        """Whether the phone is told where the file is.

        A phone that has not said what it has is told: the operator's word is all that is known, its files are
        written for the newest firmware of its model, and one that never says would stay old for ever. The
        first request of nearly every phone names its version, and then its files are right before they go
        out. A phone that runs another model's firmware is not what it is listed as: it is told nothing.
        """
        return self not in (Standing.NEWER, Standing.FOREIGN)


def target_of(model: Model, levels: tuple[Level, ...]) -> Target | None:
    """What a phone of the model shall have by `levels`, the farthest first; None where nothing is said of it.

    Leave to go back counts from the level that names the file, or a nearer one: given for another file,
    farther away, it says nothing of this one.
    """
    may_downgrade: bool | None = None
    for level in reversed(levels):
        if may_downgrade is None:
            may_downgrade = level.phone.firmware_downgrade
        file = _said_of(model, level.phone.firmware)
        if file is None:
            continue
        named = parse_file_name(file)
        return Target(file, named.version, bool(may_downgrade)) if named else None
    return None


def _said_of(model: Model, said: FirmwareSaid) -> str | None:
    """The file that a level means for the model; empty where it wants none."""
    if isinstance(said, tuple):
        said = next((each.file for each in said if known_model(each.model) == model), None)
    if not said:
        return said
    named = parse_file_name(said)
    return said if named is not None and named.version.prefix in model.firmware_prefixes else None


def standing(model: Model, target: Target, seen: str | None) -> Standing:
    """Where a phone stands that said last that it runs `seen`."""
    version = parse_version(seen) if seen else None
    if version is None:
        return Standing.UNKNOWN
    there, wanted = age(model, version), age(model, target.version)
    if there is None or wanted is None:
        return Standing.FOREIGN
    if there > wanted:
        return Standing.GOES_BACK if target.may_downgrade else Standing.NEWER
    return Standing.REACHED if there == wanted else Standing.WAITING


def offered_firmware(model: Model, levels: tuple[Level, ...], seen: str | None) -> str | None:
    """The file that the phone is told of; None where it has no target, or one that is kept from it."""
    target = target_of(model, levels)
    if target is None or not standing(model, target, seen).is_offered:
        return None
    return target.file


def may_have(model: Model, levels: tuple[Level, ...], seen: str | None, file: str) -> bool:
    """Whether a phone that its own file tells of `file` may fetch it.

    That file may be older than what the levels say now, held or not released yet: then nobody has said that
    the phone may go back to it.
    """
    target, named = target_of(model, levels), parse_file_name(file)
    if target is None or target.file != file:
        target = Target(file, named.version, may_downgrade=False) if named else None
    return target is not None and standing(model, target, seen).is_offered


def firmware_told(content: str) -> str | None:
    """The firmware file that a phone's file names."""
    found = _TOLD.search(content)
    return found[1] if found else None


def files_named(said: FirmwareSaid) -> frozenset[str]:
    """The files that a level names."""
    names = {each.file for each in said} if isinstance(said, tuple) else {said or ""}
    return frozenset(names - {""})


def customer_problems(
    old: Customer | None, new: Customer, added: Collection[str] | None = None
) -> Iterator[Problem]:
    """Targets of a customer that can't be, as far as `new` says anything that `old` did not.

    `added` are the files that there are; None doesn't ask.
    """
    before = dict(_levels(old)) if old else {}
    for subject, (phone, model) in _levels(new):
        phone_before, model_before = before.get(subject, (PhoneOptions(), model))
        if (phone.firmware, model) != (phone_before.firmware, model_before):
            yield from _problems(subject, phone.firmware, model, added, files_named(phone_before.firmware))


def vendor_problems(
    old: VendorLevel | None,
    new: VendorLevel,
    added: Collection[str] | None = None,
    called: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Problem]:
    """The same of a vendor and its models; `called` says what a file calls them, where that differs."""
    before = old or VendorLevel(new.vendor)
    if new.phone.firmware != before.phone.firmware:
        subject = Subject(Kind.VENDOR, new.vendor)
        yield from _problems(subject, new.phone.firmware, None, added, files_named(before.phone.firmware))
    models = {level.model: level.phone.firmware for level in before.models}
    for level in new.models:
        if level.phone.firmware != models.get(level.model):
            subject = Subject(Kind.MODEL, called.get(level.model, level.model))
            there = files_named(models.get(level.model))
            yield from _problems(subject, level.phone.firmware, level.model, added, there)


def _levels(customer: Customer) -> Iterator[tuple[Subject, tuple[PhoneOptions, str | None]]]:
    """Each level of a customer, and the model that it is about, if there is but one."""
    yield Subject(Kind.CUSTOMER, customer.login), (customer.phone, None)
    for site in customer.sites:
        yield Subject(Kind.SITE, site.name), (site.phone, None)
    for device in customer.devices:
        yield Subject(Kind.DEVICE, str(device.mac)), (device.phone, device.model)


def _problems(
    subject: Subject,
    said: FirmwareSaid,
    of_model: str | None,
    added: Collection[str] | None,
    there: Collection[str],
) -> Iterator[Problem]:
    key = ("phone", "firmware")
    if isinstance(said, tuple) and of_model is not None:
        what = "one file's name: a list of models is for a vendor, a customer or a site"
        yield Problem(subject, f"{subject}: firmware takes {what}", key)
        return
    seen: set[str] = set()
    for target in said if isinstance(said, tuple) else ():
        model = known_model(target.model)
        if model is None:
            why = f"firmware names {target.model[:40]!r}, which is no model we know: write it like T46S"
        elif model.name in seen:
            why = f"firmware names {target.model} twice: all names of one model mean the same"
        else:
            seen.add(model.name)
            why = _misfit(target.file, model.name, added, there)
        if why:
            yield Problem(subject, f"{subject}: {why}", (*key, target.model))
    if isinstance(said, str) and (why := _misfit(said, of_model, added, there)):
        yield Problem(subject, f"{subject}: {why}", key)


def _misfit(file: str, of_model: str | None, added: Collection[str] | None, there: Collection[str]) -> str:
    """Why the file can't be a target of the model (None: of any); empty where it can."""
    if not file:
        return ""
    named = parse_file_name(file)
    if named is None:
        return f"the name {file} says no version: call it as the vendor does, such as T46S-66.86.0.15.rom"
    prefix = named.version.prefix
    model = known_model(of_model) if of_model else None
    if model is not None and prefix not in model.firmware_prefixes:
        ours = " or ".join(f"{each}." for each in model.firmware_prefixes)
        return f"{file} is no firmware of a {model.name}, whose versions begin with {ours}"
    if not models_of_prefix(prefix):
        return f"{file} begins with {prefix}., which is no model's that we know: check the name"
    if added is not None and file not in added and file not in there:
        return f"there is no firmware {file}: add it first: centralka firmware add {file}"
    return ""
