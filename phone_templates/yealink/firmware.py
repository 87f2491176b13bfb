"""Firmware versions: for which hardware, which of two is newer, and what a file's name says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phone_templates.yealink.models import Model, all_models, known_model

_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,6}")
# The vendor calls its files so: 66.86.0.15.rom, T46S-66.86.0.15.rom, T46S_T48S-66.86.0.15.rom.
_FILE_NAME = re.compile(r"(?:(.*)[-_])?([0-9]{1,4}(?:\.[0-9]{1,4}){3})\.rom", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """A version such as 66.86.0.15."""

    numbers: tuple[int, ...]
    "At least two."

    @property
    def prefix(self) -> int:
        """The first number: the hardware that it is made for."""
        return self.numbers[0]

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers))


@dataclass(frozen=True, slots=True)
class FirmwareName:
    """What a firmware file's name says."""

    version: FirmwareVersion
    models: tuple[Model, ...]
    "Those that are named before the version; most files name one or none."


def parse_version(text: str) -> FirmwareVersion | None:
    """The version, or None for what is none."""
    if _VERSION.fullmatch(text.strip()) is None:
        return None
    return FirmwareVersion(tuple(map(int, text.strip().split("."))))


def parse_file_name(name: str) -> FirmwareName | None:
    """What the name of a firmware file says, or None where it says no version."""
    found = _FILE_NAME.fullmatch(name)
    version = parse_version(found[2]) if found else None
    if found is None or version is None:
        return None
    return FirmwareName(version, tuple(_models_in(found[1] or "")))


def _models_in(text: str) -> list[Model]:
    """`T46S_T48S` names two, `T21P_E2` one."""
    models: list[Model] = []
    for word in text.split("-"):
        whole = known_model(word)
        parts = [whole] if whole else [known_model(part) for part in word.split("_")]
        models += [model for model in parts if model is not None and model not in models]
    return models


def models_of_prefix(prefix: int) -> tuple[Model, ...]:
    """The models whose versions begin with the number; none for one that nobody knows."""
    return tuple(model for model in all_models() if prefix in model.firmware_prefixes)


def age(model: Model, version: FirmwareVersion) -> tuple[int, ...] | None:
    """What orders the versions of one model, the older the less; None for what is no version of it.

    Each number counts as a number, and one that is left out as 0. Some models changed their first number with
    V82 or V85: the model lists its prefixes in the order in which it had them, and a later one is newer
    whatever stands behind it.
    """
    if version.prefix not in model.firmware_prefixes:
        return None
    numbers = list(version.numbers[1:])
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return (model.firmware_prefixes.index(version.prefix), *numbers)
