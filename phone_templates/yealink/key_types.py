"""Key types: the number that stands in `linekey.X.type` and its like, by bank and generation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError

_ORDER = {generation: place for place, generation in enumerate(Generation)}


class Bank(StrEnum):
    """Where a button sits; the same number doesn't mean something on every bank."""

    LINE = "line"
    MEMORY = "memory"
    PROGRAMABLE = "programable"
    "The vendor's spelling: soft keys and the keys around the display."
    EXPANSION = "expansion"


class UnknownKeyType(PhoneTemplatesError):
    """No button can be that on this bank and generation."""

    code = "unknown-key-type"

    def __init__(self, name: str, bank: Bank, generation: Generation) -> None:
        super().__init__(
            f"firmware {generation} has no {name} on its {bank} keys: choose another type or another key"
        )


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """One thing that a button can be, and its number."""

    number: int
    name: str
    "Our word for it, such as `speed_dial`."
    banks: frozenset[Bank]
    since: Generation = Generation.V70
    until: Generation = Generation.V86
    assumed: bool = False
    "Known from memory only."
    note: str = ""
    "What a generation and a bank can't say; for people."

    def fits(self, bank: Bank, generation: Generation) -> bool:
        """Whether a button of the bank can be this in the generation."""
        return bank in self.banks and _ORDER[self.since] <= _ORDER[generation] <= _ORDER[self.until]


@cache
def all_key_types() -> tuple[KeyNumber, ...]:
    """Every known type, by number."""
    text = files("phone_templates.yealink").joinpath("key_types.toml").read_text("utf-8")
    return tuple(_key_number(row) for row in tomllib.loads(text)["key_type"])


def key_number(name: str, bank: Bank, generation: Generation) -> int:
    """The number of the type called `name`, as key_types.toml calls it.

    Raises `UnknownKeyType` where a button of the bank can't be that.
    """
    for key_type in all_key_types():
        if key_type.name == name and key_type.fits(bank, generation):
            return key_type.number
    raise UnknownKeyType(name, bank, generation)


def key_name(number: int, bank: Bank, generation: Generation) -> str | None:
    """What a button of that number is, or None if nobody knows."""
    for key_type in all_key_types():
        if key_type.number == number and key_type.fits(bank, generation):
            return key_type.name
    return None


def _key_number(row: dict[str, Any]) -> KeyNumber:
    """A row of key_types.toml; a misspelt key is a TypeError, so that no fact gets lost."""
    facts = row | {bound: Generation[row[bound]] for bound in ("since", "until") if bound in row}
    return KeyNumber(**facts | {"banks": frozenset(Bank(bank) for bank in row["banks"])})
