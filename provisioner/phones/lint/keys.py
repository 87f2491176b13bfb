"""Keys that the phone has no button for, that do nothing, or something else than they should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from phone_templates import spec
from phone_templates.yealink.key_types import Bank, UnknownKeyType, key_number
from phone_templates.yealink.keys import key_views
from phone_templates.yealink.layout import BadKey, TooManyKeys
from provisioner.centrex.devices import Key, KeyType
from provisioner.phones.lint.case import PhoneCase
from provisioner.phones.lint.finding import Remark, Rule, Severity

_SERVICES = {
    KeyType.PICKUP: "pickup",
    KeyType.GROUP_PICKUP: "pickup",
    KeyType.PARK: "park",
    KeyType.RETRIEVE: "park",
    KeyType.INTERCOM: "intercom",
}
"What a key needs that the company may have turned off: the key of `centrex` in a company file."

# No guide gives figures. From memory, of the fonts that phones come with; a hint, never more.
_LABEL_SMALL, _LABEL_LARGE = 12, 20
"Characters beside a key, on displays of a few lines and on colour ones."


def too_many_modules(phone: PhoneCase) -> Iterator[Remark]:
    """More modules than may be chained, or a phone that takes none."""
    most = phone.model.expansion.modules if phone.model.expansion else 0
    if phone.device.modules > most:
        takes = f"at most {most} expansion modules" if most else "no expansion module"
        yield Remark(
            f"a {phone.model.name} takes {takes}, not {phone.device.modules}",
            f"set modules to {most}" if most else "leave modules out, or list a model that takes them",
        )


def no_such_module(phone: PhoneCase) -> Iterator[Remark]:
    """Keys on modules that are not attached."""
    most = phone.model.expansion.modules if phone.model.expansion else 0
    for key in phone.device.keys:
        if key.module is not None and key.module > phone.device.modules:
            can = key.module <= most
            has = phone.device.modules or "none"
            yield Remark(
                f"{_named(key)} stands on module {key.module}, and the phone has {has}",
                f"set modules to {key.module}" if can else "move the key to the phone, or take it out",
            )


def no_such_key(phone: PhoneCase) -> Iterator[Remark]:
    """Places that the phone, or its module, has no button for."""
    for key in phone.device.keys:
        if (most := _beyond(phone, key)) is not None:
            where, has = most
            yield Remark(
                f"{_named(key)} wants {where}, and a {phone.model.name} has {has}",
                "give it another place, or none, so that it takes the next free key",
            )


def _beyond(phone: PhoneCase, key: Key) -> tuple[str, str] | None:
    model = phone.model
    if key.memory is not None and key.memory > model.memory_keys:
        return f"memory key {key.memory}", f"{model.memory_keys} memory keys"
    if key.key is None:
        return None
    if key.module is None:
        return (f"line key {key.key}", f"{model.line_keys} line keys") if key.key > model.line_keys else None
    if model.expansion and key.key not in model.expansion.usable_keys:
        return f"key {key.key} of a module", f"{len(model.expansion.usable_keys)} keys on each"
    return None


def service_off(phone: PhoneCase) -> Iterator[Remark]:
    """Keys of a service that the company has turned off."""
    for key in phone.device.keys:
        if key.type in _SERVICES and _code(phone, key) is None:
            service = _SERVICES[key.type]
            yield Remark(
                f"{_named(key)} needs {service}, which is off", f"set centrex.{service}, or take the key out"
            )


def impossible_key(phone: PhoneCase) -> Iterator[Remark]:
    """Types that the generation, or the button's bank, does not know; values that the type can't have."""
    for key, described in _alone(phone):
        try:
            key_views(phone.model, described)
        except BadKey as error:
            yield Remark(str(error), f"change or take out {_named(key)}")
        except TooManyKeys:
            continue  # said once, of all the keys together


def too_many_keys(phone: PhoneCase) -> Iterator[Remark]:
    """More keys than the phone has room for."""
    possible: list[spec.Key] = []
    for _, described in _alone(phone):
        try:
            key_views(phone.model, described)
        except BadKey:
            continue
        except TooManyKeys:
            pass
        possible += described.keys
    if phone.spec is None:
        return
    try:
        key_views(phone.model, replace(phone.spec, keys=tuple(possible)))
    except TooManyKeys as error:
        yield Remark(
            f"{len(phone.device.keys)} keys are listed, and for {error.surplus} there is no button on this"
            f" {phone.model.name}",
            "take them out, or attach a module" if phone.model.expansion else "take them out",
        )
    except BadKey:
        return  # two keys want one place, which the company's own rules say


def _alone(phone: PhoneCase) -> Iterator[tuple[Key, spec.Phone]]:
    """Each key that nothing above has to say of, on the phone as its only one."""
    if phone.spec is None or phone.spec.modules > (
        phone.model.expansion.modules if phone.model.expansion else 0
    ):
        return
    accounts = {account.number for account in phone.spec.accounts}
    without_account = (KeyType.PAGING, KeyType.URL, KeyType.XML_BROWSER)
    for key, described in zip(phone.device.keys, phone.spec.keys, strict=True):
        placeless = key.module is not None and key.module > phone.device.modules
        silent = key.type in _SERVICES and _code(phone, key) is None
        lineless = key.type not in without_account and key.account not in accounts
        if not placeless and not silent and not lineless and _beyond(phone, key) is None:
            yield key, replace(phone.spec, keys=(described,))


def retrieve_by_dialling(phone: PhoneCase) -> Iterator[Remark]:
    """Generations without a retrieve key: the key is written as a speed dial."""
    try:
        key_number("retrieve_park", Bank.LINE, phone.generation)
    except UnknownKeyType:
        for key in phone.device.keys:
            if key.type is KeyType.RETRIEVE:
                yield Remark(
                    f"firmware {phone.generation} has no retrieve key: {_named(key)} dials the code instead",
                    "nothing is to be done: it fetches the call all the same, and shows no state",
                )


def no_such_extension(phone: PhoneCase) -> Iterator[Remark]:
    """Keys that watch, call or answer somebody who is not there."""
    numbers = phone.numbers
    for key in phone.device.keys:
        if key.type in (KeyType.BLF, KeyType.INTERCOM, KeyType.PICKUP) and key.value:
            value = key.value
            if key.type is not KeyType.BLF:
                value = value.removeprefix(_code(phone, key) or "")
            if value and value not in numbers.internal and value not in numbers.lines:
                yield Remark(
                    f"{_named(key)} is for {value}, which is no extension, group or line of the company",
                    f"add the extension {value}, or correct the key's value",
                )


def blf_without_line(phone: PhoneCase) -> Iterator[Remark]:
    """Extensions that nothing ever rings at."""
    for key in phone.device.keys:
        if key.type is KeyType.BLF and phone.numbers.line_of.get(key.value, key.value) is None:
            yield Remark(
                f"{_named(key)} watches extension {key.value}, which has no line: its lamp stays dark",
                f"give extension {key.value} a line, or take the key out",
            )


def blf_of_itself(phone: PhoneCase) -> Iterator[Remark]:
    """A key that watches the very line it stands for."""
    lines = {account.account: account.line for account in phone.device.accounts}
    for key in phone.device.keys:
        own = lines.get(key.account)
        if key.type is KeyType.BLF and own and own in (key.value, phone.numbers.line_of.get(key.value)):
            yield Remark(
                f"{_named(key)} watches {key.value}, which is the line of its own account {key.account}",
                "watch a colleague's extension, or make it a line key",
            )


def speed_dial_to_nowhere(phone: PhoneCase) -> Iterator[Remark]:
    """Short numbers and codes that mean nothing in this company."""
    centrex = phone.customer.centrex
    short = max(centrex.extension_length, centrex.speed_dial.max_length)
    known, emergency = phone.numbers.internal, phone.elsewhere.emergency_numbers
    codes = tuple(_codes(phone))
    for key in phone.device.keys:
        if key.type is not KeyType.SPEED_DIAL or key.value in known or key.value in emergency:
            continue
        inside = key.value.isdecimal() and len(key.value) <= short
        unknown_code = key.value.startswith(("*", "#")) and not key.value.startswith(codes)
        if inside or unknown_code:
            yield Remark(
                f"{_named(key)} dials {key.value}, which is no number and no code of the company",
                "add the number, or write a whole telephone number with its country code",
            )


def code_twice(phone: PhoneCase) -> Iterator[Remark]:
    """Values that begin with the code that is put before them anyway."""
    for key in phone.device.keys:
        if key.type is KeyType.GROUP_PICKUP or (code := _code(phone, key)) is None:
            continue
        if key.value.startswith(code):
            rest = key.value.removeprefix(code)
            yield Remark(
                f"{_named(key)} would dial {code}{key.value}: the code is put before the value",
                f'write value: "{rest}"' if rest else "leave its value out",
            )


def label_too_long(phone: PhoneCase) -> Iterator[Remark]:
    """Labels that the display beside the key cuts off."""
    colour = "colour" in phone.model.screen or "touch" in phone.model.screen
    most = _LABEL_LARGE if colour else _LABEL_SMALL
    for key in phone.device.keys:
        if len(key.label) > most:
            yield Remark(
                f"the label {key.label!r} has {len(key.label)} characters, and a {phone.model.name} shows"
                f" about {most}",
                "shorten it",
            )


def _named(key: Key) -> str:
    called = (key.label or key.value)[:40]
    return f"the {key.type} key {called!r}" if called else f"the {key.type} key without a value"


def _code(phone: PhoneCase, key: Key) -> str | None:
    """What is dialled before the key's value; None where there is nothing, or the service is off."""
    centrex = phone.customer.centrex
    match key.type:
        case KeyType.PICKUP | KeyType.GROUP_PICKUP:
            return centrex.pickup_prefix
        case KeyType.INTERCOM:
            return centrex.intercom_prefix
        case KeyType.PARK:
            return centrex.park.prefix if centrex.park else None
        case KeyType.RETRIEVE:
            return centrex.park.retrieve_prefix if centrex.park else None
    return None


