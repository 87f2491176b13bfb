"""Lays a list of phones over a customer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from provisioner.centrex.customer import Customer, Extension
from provisioner.centrex.devices import Device, DeviceAccount
from provisioner.centrex.problems import Contradictions, Kind, Subject
from provisioner.files.devices_csv import Column, CsvDevices, DeviceRow
from provisioner.files.errors import FileError, FileErrors, Position, RowError


def merge_rows(customer: Customer, devices: CsvDevices) -> Customer:
    """The customer with the phones of a list, all rows or none.

    A row makes its device; one that the customer has already (by its MAC) takes the row's model and whatever
    else the row gives, and keeps its keys, options and other accounts. Account 1 is the row's line, or that
    of its extension. The extension is made, with the row's name, where the number is not there yet, and given
    the line where it has none. Lines and sites must exist.

    Raises `FileErrors` with every row that does not fit.
    """
    errors: list[FileError] = []
    lines = {line.number for line in customer.lines}
    sites = {site.name for site in customer.sites}
    length = customer.centrex.extension_length
    there = {device.mac: device for device in customer.devices}
    extensions = {extension.number: extension for extension in customer.extensions}
    for row in devices.rows:
        faults = [
            *_missing(row, lines, sites),
            *_extension_faults(row, extensions.get(row.extension or ""), length),
        ]
        errors += faults
        if faults:
            continue
        if row.extension is not None:
            extensions[row.extension] = _extension(extensions.get(row.extension), row.extension, row)
        line = row.line or (extensions[row.extension].line if row.extension is not None else None)
        there[row.mac] = _device(there.get(row.mac), row, line)
    if errors:
        raise FileErrors(devices.name, errors)
    return replace(customer, devices=tuple(there.values()), extensions=tuple(extensions.values()))


def at_rows(devices: CsvDevices, found: Contradictions) -> FileErrors:
    """What the merged customer contradicts itself in, at the rows that are involved; else at the header."""
    rows: dict[Subject, DeviceRow] = {}
    for row in devices.rows:
        rows.setdefault(Subject(Kind.DEVICE, str(row.mac)), row)
        if row.extension is not None:
            rows.setdefault(Subject(Kind.EXTENSION, row.extension), row)
        if row.line is not None:
            rows.setdefault(Subject(Kind.LINE, row.line), row)
    errors = []
    for problem in found.problems:
        # Of two things that contradict each other the list may have the other one.
        named = (row for subject, row in rows.items() if _names(problem.message, subject))
        row_at = rows.get(problem.subject) or next(named, None)
        errors.append(RowError(Position(row_at.row if row_at else 1, 1), "", problem.message))
    return FileErrors(devices.name, errors)


def _names(message: str, subject: Subject) -> bool:
    return re.search(rf"\b{re.escape(str(subject))}\b", message) is not None


def _missing(row: DeviceRow, lines: set[str], sites: set[str]) -> Iterator[RowError]:
    at = Position(row.row, 1)
    if row.line is not None and row.line not in lines:
        yield RowError(at, Column.LINE, f"there is no line {row.line}: add it to the customer first")
    if row.site is not None and row.site not in sites:
        yield RowError(at, Column.SITE, f"there is no site {row.site!r}: add it to the customer first")


def _extension_faults(row: DeviceRow, extension: Extension | None, length: int) -> Iterator[RowError]:
    """What contradicts the row's extension; `extension` is what the customer has under that number."""
    if row.extension is None:
        return
    at = Position(row.row, 1)
    if extension is not None and extension.line is not None and row.line not in (None, extension.line):
        message = (
            f"extension {row.extension} rings line {extension.line}, but the row gives line {row.line}: "
        )
        yield RowError(at, Column.EXTENSION, message + "correct one of them")
    if row.line is None and (extension is None or extension.line is None):
        message = f"extension {row.extension} has no line yet: give the row the line that it rings"
        yield RowError(at, Column.LINE, message)
    if extension is None and len(row.extension) != length:
        hint = f" (did the spreadsheet drop leading zeros of {row.extension.zfill(length)}?)"
        digits = "1 digit" if len(row.extension) == 1 else f"{len(row.extension)} digits"
        message = f"extension {row.extension} has {digits}, the company's have {length}"
        yield RowError(at, Column.EXTENSION, message + (hint if len(row.extension) < length else ""))


def _extension(current: Extension | None, number: str, row: DeviceRow) -> Extension:
    if current is None:
        return Extension(number, line=row.line, name=row.name)
    return current if current.line is not None else replace(current, line=row.line)


def _device(current: Device | None, row: DeviceRow, line: str | None) -> Device:
    device = current or Device(mac=row.mac, model=row.model)
    return replace(
        device,
        model=row.model,
        name=row.name or device.name,
        site=row.site or device.site,
        accounts=device.accounts if line is None else _with_first(device.accounts, line),
    )


def _with_first(accounts: Sequence[DeviceAccount], line: str) -> tuple[DeviceAccount, ...]:
    """The accounts with `line` on account 1; its label stays only while the line does."""
    if any(account.account == 1 and account.line == line for account in accounts):
        return tuple(accounts)
    return (DeviceAccount(1, line), *(account for account in accounts if account.account != 1))
