"""Phone models: what each is called, which files it asks for, and how many accounts and keys it has."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.files import model_file_name

_FIRMWARE = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4}){0,6}")
_LONGEST_NAME = 60
_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9]+")


class UnknownModel(PhoneTemplatesError):
    """No model is called that, or its facts come from fewer than two sources."""

    code = "unknown-model"

    def __init__(self, text: str, nearest: tuple[str, ...]) -> None:
        meant = f"did you mean {', '.join(nearest)}?"
        hint = meant if nearest else "write it as on the phone's label, such as T46S"
        super().__init__(f"{text[:40]!r} is not a phone model we know: {hint}")
        self.nearest = nearest


class UnwritableModel(PhoneTemplatesError):
    """The model's firmware reads another file format, which nothing here writes."""

    code = "unwritable-model"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"files for {model}, whose firmware is older than V70, have another format and can't be written: "
            "set the phone up on its own web page"
        )


class BadFirmware(PhoneTemplatesError):
    """A firmware version that doesn't read like 66.86.0.15."""

    code = "bad-firmware"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:40]!r} is not a firmware version: write it like 66.86.0.15")


@dataclass(frozen=True, slots=True)
class Expansion:
    """The modules that may be plugged into a phone."""

    names: tuple[str, ...]
    keys: int
    "The highest key number of one module."
    modules: int
    "How many may be chained."
    unusable: frozenset[int] = frozenset()
    "Key numbers that no button answers to."

    @property
    def usable_keys(self) -> tuple[int, ...]:
        """The key numbers of one module that have a button, in order."""
        return tuple(key for key in range(1, self.keys + 1) if key not in self.unusable)


