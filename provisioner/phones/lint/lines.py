"""Accounts, lines, extensions and hunt groups that can't ring, or not as somebody may think."""

from __future__ import annotations

import string
from collections.abc import Iterator

from phone_templates.catalogue import Generation
from provisioner.centrex.customer import HuntGroup
from provisioner.centrex.features import PRODUCTS, Feature
from provisioner.centrex.problems import Kind, Subject
from provisioner.phones.lint.case import Company, PhoneCase
from provisioner.phones.lint.finding import Remark, Rule, Severity

# From memory of the signs behind the keys 1, * and # in a phone's menus; models differ in the rest.
_TYPED = frozenset(string.ascii_letters + string.digits + "*#.,:;!?@-_/+=%&()<>[]{}$'~^")
_OLDER_LIMIT, _NEWER_LIMIT = 31, 64
"Characters of a SIP password that firmware up to V80, and since V81, is sure to keep."


def account_beyond_model(phone: PhoneCase) -> Iterator[Remark]:
    """An account that the model does not have, or not with this firmware."""
    most = phone.model.accounts_for(phone.generation)
    for account in phone.device.accounts:
        if account.account > most:
            has = "1 account" if most == 1 else f"{most} accounts"
            yield Remark(
                f"line {account.line} is on account {account.account}, and a {phone.model.name} with firmware"
                f" {phone.generation} has {has}",
                f"use an account from 1 to {most}, or a model that has more",
            )


def password_untypeable(company: Company) -> Iterator[Remark]:
    """A technician who sets the account up by hand, on the phone's menu, finds no key for a sign."""
    for number, password in sorted(company.elsewhere.passwords.items()):
        if not set(password) <= _TYPED:
            yield Remark(
                "its password holds a sign that some phones' menus can't type (which one is not said here)",
                "give a password of letters and digits, or leave it out and one is made",
                Subject(Kind.LINE, number),
            )


def password_too_long(company: Company) -> Iterator[Remark]:
    """A phone that cuts a password short can't register, and says no more than that."""
    limits: dict[str, int] = {}
    for phone in company.phones:
        limit = _NEWER_LIMIT if phone.generation.prefixes_static else _OLDER_LIMIT
        for account in phone.device.accounts:
            limits[account.line] = min(limit, limits.get(account.line, _NEWER_LIMIT))
    for number, password in sorted(company.elsewhere.passwords.items()):
        limit = limits.get(number, _NEWER_LIMIT)
        if len(password) > limit:
            yield Remark(
                f"its password has {len(password)} characters, and its phones are sure to keep {limit}",
                "give a shorter password, or leave it out and one is made",
                Subject(Kind.LINE, number),
            )


def line_unused(company: Company) -> Iterator[Remark]:
    """A line on no phone and no extension. Lines of a customer's own exchange have neither."""
    customer = company.customer
    used = {account.line for device in customer.devices for account in device.accounts}
    used |= {each.line for each in customer.extensions if each.line}
    for line in customer.lines:
        product = PRODUCTS.get(line.product)
        of_an_exchange = product is not None and Feature.OWN_EXCHANGE in product.features
        if line.number not in used and not of_an_exchange:
            yield Remark(
                "it is on no phone and no extension: a call to it rings nowhere that we know of",
                "put it on an account of a device, or give it to an extension",
                Subject(Kind.LINE, line.number),
            )


def extension_without_line(company: Company) -> Iterator[Remark]:
    """A number that can be dialled and never rings."""
    for extension in company.customer.extensions:
        if extension.line is None:
            yield Remark(
                "it has no line: nothing rings when it is called",
                "give it a line once somebody works there",
                Subject(Kind.EXTENSION, extension.number),
            )


def group_unreachable(company: Company) -> Iterator[Remark]:
    """A hunt group none of whose members, nor members' members, has a line."""
    lines = {each.number: each.line for each in company.customer.extensions}
    groups = {group.number: group for group in company.customer.hunt_groups}
    for group in company.customer.hunt_groups:
        if not _rings(group, lines, groups):
            overflow = f"calls go to {group.overflow} at once" if group.overflow else "calls to it are lost"
            yield Remark(
                f"none of its members has a line: {overflow}",
                "add a member whose extension has a line",
                Subject(Kind.HUNT_GROUP, group.number),
            )


def _rings(group: HuntGroup, lines: dict[str, str | None], groups: dict[str, HuntGroup]) -> bool:
    waiting, seen = [group], {group.number}
    while waiting:
        for member in waiting.pop().members:
            if member.extension and lines.get(member.extension):
                return True
            if member.group in groups and member.group not in seen:
                seen.add(member.group)
                waiting.append(groups[member.group])
    return False


def shared_line_reboots(company: Company) -> Iterator[Remark]:
    """A check-sync goes to a line's phones, and V70 may reboot at each, whatever it is told."""
    phones: dict[str, list[PhoneCase]] = {}
    for phone in company.phones:
        for line in sorted({account.line for account in phone.device.accounts}):
            phones.setdefault(line, []).append(phone)
    for line, sharing in sorted(phones.items()):
        old = [phone for phone in sharing if phone.generation is Generation.V70]
        if old and len(sharing) > 1:
            yield Remark(
                f"{len(sharing)} phones share it, and {old[0].model.name} {old[0].device.mac} reboots when"
                " one of them is told to fetch new files",
                "give the older phone a line of its own, or tell the phones outside of working hours",
                Subject(Kind.LINE, line),
            )


PHONE_RULES = (Rule("account-beyond-model", Severity.ERROR, account_beyond_model, is_refusal=True),)
COMPANY_RULES = (
    Rule("password-untypeable", Severity.WARNING, password_untypeable),
    Rule("password-too-long", Severity.WARNING, password_too_long),
    Rule("line-unused", Severity.WARNING, line_unused),
    Rule("group-unreachable", Severity.WARNING, group_unreachable),
    Rule("shared-line-reboots", Severity.WARNING, shared_line_reboots),
    Rule("extension-without-line", Severity.HINT, extension_without_line),
)
