"""Whether the firmware files are there as they were added."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import firmware as queries
from db.schema import FirmwareRow
from provisioner.operations.firmware_files import sum_of
from provisioner.operations.installation import Installation
from provisioner.phones.lint.case import FirmwareState


class Fault(StrEnum):
    """What is wrong with a file in the firmware folder."""

    MISSING = "missing"
    SIZE = "size"
    CHECKSUM = "checksum"
    NOT_ADDED = "not-added"
    LEFT_OVER = "left-over"

    @property
    def is_missed(self) -> bool:
        """Whether a phone may ask for the file in vain."""
        return self in (Fault.MISSING, Fault.SIZE, Fault.CHECKSUM)


_ADVICE = {
    Fault.MISSING: "it was added and is not there: copy it back, or `firmware add` the vendor's file again",
    Fault.SIZE: "it has not the size that it was added with and is not served: `firmware add` it again",
    Fault.CHECKSUM: "its bytes are not those that were added: `firmware add` the vendor's file again",
    Fault.NOT_ADDED: "it was never added, so no phone gets it: `firmware add` it, or remove it",
    Fault.LEFT_OVER: "left by an `add` that was cut short: the next one clears it away",
}


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong in the firmware folder."""

    name: str
    fault: Fault
    advice: str


async def check_firmware(installation: Installation) -> list[Damage]:
    """What is wrong with the files on this machine, by name. Reads every byte of them."""
    async with installation.database.read() as session:
        return await _checked(session, installation)


async def firmware_states(session: AsyncSession, installation: Installation) -> dict[str, FirmwareState]:
    """How each file that was added is found, as lint wants it."""
    damaged = {each.name for each in await _checked(session, installation)}
    return {
        name: FirmwareState.DAMAGED if name in damaged else FirmwareState.GOOD
        for name in await queries.names(session)
    }


async def _checked(session: AsyncSession, installation: Installation) -> list[Damage]:
    rows = {row.name: row for row in await queries.all_files(session)}
    return await asyncio.to_thread(lambda: list(_damages(installation.firmware_dir, rows)))


def _damages(folder: Path, rows: Mapping[str, FirmwareRow]) -> Iterator[Damage]:
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for name in sorted(rows.keys() | there):
        fault = _fault(folder / name, rows.get(name))
        if fault is not None:
            yield Damage(name, fault, _ADVICE[fault])


def _fault(file: Path, row: FirmwareRow | None) -> Fault | None:
    if row is None:
        return Fault.LEFT_OVER if file.name.startswith(".") else Fault.NOT_ADDED
    if not file.is_file():
        return Fault.MISSING
    if file.stat().st_size != row.size:
        return Fault.SIZE
    return Fault.CHECKSUM if sum_of(file) != row.sha256 else None


async def served_firmware(session: AsyncSession, installation: Installation, name: str) -> Path | None:
    """Where a file lies that may go out: it was added, and has the size that it had then."""
    row = await queries.file_named(session, name)
    file = installation.firmware_dir / name
    try:
        return file if row is not None and file.is_file() and file.stat().st_size == row.size else None
    except OSError:
        return None
