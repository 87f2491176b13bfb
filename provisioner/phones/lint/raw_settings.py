"""Parameters of the phone's own (`settings`): unsure ones, unheard ones, those that undo what we write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.models import Model, find_model
from phone_templates.yealink.parameters import catalogue
from phone_templates.yealink.render import render
from provisioner.centrex.problems import Kind, Subject
from provisioner.phones.check import known_somewhere
from provisioner.phones.lint.case import Company, PhoneCase, RawSetting, Wide
from provisioner.phones.lint.finding import Remark, Rule, Severity

_KEY_SYNC = re.compile(r"(.*\.)?feature_key_sync(\.enable)?")
_SERVICE_CODE = re.compile(r"(.*\.)?(dnd|always|busy|no_answer|\w+_fwd)\.(on|off)_code")


def bad_setting(phone: PhoneCase) -> Iterator[Remark]:
    """Parameters of the device itself that it doesn't know, or not with this value."""
    for name, value in sorted(phone.device.settings.items()):
        try:
            catalogue().check(name, value, phone.generation, phone.model)
        except PhoneTemplatesError as error:
            yield Remark(str(error), f"correct {name[:100]}, or take it out", key=("settings", name))


def key_sync_and_codes(phone: PhoneCase) -> Iterator[Remark]:
    """The server keeps forwarding and do-not-disturb, and the phone dials codes for them as well."""
    sync = _key_sync(phone)
    codes = [raw for raw in phone.raw if _SERVICE_CODE.fullmatch(raw.name)]
    if sync and codes:
        yield Remark(
            f"{sync.name} and {codes[0].name} contradict each other: the phone would do both",
            "keep one of the two",
        )


def key_sync(phone: PhoneCase) -> Iterator[Remark]:
    """With feature-key synchronisation, the company's codes are not written."""
    if (sync := _key_sync(phone)) is not None:
        yield Remark(
            f"{sync.name} is on: keys for forwarding and do-not-disturb tell the server, and the company's"
            " codes for them are left out of the phones' files",
            "see that the server takes it (as-feature-event), or take the parameter out",
            sync.level,
            ("settings", sync.name),
        )


def _key_sync(phone: PhoneCase) -> RawSetting | None:
    on = (raw for raw in phone.raw if _KEY_SYNC.fullmatch(raw.name) and raw.value == "1")
    return next(on, None)


def single_source(phone: PhoneCase) -> Iterator[Remark]:
    """Parameters that were seen in one source only: the phone may not know them."""
    for raw in phone.raw:
        parameter = catalogue().find(raw.name, phone.generation)
        if parameter is not None and not parameter.trusted:
            yield Remark(
                f"{raw.name} was seen in one source only: firmware {phone.generation} may not know it",
                "look at a phone whether it took effect",
                raw.level,
                ("settings", raw.name),
            )


def overrides_ours(phone: PhoneCase) -> Iterator[Remark]:
    """Parameters that decide who has the phone, and are said otherwise than we would."""
    taking = [raw for raw in phone.raw if _hands_over(raw, phone.generation)]
    if not taking or phone.spec is None:
        return
    try:
        ours = {name for name, _ in cfg.parse(render(phone.spec).mac_file)}
    except PhoneTemplatesError:
        return  # what is wrong is said by a rule of its own
    for raw in taking:
        if raw.name in ours:
            yield Remark(
                f"{raw.name} wins over what would stand there: the phone may go elsewhere, or lock us out",
                "take it out, unless that is what you want",
                raw.level,
                ("settings", raw.name),
            )


def _hands_over(raw: RawSetting, generation: Generation) -> bool:
    parameter = catalogue().find(raw.name, generation)
    return parameter is not None and parameter.sensitivity.hands_over_the_phone


def unheard_setting(company: Company) -> Iterator[Remark]:
    """Parameters of the customer or a site that none of its phones takes."""
    customer = company.customer
    own = [(phone.model, phone.generation) for phone in company.phones]
    subject = Subject(Kind.CUSTOMER, customer.login)
    yield from _unheard(subject, customer.settings, own)
    for site in customer.sites:
        there = [
            (phone.model, phone.generation) for phone in company.phones if phone.device.site == site.name
        ]
        yield from _unheard(Subject(Kind.SITE, site.name), site.settings, there)


def unheard_wide_setting(wide: Wide) -> Iterator[Remark]:
    """The same for what is said of the vendor and of models."""
    kinds = [(find_model(name), generation) for name, generation in sorted(wide.kinds)]
    yield from _unheard(Subject(Kind.VENDOR, wide.vendor.vendor), wide.vendor.settings, kinds)
    for level in wide.vendor.models:
        theirs = [(model, generation) for model, generation in kinds if model.name == level.model]
        yield from _unheard(Subject(Kind.MODEL, level.model), level.settings, theirs)


def _unheard(
    subject: Subject, settings: Mapping[str, str], phones: Iterable[tuple[Model, Generation]]
) -> Iterator[Remark]:
    kinds = list(phones)
    for name, value in sorted(settings.items()):
        if kinds and known_somewhere(name) and not any(_takes(name, value, *kind) for kind in kinds):
            yield Remark(
                f"none of the phones that it is said for takes {name[:100]}",
                "take it out, or say it as their firmware spells it",
                subject,
                ("settings", name),
            )


def _takes(name: str, value: str, model: Model, generation: Generation) -> bool:
    try:
        catalogue().check(name, value, generation, model)
    except PhoneTemplatesError:
        return False
    return True


PHONE_RULES = (
    Rule("bad-setting", Severity.ERROR, bad_setting, is_refusal=True),
    Rule("key-sync-and-codes", Severity.ERROR, key_sync_and_codes, is_refusal=True),
    Rule("overrides-ours", Severity.WARNING, overrides_ours),
    Rule("single-source", Severity.WARNING, single_source),
    Rule("key-sync", Severity.HINT, key_sync),
)
COMPANY_RULES = (Rule("unheard-setting", Severity.WARNING, unheard_setting),)
WIDE_RULES = (Rule("unheard-setting", Severity.WARNING, unheard_wide_setting),)
