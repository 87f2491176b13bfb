"""What contradicts what in a company: all of it at once, each problem with the thing that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from provisioner.centrex.errors import BadValue, Conflict


class Kind(StrEnum):
    """The kinds of things that a company file names, in the words of messages."""

    VENDOR = "vendor"
    MODEL = "model"
    CUSTOMER = "customer"
    SITE = "site"
    LINE = "line"
    EXTENSION = "extension"
    HUNT_GROUP = "hunt group"
    SHORT_NUMBER = "short number"
    CODE = "code"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing of a company."""

    kind: Kind
    name: str
    "Its number, its name, its MAC (`00:15:…`), or for a code the name of its service (`pickup`, `dnd_on`)."

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One contradiction."""

    subject: Subject
    "The thing to look at; a reader of files finds its line by it."
    message: str
    "Names everything involved and says what to do."
    key: tuple[str, ...] = ()
    "The way to what is to blame inside the thing, where that is known: `settings`, then its name."


class Contradictions(Conflict):
    """A company that contradicts itself; the message has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))


class Lacking(BadValue):
    """Something new that lacks what it must have."""

    def __init__(self, subject: Subject, message: str) -> None:
        self.problem = Problem(subject, message)
        super().__init__(message)


def refuse(problems: Iterable[Problem]) -> None:
    """Raises `Contradictions` if there is any problem."""
    found = tuple(problems)
    if found:
        raise Contradictions(found)
