"""What the phone is, what it runs, and the files that it is to fetch beside its configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from phone_templates.yealink.models import known_model
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.centrex.problems import Kind, Subject
from provisioner.phones.lint.case import Company, PhoneCase, firmware_version
from provisioner.phones.lint.finding import Remark, Rule, Severity

_VERSION = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,4}){3}(?![0-9])")


def firmware_prefix(phone: PhoneCase) -> Iterator[Remark]:
    """A firmware of another model. The phone refuses it at best."""
    version = _named_version(phone)
    if version and version[0] not in phone.model.firmware_prefixes:
        ours = " or ".join(f"{prefix}." for prefix in phone.model.firmware_prefixes)
        yield Remark(
            f"{phone.options.firmware} is no firmware of a {phone.model.name}, whose versions begin with"
            f" {ours}",
            "name the model's own file, and say firmware for a model or a phone, not for all",
        )


def firmware_downgrade(phone: PhoneCase) -> Iterator[Remark]:
    """A firmware older than what the phone runs: settings may be lost, and some phones refuse it."""
    version, seen = _named_version(phone), firmware_version(phone.device.firmware_seen or "")
    if version and seen and version[0] in phone.model.firmware_prefixes and version[1:] < seen[1:]:
        yield Remark(
            f"{phone.options.firmware} is older than {phone.device.firmware_seen}, which the phone runs",
            "name a newer file, or take firmware out for this phone",
        )


def firmware_unversioned(phone: PhoneCase) -> Iterator[Remark]:
    """A name that doesn't say what is in the file."""
    if phone.options.firmware and not _named_version(phone):
        yield Remark(
            f"the name {phone.options.firmware} says no version, so nobody can see whether it fits the phone",
            "call the file by its version, such as T46S-66.86.0.15.rom",
        )


def firmware_missing(phone: PhoneCase) -> Iterator[Remark]:
    """A firmware that the phone will ask for in vain."""
    name = phone.options.firmware
    if name and name not in phone.elsewhere.firmware_files:
        yield Remark(
            f"there is no firmware file {name}", "put it into the firmware folder of the data directory"
        )


def media_missing(phone: PhoneCase) -> Iterator[Remark]:
    """A ring tone or logo that the phone will ask for in vain."""
    wanted = [("ring tone", name) for name in phone.options.ringtones or ()]
    if phone.options.logo:
        wanted.append(("logo", phone.options.logo))
    for what, name in wanted:
        if name not in phone.elsewhere.media_files:
            yield Remark(
                f"there is no {what} {name}",
                f"put it into media/{phone.customer.login} of the data directory",
            )


def logo_unshown(phone: PhoneCase) -> Iterator[Remark]:
    """A logo for a phone of whose display nothing is known."""
    if phone.options.logo and not any(word in phone.model.screen for word in ("colour", "touch", "mono")):
        yield Remark(
            f"nothing is known of how a {phone.model.name} shows a logo, so it is not sent",
            "nothing is to be done",
        )


def firmware_unknown(phone: PhoneCase) -> Iterator[Remark]:
    """A version that the model is not known to have had: its files are written for the nearest."""
    seen = firmware_version(phone.device.firmware_seen or "")
    if not seen:
        return
    model = phone.model
    if seen[0] not in model.firmware_prefixes:
        yield Remark(
            f"it says that it runs {phone.device.firmware_seen}, which is no version of a {model.name}",
            "check the model on the phone's label",
        )
    elif not model.oldest <= seen[1] <= model.newest:
        yield Remark(
            f"it runs {phone.device.firmware_seen}, and of a {model.name} V{model.oldest} to V{model.newest}"
            f" are known: its files are written for {phone.generation}",
            "check that all its settings took effect"
            if seen[1] > model.newest
            else "give it a newer firmware by its own web page",
        )


def other_model(phone: PhoneCase) -> Iterator[Remark]:
    """The phone calls itself another model than the one that is listed."""
    agent = parse_user_agent(phone.elsewhere.agents.get(phone.device.mac, ""))
    said = known_model(agent.model) if agent and agent.model else None
    # Some models share one file, and a base station speaks for its handset.
    if said is not None and not set(said.cfg_numbers) & set(phone.model.cfg_numbers):
        yield Remark(
            f"it is listed as {phone.device.model} and calls itself {said.name}",
            f"list it as {said.name}, or correct the MAC address",
        )


def model_doubts(company: Company) -> Iterator[Remark]:
    """What the sources leave open about a model that is in use."""
    for name, doubts in sorted({(phone.model.name, phone.model.doubts) for phone in company.phones}):
        for doubt in doubts:
            yield Remark(
                f"the sources leave open: {doubt}", "look at the phone once", Subject(Kind.MODEL, name)
            )


def _named_version(phone: PhoneCase) -> tuple[int, ...]:
    found = _VERSION.search(phone.options.firmware or "")
    return firmware_version(found[0]) if found else ()


PHONE_RULES = (
    Rule("firmware-prefix", Severity.ERROR, firmware_prefix),
    Rule("firmware-missing", Severity.ERROR, firmware_missing),
    Rule("media-missing", Severity.ERROR, media_missing),
    Rule("firmware-downgrade", Severity.WARNING, firmware_downgrade),
    Rule("firmware-unknown", Severity.WARNING, firmware_unknown),
    Rule("other-model", Severity.WARNING, other_model),
    Rule("firmware-unversioned", Severity.HINT, firmware_unversioned),
    Rule("logo-unshown", Severity.HINT, logo_unshown),
)
COMPANY_RULES = (Rule("model-doubts", Severity.HINT, model_doubts),)
