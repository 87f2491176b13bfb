"""The numbering rules of a company: nothing that can be dialled may hide something else.

No code may be a prefix of an extension, group, short number, other code or emergency number. No extension,
group or short number equals another or an emergency number; a short number that dials the emergency number as
it is may. Numbers may begin alike (1, 34, 345), for phones send them whole; codes may not, for what follows a
code belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from provisioner.centrex import text
from provisioner.centrex.customer import Customer, FeatureCodes, Forwarding
from provisioner.centrex.errors import BadValue
from provisioner.centrex.problems import Kind, Problem, Subject

POLISH_EMERGENCY_NUMBERS = frozenset({"112", "997", "998", "999"})

LONGEST_PARK_S = 7200


@dataclass(frozen=True, slots=True)
class _Dialled:
    """One thing that a caller of the company can dial."""

    subject: Subject
    number: str
    name: str = ""
    dials_itself: bool = False
    "A short number that is dialled as it is."

    def __str__(self) -> str:
        if self.subject.kind is Kind.CODE:
            return f"code {self.number} ({self.subject.name})"
        return f"{self.subject} ({self.name})" if self.name else str(self.subject)


def numbering_problems(
    customer: Customer, emergency_numbers: frozenset[str] = POLISH_EMERGENCY_NUMBERS
) -> Iterator[Problem]:
    """Every breach of the numbering rules, in the order of the company's lists."""
    codes = tuple(_codes(customer))
    numbers = tuple(_numbers(customer))
    yield from _bad_forms(customer, codes, numbers)
    yield from _bad_forwardings(customer, emergency_numbers)
    yield from _equal_numbers(numbers, emergency_numbers)
    yield from _hidden_by_codes(codes, numbers, emergency_numbers)


def _codes(customer: Customer) -> Iterator[_Dialled]:
    centrex = customer.centrex
    if centrex.intercom_prefix is not None:
        yield _code("intercom", centrex.intercom_prefix)
    if centrex.pickup_prefix is not None:
        yield _code("pickup", centrex.pickup_prefix)
    if centrex.park is not None:
        yield _code("park", centrex.park.prefix)
        yield _code("retrieve", centrex.park.retrieve_prefix)
    for field in fields(centrex.codes):
        yield _code(field.name, getattr(centrex.codes, field.name))


def _code(service: str, number: str) -> _Dialled:
    return _Dialled(Subject(Kind.CODE, service), number)


def _numbers(customer: Customer) -> Iterator[_Dialled]:
    for extension in customer.extensions:
        yield _Dialled(Subject(Kind.EXTENSION, extension.number), extension.number, extension.name)
    for group in customer.hunt_groups:
        yield _Dialled(Subject(Kind.HUNT_GROUP, group.number), group.number, group.name)
    for entry in customer.centrex.speed_dial.entries:
        subject = Subject(Kind.SHORT_NUMBER, entry.number)
        itself = entry.target in ("", entry.number)
        yield _Dialled(subject, entry.number, entry.description, dials_itself=itself)


def _bad_forms(
    customer: Customer, codes: tuple[_Dialled, ...], numbers: tuple[_Dialled, ...]
) -> Iterator[Problem]:
    centrex = customer.centrex
    company = Subject(Kind.CUSTOMER, customer.login)
    if not 1 <= centrex.extension_length <= text.LONGEST_EXTENSION:
        message = (
            f"extension_length is {centrex.extension_length}: it must be from 1 to {text.LONGEST_EXTENSION}"
        )
        yield Problem(company, message)
    if not 1 <= centrex.speed_dial.max_length <= text.LONGEST_EXTENSION:
        message = f"the length of short numbers is {centrex.speed_dial.max_length}: it must be from 1 to "
        yield Problem(company, f"{message}{text.LONGEST_EXTENSION}")
    if centrex.park is not None and not 1 <= centrex.park.return_after <= LONGEST_PARK_S:
        message = f"a parked call returns after {centrex.park.return_after} s: it must be from 1 to "
        yield Problem(Subject(Kind.CODE, "park"), f"{message}{LONGEST_PARK_S}")
    for code in codes:
        try:
            text.code(code.number, f"code of {code.subject.name}")
        except BadValue as error:
            yield Problem(code.subject, str(error))
    for dialled in numbers:
        try:
            text.extension(dialled.number, dialled.subject.kind)
        except BadValue as error:
            yield Problem(dialled.subject, str(error))
            continue
        yield from _bad_length(customer, dialled)