@dataclass(frozen=True, slots=True)
class Model:
    """One phone model, or a few that differ in nothing a file can tell."""

    name: str
    "Its own name, as boot files spell it: no `SIP-` before it."
    aliases: tuple[str, ...]
    "Other names of the same hardware."
    cfg_numbers: tuple[int, ...]
    "The NN of its y0000000000NN.cfg; more than one where the sources disagree, the surest first."
    firmware_prefixes: tuple[int, ...]
    "First numbers of its firmware versions; not the cfg number."
    oldest: int
    "Second number of the oldest firmware we write files for."
    newest: int
    "Second number of the newest firmware known for it."
    accounts: int
    "Accounts that its newest firmware has."
    accounts_by_generation: Mapping[Generation, int]
    "Where an older generation has fewer accounts."
    line_keys: int
    memory_keys: int = 0
    programable_keys: int | None = None
    "None: the facts don't say."
    expansion: Expansion | None = None
    handsets: int = 0
    "Handsets that a base station serves; 0 for a base where the facts don't say."
    screen: str = ""
    "For people: size and kind of the display."
    dect: bool = False
    zero_based_blf_lines: bool = False
    "`linekey.X.line` of a BLF key counts accounts from 0, not from 1."
    firmware_section: bool = False
    "Its common file may name the firmware in a section of its own, too."
    sectioned: bool = False
    "Firmware older than V70: its files have another format and can't be written here."
    user_agent: str = ""
    "What it calls itself over HTTP, with {name}, {firmware}, and {mac} or {hex} (no colons) in their places."
    sources: int = 2
    "In how many independent sources its facts were seen."
    doubts: tuple[str, ...] = ()
    "What the sources leave open; for people."

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by."""
        return (self.name, *self.aliases)

    @property
    def model_file(self) -> str:
        """The file that all phones of the model ask for."""
        return model_file_name(self.cfg_numbers[0])

    @property
    def model_files(self) -> tuple[str, ...]:
        """All names under which the model may ask for it."""
        return tuple(model_file_name(number) for number in self.cfg_numbers)

    def generation(self, firmware: str | None = None) -> Generation:
        """The generation that `firmware` belongs to; the newest known when it is None.

        A version outside what the model ever had is clamped. Raises `UnwritableModel` where files of the
        model can't be written, `BadFirmware` for what is no version.
        """
        if self.sectioned:
            raise UnwritableModel(self.name)
        if firmware is None:
            return Generation.of_minor(self.newest)
        version = _FIRMWARE.fullmatch(firmware.strip())
        if version is None:
            raise BadFirmware(firmware)
        return Generation.of_minor(max(self.oldest, min(self.newest, int(version[2]))))

    @property
    def generations(self) -> tuple[Generation, ...]:
        """All the generations of firmware that the model has had, oldest first."""
        if self.sectioned:
            return ()
        seen = {Generation.of_minor(minor) for minor in range(self.oldest, self.newest + 1)}
        return tuple(generation for generation in Generation if generation in seen)

    def accounts_for(self, generation: Generation) -> int:
        """Accounts that firmware of the generation has."""
        return self.accounts_by_generation.get(generation, self.accounts)

    def slots(self, family: str, generation: Generation) -> Collection[int] | None:
        """The numbers that the model has after `family`, as a `Catalogue` asks; None where any will do."""
        match family:
            case "account" | "voice_mail.number":
                return range(1, self.accounts_for(generation) + 1)
            case "linekey":
                return range(1, self.line_keys + 1)
            case "memorykey":
                return range(1, self.memory_keys + 1)
            case "programablekey" if self.programable_keys is not None:
                return range(1, self.programable_keys + 1)
            case "handset" if self.handsets or not self.dect:
                return range(1, self.handsets + 1)
            case "expansion_module":
                return range(1, self.expansion.modules + 1) if self.expansion else ()
            case "expansion_module.#.key":
                return self.expansion.usable_keys if self.expansion else ()
        return None


def find_model(text: str) -> Model:
    """The model of that name in any spelling: T46S, SIP-T46S, vp530p, `Yealink SIP-T46S`.

    Raises `UnknownModel` with the nearest names.
    """
    if (model := known_model(text)) is not None:
        return model
    spelled = {_key(name): name for model in all_models() for name in model.names}
    nearest = difflib.get_close_matches(_key(text[:40]), spelled, n=3, cutoff=0.5)
    raise UnknownModel(text, tuple(spelled[match] for match in nearest))


def known_model(text: str) -> Model | None:
    """The model of that name in any spelling, or None."""
    return _by_name().get(_key(text[:_LONGEST_NAME]))


def own_spelling(text: str) -> str:
    """Which of its model's names `text` means: `sip-t23g` is T23G, though the model is listed as T23P.

    Raises `UnknownModel`.
    """
    return next(name for name in find_model(text).names if _key(name) == _key(text))


def model_for_cfg_number(number: int) -> Model | None:
    """The model whose y-file has the number, or None; the one listed first where models share it."""
    return _by_cfg_number().get(number)


def models_for_cfg_number(number: int) -> tuple[Model, ...]:
    """All the models that ask for the y-file of the number."""
    return tuple(model for model in all_models() if number in model.cfg_numbers)


@cache
def all_models() -> tuple[Model, ...]:
    """Every known model, in the order of models.toml: by series, older first."""
    text = files("phone_templates.yealink").joinpath("models.toml").read_text("utf-8")
    return tuple(_model(row) for row in tomllib.loads(text)["model"])


@cache
def _by_name() -> dict[str, Model]:
    return {_key(name): model for model in all_models() for name in model.names}


@cache
def _by_cfg_number() -> dict[int, Model]:
    return {number: model for model in reversed(all_models()) for number in reversed(model.cfg_numbers)}


def _key(text: str) -> str:
    """What is left of a name without blanks, hyphens and what User-Agents put before it."""
    return _NOT_IN_A_NAME.sub("", text.upper()).removeprefix("YEALINK").removeprefix("SIP")


def _model(row: dict[str, Any]) -> Model:
    """A row of models.toml; a misspelt key is a TypeError, so that no fact gets lost."""
    facts: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    expansion = facts.pop("expansion", None)
    by_generation = facts.pop("accounts_by_generation", {})
    vendor = "Yealink SIP-" if row["name"].startswith("T") else "Yealink "
    facts.setdefault("user_agent", vendor + "{name} {firmware} {mac}")
    return Model(
        aliases=facts.pop("aliases", ()),
        expansion=_expansion(expansion) if expansion else None,
        accounts_by_generation=MappingProxyType(
            {Generation(key): by_generation[key] for key in by_generation}
        ),
        **facts,
    )


def _expansion(row: dict[str, Any]) -> Expansion:
    return Expansion(tuple(row["names"]), row["keys"], row["modules"], frozenset(row.get("unusable", ())))
