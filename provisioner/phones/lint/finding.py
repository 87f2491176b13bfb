"""What lint finds, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from provisioner.centrex.problems import Kind, Subject

_Case = TypeVar("_Case")


class Severity(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    "Something that was asked for does not work, or can't be applied."
    WARNING = "warning"
    "It works otherwise than somebody may think."
    HINT = "hint"
    "Good to know."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that would not work."""

    code: str
    "Stable, for programs."
    severity: Severity
    customer: str | None
    "The customer's login; None where it is nobody's alone, such as what is said of a model."
    subject: Subject | None
    "The thing to look at; None: the file as a whole."
    message: str
    advice: str
    "What to do about it."
    line: int | None = None
    "Where the company file says it, from 1; None where no file was linted."


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule says of its case. Code and severity are the rule's."""

    message: str
    advice: str
    subject: Subject | None = None
    "None: the thing that the rule was asked about."
    key: tuple[str, ...] = ()
    "The way to what is to blame inside the subject, as in `Problem`."


@dataclass(frozen=True, slots=True)
class Rule(Generic[_Case]):
    """One thing to look for."""

    code: str
    severity: Severity
    find: Callable[[_Case], Iterator[Remark]]
    is_refusal: bool = False
    "`apply` refuses what it finds, too."


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and what only lint itself has to know of it."""

    finding: Finding
    key: tuple[str, ...] = ()
    "The way to its place inside the subject."
    is_refusal: bool = False
    "`apply` refuses it, too."


_SEVERITIES = tuple(Severity)
_KINDS = tuple(Kind)
_OF_NOBODY = (Kind.VENDOR, Kind.MODEL)


def found_by(rule: Rule[_Case], case: _Case, subject: Subject, customer: str | None) -> Iterator[Found]:
    """What the rule finds; `subject` is what the case is about."""
    for remark in rule.find(case):
        about = remark.subject or subject
        owner = None if about.kind in _OF_NOBODY else customer
        finding = Finding(rule.code, rule.severity, owner, about, remark.message, remark.advice)
        yield Found(finding, remark.key, rule.is_refusal)


def worst_first(found: Iterable[Found]) -> list[Finding]:
    """Each finding once: the worst first, then by customer, thing, code and message."""

    def place(finding: Finding) -> tuple[object, ...]:
        subject = finding.subject
        return (
            _SEVERITIES.index(finding.severity),
            finding.line or 0,
            finding.customer or "",
            _KINDS.index(subject.kind) if subject else -1,
            subject.name if subject else "",
            finding.code,
            finding.message,
        )

    return sorted({each.finding for each in found}, key=place)