def _bad_length(customer: Customer, dialled: _Dialled) -> Iterator[Problem]:
    length = len(dialled.number)
    wanted = customer.centrex.extension_length
    most = customer.centrex.speed_dial.max_length
    if dialled.subject.kind is Kind.EXTENSION and length != wanted:
        message = f"{dialled} has {_digits(length)}, but the company's extensions have {wanted}"
        yield Problem(dialled.subject, f"{message}: give it another number, or change extension_length")
    if dialled.subject.kind is Kind.SHORT_NUMBER and length > most:
        message = f"{dialled} has {_digits(length)}, but short numbers have at most {most}"
        yield Problem(dialled.subject, f"{message}: shorten it, or raise max_length of speed_dial")


def _bad_forwardings(customer: Customer, emergency_numbers: frozenset[str]) -> Iterator[Problem]:
    for line in customer.lines:
        for case in fields(line.forwarding):
            said: Forwarding | None = getattr(line.forwarding, case.name)
            if said is None:
                continue
            fault = leads_nowhere(said.to, customer.centrex.codes, emergency_numbers)
            if fault is not None:
                subject = Subject(Kind.LINE, line.number)
                message = f"{subject} can't forward calls to {said.to} ({case.name}): {fault}"
                yield Problem(subject, message, ("forwarding", case.name))


def leads_nowhere(
    number: str, codes: FeatureCodes, emergency_numbers: frozenset[str] = POLISH_EMERGENCY_NUMBERS
) -> str | None:
    """Why no call may be forwarded to a number; None: one may."""
    if number in emergency_numbers:
        return "it is an emergency number: give another number"
    for field in fields(codes):
        if number.startswith(getattr(codes, field.name)):
            return f"it is a code ({field.name}): give another number"
    return None


def _digits(count: int) -> str:
    return "1 digit" if count == 1 else f"{count} digits"


def _equal_numbers(numbers: tuple[_Dialled, ...], emergency_numbers: frozenset[str]) -> Iterator[Problem]:
    first: dict[str, _Dialled] = {}
    for dialled in numbers:
        if dialled.number in emergency_numbers and not dialled.dials_itself:
            message = f"{dialled} hides the emergency number {dialled.number}: give it another number"
            yield Problem(dialled.subject, message)
        other = first.setdefault(dialled.number, dialled)
        if other is not dialled:
            message = f"{dialled} has the same number as {other}: give one of them another number"
            yield Problem(dialled.subject, message)


def _hidden_by_codes(
    codes: tuple[_Dialled, ...], numbers: tuple[_Dialled, ...], emergency_numbers: frozenset[str]
) -> Iterator[Problem]:
    for place, code in enumerate(codes):
        if not code.number:
            continue
        for emergency in sorted(emergency_numbers):
            if emergency.startswith(code.number):
                message = (
                    f"{code} is a prefix of the emergency number {emergency} and hides it: change the code"
                )
                yield Problem(code.subject, message)
        for dialled in numbers:
            if dialled.number.startswith(code.number):
                message = f"{code} is a prefix of {dialled} and hides it: change one of them"
                yield Problem(code.subject, message)
        for later, other in enumerate(codes):
            if other.number == code.number and later > place:
                yield Problem(code.subject, f"{code} is the same as {other}: change one of them")
            elif other.number != code.number and other.number.startswith(code.number):
                message = f"{code} is a prefix of {other} and hides it: change one of them"
                yield Problem(code.subject, message)
