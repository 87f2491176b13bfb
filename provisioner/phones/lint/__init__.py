"""Finds what would not work on which phone, and says what to do. Pure: whoever asks brings the facts."""

from __future__ import annotations

from provisioner.centrex.problems import Kind, Subject
from provisioner.phones.lint import firmware, keys, lines, raw_settings, reach, refusals
from provisioner.phones.lint.case import Company, PhoneCase, Wide
from provisioner.phones.lint.finding import Found, Rule, found_by

PHONE_RULES: tuple[Rule[PhoneCase], ...] = (
    *keys.RULES,
    *lines.PHONE_RULES,
    *reach.PHONE_RULES,
    *firmware.PHONE_RULES,
    *raw_settings.PHONE_RULES,
)
COMPANY_RULES: tuple[Rule[Company], ...] = (
    *refusals.COMPANY_RULES,
    *lines.COMPANY_RULES,
    *reach.COMPANY_RULES,
    *firmware.COMPANY_RULES,
    *raw_settings.COMPANY_RULES,
)
WIDE_RULES: tuple[Rule[Wide], ...] = (*firmware.WIDE_RULES, *raw_settings.WIDE_RULES)
CODES = frozenset(
    rule.code for rules in (PHONE_RULES, COMPANY_RULES, WIDE_RULES, (refusals.LAST_RULE,)) for rule in rules
)
"Every code that a rule may find."


def lint_company(company: Company) -> list[Found]:
    """All that would not work in a company, in no order."""
    subject = Subject(Kind.CUSTOMER, company.customer.login)
    found = [
        each for rule in COMPANY_RULES for each in found_by(rule, company, subject, company.customer.login)
    ]
    refused = {each.finding.subject for each in found if each.is_refusal}
    for phone in company.phones:
        of_phone = [each for rule in PHONE_RULES for each in _of_phone(rule, phone)]
        if phone.subject not in refused and not any(each.is_refusal for each in of_phone):
            of_phone += _of_phone(refusals.LAST_RULE, phone)
        found += of_phone
    return found


def _of_phone(rule: Rule[PhoneCase], phone: PhoneCase) -> list[Found]:
    return list(found_by(rule, phone, phone.subject, phone.customer.login))


def lint_wide(wide: Wide) -> list[Found]:
    """All that would not work of what is said of a vendor and its models."""
    subject = Subject(Kind.VENDOR, wide.vendor.vendor)
    return [each for rule in WIDE_RULES for each in found_by(rule, wide, subject, None)]
