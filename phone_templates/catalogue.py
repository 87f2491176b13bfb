"""The parameters that phones of one vendor know, firmware generation by generation.

A catalogue answers three questions about a setting that a person wrote: does this generation know the
name, may the value stand there, and would it hand over the phone. Where the facts are only assumed, the
parameter says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
