"""The parameters that phones of one vendor know, firmware generation by generation.

A catalogue answers three questions about a setting that a person wrote: does this generation know the
name, may the value stand there, and would it hand over the phone. Where the facts are only assumed, the
parameter says so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import CLEARED, UnsafeValue, cfg_value

_PLACEHOLDERS = frozenset("XYZ")
# A name with its numbers as a file spells it: they count from 1 and carry no leading zeros.
_INDEXED = re.compile(
    r"[A-Za-z0-9_]{1,60}(?:\.(?:[1-9][0-9]{0,3}|[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*)){0,12}"
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_URL = re.compile(r"(?:https?|t?ftp|ftps)://[^\s/]+\S*\Z", re.IGNORECASE)
_FLAGS = {"1": "1", "true": "1", "yes": "1", "on": "1", "0": "0", "false": "0", "no": "0", "off": "0"}
_LONGEST_NAME = 120
_LONGEST_VALUE = 4096
_MOST_INDICES = 1000


class Generation(StrEnum):
    """Firmware generations whose files differ; the second number of a firmware version tells which."""

    V70 = "V70"
    V71 = "V71-V73"
    V80 = "V80"
    V81 = "V81-V85"
    V86 = "V86+"

    @classmethod
    def of_minor(cls, minor: int) -> Generation:
        """The generation of firmware x.`minor`.y.z; what is older than V70 counts as V70."""
        if minor <= 70:
            return cls.V70
        if minor < 80:
            return cls.V71
        if minor == 80:
            return cls.V80
        return cls.V81 if minor <= 85 else cls.V86

    @property
    def prefixes_static(self) -> bool:
        """Whether network, provisioning, security and the like carry `static.` (V81 and later only)."""
        return self in (Generation.V81, Generation.V86)


class Kind(StrEnum):
    """What a parameter's value is made of."""

    FLAG = "flag"
    INTEGER = "integer"
    ENUM = "enum"
    TEXT = "text"
    URL = "url"
    SECRET = "secret"  # noqa: S105 - a word, not a password


class Sensitivity(StrEnum):
    """What a parameter could give away."""

    PLAIN = "plain"
    "Nothing: everybody who may edit a device may set it."
    TAKEOVER = "takeover"
    "Whoever sets it owns the phone, or learns what it does: by role only."
    SECRET = "secret"  # noqa: S105 - a word, not a password
    "Password-like, and TAKEOVER besides: kept encrypted and never shown."

    @property
    def hands_over_the_phone(self) -> bool:
        """Whether only a privileged role may set the parameter."""
        return self is not Sensitivity.PLAIN


@dataclass(frozen=True, slots=True)
class ParameterType:
    """The values a parameter takes."""

    kind: Kind
    low: int | None = None
    "Least integer allowed."
    high: int | None = None
    "Greatest integer allowed; of a text or URL, the most characters."
    choices: tuple[str, ...] = ()
    "The only values allowed, of an enum."


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a phone, whatever its indices."""

    name: str
    "As the vendor spells it, with X, Y and so on where a number stands."
    generations: frozenset[Generation]
    "The firmware generations that know it."
    sources: int
    "In how many independent sources it was seen; one alone is not trusted, and never sent by default."
    type: ParameterType
    assumed: bool
    "The type or its range is only inferred from the name."
    sensitivity: Sensitivity

    @property
    def trusted(self) -> bool:
        """Seen in two independent sources or more."""
        return self.sources >= 2


class UnknownParameter(PhoneTemplatesError):
    """The phone's generation knows no parameter of that name."""

    code = "unknown-parameter"

    def __init__(self, name: str, generation: Generation, nearest: tuple[str, ...]) -> None:
        hint = f"did you mean {', '.join(nearest)}?" if nearest else "look it up in the vendor's guide"
        super().__init__(f"firmware {generation} has no parameter {name[:100]!r}: {hint}")
        self.name = name
        self.nearest = nearest


class NoSuchSlot(PhoneTemplatesError):
    """The parameter is known, but this model has no account, key or module of that number."""

    code = "no-such-slot"

    def __init__(self, name: str, model: str, slots: Collection[int]) -> None:
        has = f"from {min(slots)} to {max(slots)}" if slots else "none"
        super().__init__(f"{name}: the {model} has no such number here, it has {has}")
        self.name = name


