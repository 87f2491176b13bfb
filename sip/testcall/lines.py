"""What is said between the process of the test phones and who drives it: a line of JSON for each thing.

Orders go in, observations come out. A line is `{"Rang": {"phone": …}}`: the name of the type, and its fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, get_args

from sip.testcall.observed import By, Display, Light, Observation
from sip.testcall.scenario import Behaviour, Then
from sip.testcall.spoken import Spoken


@dataclass(frozen=True, slots=True)
class Register:
    """A new phone registers."""

    phone: str
    "User of the AOR and of the digest."
    password: str = field(repr=False)
    host: str
    port: int
    "Where it registers, over UDP."
    own_host: str


@dataclass(frozen=True, slots=True)
class Behave:
    """A phone takes every call from now on like this."""

    phone: str
    behaviour: Behaviour
    hz: int
    "The tone that it sends in its next calls; 0: silence."


@dataclass(frozen=True, slots=True)
class Call:
    """A phone calls."""

    phone: str
    number: str
    hz: int
    gives_up_s: float | None
    talks_s: float


@dataclass(frozen=True, slots=True)
class Watch:
    """A phone has a lamp that shows what a number does."""

    phone: str
    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """A phone ends all its calls."""

    phone: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A phone unregisters, and is no more."""

    phone: str


@dataclass(frozen=True, slots=True)
class Removed:
    """It was unregistered, or nobody has answered that; nothing more comes from it."""

    phone: str


@dataclass(frozen=True, slots=True)
class Late:
    """The phones were woken so many seconds too late."""

    by_s: float


Order: TypeAlias = Register | Behave | Call | Watch | HangUp | Remove
Told: TypeAlias = Observation | Spoken | Removed | Late

_ORDERS = {kind.__name__: kind for kind in get_args(Order)}
_TOLD = {kind.__name__: kind for kind in (*get_args(Observation), Spoken, Removed, Late)}


def write_line(said: Order | Told) -> bytes:
    """One line, with its end."""
    return json.dumps({type(said).__name__: asdict(said)}).encode() + b"\n"


def read_order(line: bytes) -> Order:
    """Raises `ValueError`, `KeyError` or `TypeError` where it is none."""
    kind, fields = _read(line)
    if "behaviour" in fields:
        behaviour = fields["behaviour"]
        fields["behaviour"] = Behaviour(**{**behaviour, "then": Then(behaviour["then"])})
    order: Order = _ORDERS[kind](**fields)
    return order


def read_told(line: bytes) -> Told:
    """Raises as `read_order`."""
    kind, fields = _read(line)
    if "displays" in fields:
        fields["displays"] = tuple(Display(**each) for each in fields["displays"])
    if "light" in fields:
        fields["light"] = Light(fields["light"])
    if "by" in fields:
        fields["by"] = By(fields["by"])
    told: Told = _TOLD[kind](**fields)
    return told


def _read(line: bytes) -> tuple[str, dict[str, Any]]:
    said: Mapping[str, dict[str, Any]] = json.loads(line)
    ((kind, fields),) = said.items()
    return kind, fields
