"""docs/settings.md says all that there is, nothing that is not, and the truth."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from phone_templates import spec
from provisioner.centrex.devices import PhoneOptions, ResyncWindow
from provisioner.centrex.patch import PhonePatch
from provisioner.files.company import read_company_file
from provisioner.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
PHONE = "phone: in a company file"
_NUMBERS = re.compile(r"(\d+) (?:to (\d+)|or more)")
_WORDS = re.compile(r"`([a-z0-9_]+)`")


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    section: str
    key: str
    meaning: str
    default: str
    range: str
    example: str

    def __str__(self) -> str:
        return f"{self.section} {self.key}"


def rows() -> list[Row]:
    section, found = "", []
    for line in DOCUMENT.splitlines():
        if line.startswith("#"):
            section = line.lstrip("#").strip()
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            assert len(cells) == 5, line
            found.append(Row(section, cells[0].strip("` "), *cells[1:]))
    return found


ROWS = rows()
TOML = [row for row in ROWS if row.section != PHONE]
CHOICES = [row for row in ROWS if len(_WORDS.findall(row.range)) > 1 and not row.range.startswith("`true`")]
OPTIONS = [row for row in ROWS if row.section == PHONE and "." not in row.key]


def sections() -> dict[str, type[BaseModel]]:
    return {name: field.annotation for name, field in Settings.model_fields.items()}  # type: ignore[misc]


def code(cell: str) -> str:
    assert cell.startswith("`"), f"{cell} is no value"
    assert cell.endswith("`"), f"{cell} is no value"
    return cell.strip("`")


def read(row: Row, value: str) -> Any:
    """What the settings become when the key has this value, written in TOML."""
    name = row.section.strip("[]")
    settings = Settings.model_validate(tomllib.loads(f"[{name}]\n{row.key} = {value}\n"))
    return getattr(getattr(settings, name), row.key)


def patched(key: str, value: Any) -> PhonePatch:
    return PhonePatch.model_validate({key: value})


def said(key: str, value: str) -> Any:
    """What a company file says that gives the phone option this value, written in YAML."""
    file = read_company_file(f"customers: [{{login: firma, phone: {{{key}: {value}}}}}]".encode())
    return getattr(file.customers[0].phone, key)


def test_every_key_of_the_configuration_file_is_there_and_nothing_else():
    documented = {(row.section.strip("[]"), row.key) for row in TOML}
    known = {(name, key) for name, section in sections().items() for key in section.model_fields}
    assert documented == known


def test_every_phone_option_is_there_and_nothing_else():
    documented = {row.key for row in OPTIONS}
    assert documented == {field.name for field in fields(PhoneOptions)}
    assert documented == set(PhonePatch.model_fields)
    parts = {row.key for row in ROWS if row.section == PHONE and "." in row.key}
    assert parts == {f"resync.{field.name}" for field in fields(ResyncWindow)}


def test_nothing_is_said_twice_and_everything_has_a_meaning():
    assert len({str(row) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert len(row.meaning) > 10, row
        assert row.range, row
        assert row.example, row


@pytest.mark.parametrize("row", TOML, ids=str)
def test_defaults_of_the_configuration_file_are_true(row: Row):
    default = getattr(getattr(Settings(), row.section.strip("[]")), row.key)
    if row.default.startswith("unset"):
        assert default is None
    else:
        assert read(row, code(row.default)) == default


@pytest.mark.parametrize("row", TOML, ids=str)
def test_examples_of_the_configuration_file_are_accepted_and_say_something(row: Row):
    default = getattr(getattr(Settings(), row.section.strip("[]")), row.key)
    assert read(row, code(row.example)) != default


@pytest.mark.parametrize("row", [row for row in TOML if _NUMBERS.match(row.range)], ids=str)
def test_ranges_of_the_configuration_file_end_where_they_say(row: Row):
    low, high = _NUMBERS.match(row.range).groups()  # type: ignore[union-attr]
    assert read(row, low) == int(low)
    with pytest.raises(ValidationError):
        read(row, str(int(low) - 1))
    if high is not None:
        assert read(row, high) == int(high)
        with pytest.raises(ValidationError):
            read(row, str(int(high) + 1))


@pytest.mark.parametrize("row", OPTIONS, ids=str)
def test_examples_of_phone_options_are_accepted_and_say_something(row: Row):
    example = said(row.key, code(row.example))
    assert example is not None
    if row.default.startswith("`") and "[public]" not in row.default and not row.default.startswith("`["):
        assert example != said(row.key, code(row.default))


@pytest.mark.parametrize("row", [row for row in OPTIONS if _NUMBERS.match(row.range)], ids=str)
def test_ranges_of_phone_options_end_where_they_say(row: Row):
    low, high = map(int, _NUMBERS.match(row.range).groups())  # type: ignore[union-attr]
    for value in (low, high):
        assert getattr(patched(row.key, value), row.key) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValidationError):
            patched(row.key, value)


@pytest.mark.parametrize("row", CHOICES, ids=str)
def test_words_that_may_be_chosen_are_all_accepted_and_no_others(row: Row):
    words = _WORDS.findall(row.range)
    choose = choosing(row)
    for word in words:
        choose(word)
    with pytest.raises(ValidationError) as refused:
        choose("nonsense")
    # The refusal names all that may be chosen.
    named = set(re.findall("[a-z0-9_]+", str(refused.value).split("must be one of")[-1].split(", not")[0]))
    assert set(words) == named if row.section == PHONE else set(words) <= named


def choosing(row: Row) -> Callable[[str], object]:
    if row.section != PHONE:
        return lambda word: read(row, f'"{word}"')
    return lambda word: patched(row.key, [word] if row.key == "codecs" else word)


ACCOUNT, SYSLOG = spec.Account.__dataclass_fields__, spec.Syslog.__dataclass_fields__


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("register_expires_s", ACCOUNT["expires_s"].default),
        ("nat_keepalive_s", ACCOUNT["nat_keepalive_s"].default),
        ("srtp", ACCOUNT["srtp"].default),
        ("codecs", ACCOUNT["codecs"].default),
        ("dtmf", ACCOUNT["dtmf"].default),
        ("caller_id_source", ACCOUNT["caller_id_source"].default),
        ("syslog_level", SYSLOG["level"].default),
    ],
)
def test_defaults_of_phone_options_are_what_phones_get(option: str, default: Any):
    (row,) = (row for row in OPTIONS if row.key == option)
    assert said(option, code(row.default)) == default


def test_the_blocks_on_the_page_can_be_used():
    toml = DOCUMENT.split("```toml\n")[1].split("```")[0]
    assert Settings.model_validate(tomllib.loads(toml)) != Settings()
    company = DOCUMENT.split("```yaml\n")[1].split("```")[0]
    assert read_company_file(company.encode("utf-8")).customers[0].login == "nowyklienttestowy"