class BadParameterValue(PhoneTemplatesError):
    """The value can't stand in the parameter; the message says what can."""

    code = "bad-parameter-value"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


class Slots(Protocol):
    """What a catalogue has to know of a model: how many of everything it has."""

    @property
    def name(self) -> str:
        """For messages."""

    def slots(self, family: str, generation: Generation) -> Collection[int] | None:
        """The numbers that may follow `family` (`account`, `expansion_module.#.key`); None if any may."""


class Catalogue:
    """All the parameters of one vendor. Lookups cost one dictionary access."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        respelled: Iterable[tuple[str, str]] = (),
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """`respelled` pairs older with newer names, for hints; `limits` bounds an index on every model."""
        self._known: dict[Generation, dict[str, Parameter]] = {generation: {} for generation in Generation}
        for parameter in parameters:
            for generation in parameter.generations:
                self._known[generation][_pattern_shape(parameter.name)] = parameter
        self._respelled: dict[str, list[str]] = {}
        self._same: list[tuple[str, str]] = []
        for old, new in respelled:
            self._same += [(old, new), (new, old)]
            self._respelled.setdefault(_pattern_shape(old), []).append(new)
            self._respelled.setdefault(_pattern_shape(new), []).append(old)
        self._limits = dict(limits or {})

    def parameters(self, generation: Generation) -> Collection[Parameter]:
        """All that the generation knows."""
        return self._known[generation].values()

    def find(self, name: str, generation: Generation) -> Parameter | None:
        """The parameter that `name`, with its numbers (`account.1.label`), means in the generation."""
        if len(name) > _LONGEST_NAME or not _INDEXED.fullmatch(name):
            return None
        return self._known[generation].get(_shape(name))

    def nearest(self, name: str, generation: Generation, n: int = 3) -> list[str]:
        """Up to `n` names of the generation that could have been meant, with the numbers of `name`.

        The respelling of another generation comes first; names of a single source are not offered.
        """
        known = self._known[generation]
        shape, numbers = _shape(name[:_LONGEST_NAME]), _numbers(name[:_LONGEST_NAME])
        respelled = [shape.removeprefix("static."), f"static.{shape}", *self._respelled.get(shape, ())]
        hints = [hint for hint in respelled if _pattern_shape(hint) in known]
        trusted = [candidate for candidate, parameter in known.items() if parameter.trusted]
        hints += difflib.get_close_matches(shape, trusted, n=n, cutoff=0.6)
        nearest = dict.fromkeys(_with_numbers(hint, numbers) for hint in hints)
        return [hint for hint in nearest if hint != name][:n]

    def respelled(self, name: str, before: Generation, now: Generation) -> str | None:
        """How `now` spells the very parameter that `before` calls `name`; None where it has no such one.

        Only what takes the same values counts: a switch that took the place of a mode is another parameter.
        """
        known = self.find(name, before)
        if known is None:
            return None
        bare = name.removeprefix("static.")
        spellings = [name, bare, f"static.{bare}"]
        spellings += [same for spelling in (name, bare) for same in self._same_as(spelling)]
        for spelling in spellings:
            parameter = self.find(spelling, now)
            if parameter is not None and parameter.type == known.type:
                return spelling
        return None

    def _same_as(self, name: str) -> list[str]:
        """Respellings of `name`, numbers in place. Where only one of the two has a Y, it is 1: the first."""
        found = []
        for old, new in self._same:
            numbers = _placed(old, name)
            parts = new.split(".")
            if numbers is None or not all(
                place in parts or (place == "Y" and number == "1") for place, number in numbers.items()
            ):
                continue
            placed = [numbers.get(part, "1") if part in _PLACEHOLDERS else part for part in parts]
            found.append(".".join(placed))
        return found

    def check(self, name: str, value: object, generation: Generation, model: Slots) -> str:
        """`value` as the phone wants it, if `model` with firmware of the generation can take it there.

        Raises `UnknownParameter`, `NoSuchSlot` or `BadParameterValue`.
        """
        parameter = self.find(name, generation)
        if parameter is None:
            raise UnknownParameter(name, generation, tuple(self.nearest(name, generation)))
        self._check_slots(name, generation, model)
        return checked_value(name, value, parameter.type)

    def _check_slots(self, name: str, generation: Generation, model: Slots) -> None:
        family: list[str] = []
        for part in name.removeprefix("static.").split("."):
            if part.isdigit():
                path = ".".join(family)
                slots = model.slots(path, generation)
                if slots is None:
                    slots = range(1, self._limits.get(path, _MOST_INDICES) + 1)
                if int(part) not in slots:
                    raise NoSuchSlot(name, model.name, slots)
            family.append("#" if part.isdigit() else part)


def checked_value(name: str, value: object, kind: ParameterType) -> str:
    """`value` normalised for a parameter of the type; `%NULL%` clears any but a secret.

    Raises `BadParameterValue`.
    """
    if value == CLEARED:
        if kind.kind is Kind.SECRET:
            raise BadParameterValue(name, f"a password can't be cleared by {CLEARED}: set another one")
        return CLEARED
    try:
        text = cfg_value(value)
    except UnsafeValue as error:
        raise BadParameterValue(name, str(error)) from error
    if len(text) > _LONGEST_VALUE:
        raise BadParameterValue(name, f"longer than {_LONGEST_VALUE} characters: shorten it")
    match kind.kind:
        case Kind.FLAG:
            flag = _FLAGS.get(text.lower())
            if flag is None:
                raise BadParameterValue(name, f"{text[:40]!r} is not a switch: write 1 (on) or 0 (off)")
            return flag
        case Kind.INTEGER:
            return _checked_integer(name, text, kind)
        case Kind.ENUM:
            choice = str(int(text)) if _INTEGER.fullmatch(text) else text
            if choice not in kind.choices:
                raise BadParameterValue(
                    name, f"{text[:40]!r} is none of {', '.join(kind.choices)}: write one of them"
                )
            return choice
        case Kind.URL if not _URL.match(text):
            raise BadParameterValue(
                name, f"{text[:40]!r} is not a URL: write http://, https://, ftp:// or tftp:// and an address"
            )
    if kind.high is not None and len(text) > kind.high:
        raise BadParameterValue(
            name, f"at most {kind.high} characters fit, these are {len(text)}: shorten it"
        )
    if kind.low is not None and len(text) < kind.low:
        raise BadParameterValue(name, f"at least {kind.low} characters are needed, these are {len(text)}")
    return text


def _checked_integer(name: str, text: str, kind: ParameterType) -> str:
    low, high = kind.low, kind.high
    bounds = "" if low is None or high is None else f" from {low} to {high}"
    if not _INTEGER.fullmatch(text):
        raise BadParameterValue(name, f"{text[:40]!r} is not a whole number: write one{bounds}")
    number = int(text)
    if (low is not None and number < low) or (high is not None and number > high):
        raise BadParameterValue(name, f"{number} is out of range: write a whole number{bounds}")
    return str(number)


def _placed(pattern: str, name: str) -> dict[str, str] | None:
    """Which number of `name` stands at which placeholder of `pattern`; None where it doesn't fit."""
    parts, wanted = name.split("."), pattern.split(".")
    if len(parts) != len(wanted):
        return None
    placed: dict[str, str] = {}
    for part, want in zip(parts, wanted, strict=True):
        if want in _PLACEHOLDERS and part.isdigit():
            placed[want] = part
        elif want != part:
            return None
    return placed


def _shape(name: str) -> str:
    """`name` with `#` for each number."""
    return ".".join("#" if part.isdigit() else part for part in name.split("."))


def _pattern_shape(pattern: str) -> str:
    """The shape of all names that fit `pattern`, whose indices are X and Y, or numbers."""
    return ".".join("#" if part.isdigit() or part in _PLACEHOLDERS else part for part in pattern.split("."))


def _numbers(name: str) -> list[str]:
    return [part for part in name.split(".") if part.isdigit()]


def _with_numbers(name: str, numbers: list[str]) -> str:
    """The shape or pattern `name` with `numbers` in the places of its indices, and 1 where they end."""
    left = iter(numbers)
    return ".".join(
        next(left, "1") if part == "#" or part in _PLACEHOLDERS else part for part in name.split(".")
    )
