"""The list of phones that a technician keeps in a spreadsheet: `mac,model,line,extension,name,site`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from provisioner.centrex import text
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.files.errors import FileError, FileErrors, Position, RowError
from provisioner.files.spreadsheet import Record, read_table


class Column(StrEnum):
    """The columns that are read."""

    MAC = "mac"
    MODEL = "model"
    LINE = "line"
    EXTENSION = "extension"
    NAME = "name"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One phone of the list."""

    row: int
    "Its line in the file, from 1; the header has one too."
    mac: MacAddress
    model: str
    line: str | None = None
    extension: str | None = None
    name: str = ""
    site: str | None = None


@dataclass(frozen=True, slots=True)
class CsvDevices:
    """What a list says."""

    name: str
    "How messages call the file."
    rows: tuple[DeviceRow, ...]


_CALLED: Mapping[str, Column] = {
    **{column.value: column for column in Column},
    "adres mac": Column.MAC,
    "mac address": Column.MAC,
    "typ": Column.MODEL,
    "model telefonu": Column.MODEL,
    "linia": Column.LINE,
    "numer linii": Column.LINE,
    "numer wewnętrzny": Column.EXTENSION,
    "numer wewnetrzny": Column.EXTENSION,
    "nr wewnętrzny": Column.EXTENSION,
    "wewnętrzny": Column.EXTENSION,
    "nazwa": Column.NAME,
    "opis": Column.NAME,
    "lokalizacja": Column.SITE,
    "miejsce": Column.SITE,
}

_NEEDED = (Column.MAC, Column.MODEL)

_WANTED = f"the first row names the columns: {','.join(Column)}"