def _codes(phone: PhoneCase) -> Iterator[str]:
    centrex = phone.customer.centrex
    services = [centrex.intercom_prefix, centrex.pickup_prefix, phone.options.voice_mail]
    if centrex.park:
        services += [centrex.park.prefix, centrex.park.retrieve_prefix]
    services += [getattr(centrex.codes, field.name) for field in fields(centrex.codes)]
    yield from filter(None, services)


RULES = (
    Rule("too-many-modules", Severity.ERROR, too_many_modules, is_refusal=True),
    Rule("no-such-module", Severity.ERROR, no_such_module, is_refusal=True),
    Rule("no-such-key", Severity.ERROR, no_such_key, is_refusal=True),
    Rule("service-off", Severity.ERROR, service_off, is_refusal=True),
    Rule("impossible-key", Severity.ERROR, impossible_key, is_refusal=True),
    Rule("too-many-keys", Severity.ERROR, too_many_keys, is_refusal=True),
    Rule("no-such-extension", Severity.WARNING, no_such_extension),
    Rule("blf-without-line", Severity.WARNING, blf_without_line),
    Rule("blf-of-itself", Severity.WARNING, blf_of_itself),
    Rule("speed-dial-to-nowhere", Severity.WARNING, speed_dial_to_nowhere),
    Rule("code-twice", Severity.WARNING, code_twice),
    Rule("retrieve-by-dialling", Severity.HINT, retrieve_by_dialling),
    Rule("label-too-long", Severity.HINT, label_too_long),
)
