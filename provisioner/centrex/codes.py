"""What somebody wants who dials a code (`FeatureCodes`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeAlias

from provisioner.centrex.customer import FeatureCodes

_TARGET = re.compile(r"\+?[0-9]{1,32}")
_GROUP = re.compile(r"[0-9]{1,10}")


class Case(StrEnum):
    """The cases in which a line forwards its calls, by the names of `Forwardings`."""

    ALWAYS = "always"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Hide:
    """To call `number`, hiding or showing the own one."""

    number: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Forward:
    """To forward the own line's calls, or not."""

    case: Case
    enabled: bool
    to: str | None = None
    "None: where it led before."


@dataclass(frozen=True, slots=True)
class Disturb:
    """To be disturbed by calls, or not to be."""

    dnd: bool


@dataclass(frozen=True, slots=True)
class LogIn:
    """To be rung for one's hunt groups, or not."""

    logged_in: bool
    group: str | None = None
    "None: all of them."


Code: TypeAlias = Hide | Forward | Disturb | LogIn


def code_in(codes: FeatureCodes, dialled: str) -> Code | None:
    """What `dialled` means as a code; None: it is none, or what follows doesn't belong there.

    Where a number follows, a closing # may come: phones that dial at # send none.
    """
    name = next((each for each in _READERS if dialled.startswith(getattr(codes, each))), None)
    return None if name is None else _READERS[name](dialled.removeprefix(getattr(codes, name)))


def _forward_on(case: Case) -> Callable[[str], Code | None]:
    def read(rest: str) -> Code | None:
        to = rest.removesuffix("#")
        if not to:
            return Forward(case, enabled=True)
        return Forward(case, enabled=True, to=to) if _TARGET.fullmatch(to) else None

    return read


def _alone(code: Code) -> Callable[[str], Code | None]:
    return lambda rest: code if rest in ("", "#") else None


def _group(*, logged_in: bool) -> Callable[[str], Code | None]:
    def read(rest: str) -> Code | None:
        group = rest.removesuffix("#")
        if not group:
            return LogIn(logged_in)
        return LogIn(logged_in, group) if _GROUP.fullmatch(group) else None

    return read


_READERS: dict[str, Callable[[str], Code | None]] = {
    "hide_number": lambda rest: Hide(rest, is_hidden=True),
    "show_number": lambda rest: Hide(rest, is_hidden=False),
    **{f"forward_{case}_on": _forward_on(case) for case in Case},
    **{f"forward_{case}_off": _alone(Forward(case, enabled=False)) for case in Case},
    "dnd_on": _alone(Disturb(dnd=True)),
    "dnd_off": _alone(Disturb(dnd=False)),
    "group_login": _group(logged_in=True),
    "group_logout": _group(logged_in=False),
}
assert set(_READERS) == {field.name for field in fields(FeatureCodes)}  # noqa: S101