_FORMULA_CELL = re.compile(r'="?([^"]*)"?')
_SCIENTIFIC = re.compile(r"[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"([0-9]+)[.,]0+")
_ERROR_CELL = re.compile(r"#[A-Z/0]+[!?]?")
_PLUS_NUMBER = re.compile(r"\+[0-9]+")
_SHORT_MAC = re.compile(r"[0-9]{6,11}")

_FORMAT_AS_TEXT = "format the column as Text and type it again"


def read_devices_csv(data: bytes, name: str = "device list") -> CsvDevices:
    """All rows of a list; raises `FileErrors` with every bad cell, and then nothing of the list counts."""
    errors: list[FileError] = []
    rows: list[DeviceRow] = []
    columns: Mapping[int, Column] | None = None
    try:
        for record in read_table(data, name, lambda cell: _column(cell) is not None):
            if columns is None:
                columns = _columns(record, name)
            elif row := _row(record, columns, errors):
                rows.append(row)
    except FileErrors as stopped:
        raise FileErrors(name, [*errors, *stopped.items]) from stopped
    if columns is None:
        raise FileErrors(name, [RowError(Position(1, 1), "", f"the file is empty: {_WANTED}")])
    errors += _twice(rows)
    if not rows and not errors:
        errors.append(RowError(Position(1, 1), "", "there is no row below the header: add the phones"))
    if errors:
        raise FileErrors(name, errors)
    return CsvDevices(name, tuple(rows))


def _column(cell: str) -> Column | None:
    """The column that a header cell names, in English or Polish, any case."""
    words = re.sub(r"[\s_]+", " ", cell).casefold()
    return _CALLED.get(words)


def _columns(header: Record, name: str) -> Mapping[int, Column]:
    columns: dict[int, Column] = {}
    errors: list[FileError] = []
    for place, cell in enumerate(header.cells):
        column = _column(cell)
        at = Position(header.row, place + 1)
        if column is None and cell:
            near = difflib.get_close_matches(cell.casefold(), list(_CALLED), n=1)
            advice = f"did you mean {near[0]}?" if near else _WANTED
            errors.append(RowError(at, "", f"there is no column {text.shown(cell)}: {advice}"))
        elif column in columns.values():
            errors.append(RowError(at, "", f"the column {column} is there twice: leave one of them"))
        elif column is not None:
            columns[place] = column
    if not columns:
        raise FileErrors(name, [RowError(Position(header.row, 1), "", f"the header is missing: {_WANTED}")])
    for needed in _NEEDED:
        if needed not in columns.values():
            errors.append(RowError(Position(header.row, 1), "", f"the column {needed} is missing: {_WANTED}"))
    if errors:
        raise FileErrors(name, errors)
    return columns


def _row(record: Record, columns: Mapping[int, Column], errors: list[FileError]) -> DeviceRow | None:
    """The phone of a row, or None with what is wrong appended to `errors`."""
    read: dict[Column, str] = {}
    before = len(errors)
    for place, cell in enumerate(record.cells):
        column = columns.get(place)
        at = Position(record.row, place + 1)
        if column is None:
            if cell:
                message = f"cell {place + 1} ({text.shown(cell)}) stands under no header: "
                advice = "quote a text that holds the separator, or name the column"
                errors.append(RowError(at, "", message + advice))
            continue
        try:
            read[column] = _RULES[column](_undamaged(cell, column))
        except BadValue as error:
            errors.append(RowError(at, column, str(error)))
    for column in _NEEDED:
        if not read.get(column) and not any(
            error.line == record.row and error.path == column for error in errors[before:]
        ):
            errors.append(RowError(Position(record.row, 1), column, f"the row needs a {column}: add it"))
    if len(errors) > before:
        return None
    return DeviceRow(
        row=record.row,
        mac=MacAddress(read[Column.MAC]),
        model=read[Column.MODEL],
        line=read.get(Column.LINE) or None,
        extension=read.get(Column.EXTENSION) or None,
        name=read.get(Column.NAME, ""),
        site=read.get(Column.SITE) or None,
    )


def _undamaged(cell: str, column: Column) -> str:
    """The cell as the person typed it. Raises `BadValue` that names what the spreadsheet made of it."""
    cell = cell.removeprefix("'")  # a spreadsheet's mark of text
    if column is Column.LINE and _PLUS_NUMBER.fullmatch(cell):
        return cell[1:]
    if cell.startswith("="):
        held = _FORMULA_CELL.fullmatch(cell)
        advice = f"write {held.group(1)[:40]} alone, and {_FORMAT_AS_TEXT}" if held else _FORMAT_AS_TEXT
        raise BadValue(f"{text.shown(cell)} is a formula: {advice}")
    if cell.startswith(("+", "-", "@")):
        message = f"{text.shown(cell)} begins with {cell[0]}, which spreadsheets take for a formula"
        raise BadValue(f"{message}: take the {cell[0]} out")
    if column in (Column.NAME, Column.SITE, Column.MODEL):
        return cell
    if _ERROR_CELL.fullmatch(cell):
        raise BadValue(f"{cell[:20]} is an error that the spreadsheet shows: repair the cell")
    if column is Column.MAC:
        return _undamaged_mac(cell)
    if _SCIENTIFIC.fullmatch(cell):
        raise BadValue(f"the spreadsheet has rounded the number to {cell[:40]}: {_FORMAT_AS_TEXT}")
    if decimal := _DECIMAL.fullmatch(cell):
        raise BadValue(
            f"{cell[:40]} is a decimal number: write {decimal.group(1)[:40]}, and {_FORMAT_AS_TEXT}"
        )
    return cell


def _undamaged_mac(cell: str) -> str:
    # Twelve digits with one E are a MAC as well as a number; only what isn't a MAC is damage.
    if len(cell) != 12 and _SCIENTIFIC.fullmatch(cell):
        raise BadValue(f"the spreadsheet has rounded the address to {cell[:40]}: {_FORMAT_AS_TEXT}")
    if _SHORT_MAC.fullmatch(cell):
        message = f"{cell} has {len(cell)} digits of 12: the spreadsheet has dropped its leading zeros"
        raise BadValue(f"{message}; write {cell.zfill(12)}, and {_FORMAT_AS_TEXT}")
    return cell


def _optional(rule: Callable[[object, str], str], field: str) -> Callable[[str], str]:
    return lambda cell: rule(cell, field) if cell else ""


_RULES: Mapping[Column, Callable[[str], str]] = {
    Column.MAC: lambda cell: MacAddress.parse(cell).hex if cell else "",
    Column.MODEL: _optional(text.plain_text, "model"),
    Column.LINE: _optional(text.line_number, "line"),
    Column.EXTENSION: _optional(text.extension, "extension"),
    Column.NAME: _optional(text.plain_text, "name"),
    Column.SITE: _optional(text.plain_text, "site"),
}


def _twice(rows: list[DeviceRow]) -> Iterator[RowError]:
    """Rows that name one phone, or say different things of one extension. Phones may share a line."""
    phones: dict[MacAddress, DeviceRow] = {}
    extensions: dict[str, DeviceRow] = {}
    for row in rows:
        other = phones.setdefault(row.mac, row)
        if other is not row:
            message = f"{row.mac} is already in row {other.row}: leave one of them"
            yield RowError(Position(row.row, 1), Column.MAC, message)
        if row.extension is None:
            continue
        other = extensions.setdefault(row.extension, row)
        if (other.line, other.name) != (row.line, row.name):
            message = (
                f"extension {row.extension} has another line or name in row {other.row}: make them the same"
            )
            yield RowError(Position(row.row, 1), Column.EXTENSION, message)
