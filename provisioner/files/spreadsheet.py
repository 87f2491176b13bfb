"""Tables as spreadsheets write them: any of their encodings and separators. Bytes in, cells out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from provisioner.files.errors import START, FileErrors, Position, RowError

LARGEST_BYTES = 4 * 2**20
MOST_ROWS = 20_000

SEPARATORS = (";", ",", "\t", "|")

_WORKBOOKS = {b"PK\x03\x04": "xlsx or ods", b"\xd0\xcf\x11\xe0": "xls"}

# What Excel writes for its own use before the header.
_SEPARATOR_LINE = re.compile(r'"?sep=([;,\t|])"?', re.IGNORECASE)

# The Polish letters of ISO 8859-2 that Windows-1250 would read as signs; no word holds those.
_MISREAD_LATIN_2 = re.compile(r"(?<=\w)[±¶¦¬]|[±¶¦¬](?=\w)")

# Blanks that spreadsheets and web pages bring along, besides those that str.strip knows.
_INVISIBLE = "\u200b\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table."""

    row: int
    "The line of the file where it begins, from 1."
    cells: tuple[str, ...]
    "Without outer blanks."

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(self.cells)


def read_table(data: bytes, name: str, knows: Callable[[str], bool]) -> Iterator[Record]:
    """The rows that are not blank, header first.

    `knows` tells whether a header cell names a column: the separator that makes most of them known is the
    file's.
    Raises `FileErrors` where the file is no table or a row can't be told from the next.
    """
    text = _decoded(data, name)
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if trimmed(line)), 0)
    separator = None
    if lines and (given := _SEPARATOR_LINE.fullmatch(lines[first].strip("\r\n"))):
        separator = given.group(1)
        lines[first] = "\n"
        first = next((number for number, line in enumerate(lines) if trimmed(line)), 0)
    header = lines[first] if lines else ""
    yield from _records(
        text if separator is None else "".join(lines), separator or _separator(header, knows), name
    )


def trimmed(cell: str) -> str:
    """A cell without the blanks around it, the invisible ones too."""
    before = None
    while before != cell:
        before, cell = cell, cell.strip().strip(_INVISIBLE)
    return cell


def _separator(header: str, knows: Callable[[str], bool]) -> str:
    def known(separator: str) -> int:
        return sum(knows(trimmed(cell).strip('"')) for cell in header.split(separator))

    return max(SEPARATORS, key=known)


def _records(text: str, separator: str, name: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    row = 1
    found = 0
    try:
        for cells in reader:
            record = Record(row, tuple(trimmed(cell) for cell in cells))
            row = reader.line_num + 1
            if record.is_blank:
                continue
            found += 1
            if found > MOST_ROWS:
                raise _refused(name, row, f"the table has more than {MOST_ROWS} rows: split it")
            yield record
    except csv.Error as error:
        message = (
            "the quotes of this row don't pair (a quote inside a quoted cell is doubled), or a cell is huge"
        )
        raise _refused(name, row, message) from error


def _decoded(data: bytes, name: str) -> str:
    if len(data) > LARGEST_BYTES:
        raise _refused(name, 1, f"the file has {len(data)} bytes: at most {LARGEST_BYTES} are read; split it")
    for beginning, kind in _WORKBOOKS.items():
        if data.startswith(beginning):
            raise _refused(name, 1, f"this is a workbook ({kind}): save the sheet as CSV")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = _tried(data, "utf-16")
        if text is None:
            raise _refused(name, 1, "the file begins like UTF-16 but is damaged: save it again as CSV UTF-8")
    else:
        text = _tried(data, "utf-8-sig")
        if text is None:
            text = _windows_1250(data, name)
    if "\0" in text:
        row = _row_of(text, text.index("\0"))
        raise _refused(name, row, "the file holds NUL characters, so it is no text: save it as CSV UTF-8")
    return text


def _windows_1250(data: bytes, name: str) -> str:
    text = _tried(data, "cp1250")
    if text is None:
        raise _refused(name, 1, "the file is neither UTF-8 nor Windows-1250: save it as CSV UTF-8")
    if misread := _MISREAD_LATIN_2.search(text):
        message = "the file looks like ISO 8859-2, which is read as Windows-1250 here: save it as CSV UTF-8"
        raise _refused(name, _row_of(text, misread.start()), message)
    return text


def _tried(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _row_of(text: str, offset: int) -> int:
    return len(text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _refused(name: str, row: int, message: str) -> FileErrors:
    return FileErrors(name, [RowError(Position(row, START.column), "", message)])
