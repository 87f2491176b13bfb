"""What `apply` refuses: lint says all of it at once, where `apply` stops at the first customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.company import check_whole
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.problems import Contradictions, Kind, Problem, Subject
from provisioner.phones.check import phone_files
from provisioner.phones.describe import generation_of
from provisioner.phones.lint.case import Company, PhoneCase
from provisioner.phones.lint.finding import Finding, Found, Remark, Rule, Severity
from provisioner.phones.render import device_files

_ADVICE = "correct it: it can't be applied so"


def refused(problem: Problem, customer: str | None) -> Found:
    """A contradiction that keeps a file from being laid over what is there; its message says what to do."""
    finding = Finding("contradiction", Severity.ERROR, customer, problem.subject, _message(problem), _ADVICE)
    return Found(finding, problem.key, is_refusal=True)


def _remark(problem: Problem) -> Remark:
    return Remark(_message(problem), _ADVICE, problem.subject, problem.key)


def _message(problem: Problem) -> str:
    """Without the name of the thing, which a finding has beside it."""
    return problem.message.removeprefix(f"{problem.subject}: ")


def contradiction(company: Company) -> Iterator[Remark]:
    """Numbers that hide each other, references to nothing, lines and MAC addresses of somebody else."""
    elsewhere = company.elsewhere
    try:
        check_whole(
            company.customer,
            elsewhere.taken_lines,
            elsewhere.taken_macs,
            elsewhere.products,
            elsewhere.emergency_numbers,
        )
    except Contradictions as found:
        yield from map(_remark, found.problems)


def bad_wide_setting(company: Company) -> Iterator[Remark]:
    """Parameters of the customer or a site that no phone at all knows, or not with this value."""
    try:
        phone_files(replace(company.customer, devices=()), company.around)
    except Contradictions as found:
        yield from map(_remark, found.problems)


def unknown_model(company: Company) -> Iterator[Remark]:
    """Phones that we know no files for."""
    for device in company.customer.devices:
        try:
            generation_of(device)
        except PhoneTemplatesError as error:
            subject = Subject(Kind.DEVICE, str(device.mac))
            yield Remark(str(error), "write the model as its label does", subject)


def unwritable(phone: PhoneCase) -> Iterator[Remark]:
    """Whatever else the phone's files can't be written for. Asked where nothing else is known why."""
    try:
        device_files(phone.device, phone.customer, phone.around)
    except (CentralkaError, PhoneTemplatesError, ValueError) as error:
        yield Remark(str(error), _ADVICE)


COMPANY_RULES = (
    Rule("contradiction", Severity.ERROR, contradiction, is_refusal=True),
    Rule("bad-setting", Severity.ERROR, bad_wide_setting, is_refusal=True),
    Rule("unknown-model", Severity.ERROR, unknown_model, is_refusal=True),
)
LAST_RULE = Rule("unwritable", Severity.ERROR, unwritable, is_refusal=True)
