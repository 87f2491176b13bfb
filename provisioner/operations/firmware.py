"""Firmware files: taken in whole or not at all, never changed under their name, kept while a phone wants one.

What is checked of a file is its name, its size, that it is no text (an error page that was saved as firmware)
and its checksum, where one was given. What is inside is the vendor's secret: whether a phone takes it, only
the phone can tell.
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import firmware as queries
from db.schema import FirmwareRow
from phone_templates.yealink.firmware import FirmwareName, models_of_prefix, parse_file_name
from phone_templates.yealink.models import find_model
from provisioner.centrex import text
from provisioner.centrex.actor import Actor
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.centrex.errors import BadValue, Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.context import all_customers
from provisioner.operations.drafts import CantWrite, drafting, sync_directory
from provisioner.operations.installation import Installation, utc_now
from provisioner.phones.firmware import Standing, files_named, standing, target_of
from provisioner.phones.levels import levels_of
from provisioner.phones.lint.case import FirmwareState
from provisioner.store.options import option_from_json
from provisioner.store.vendors import load_vendor

_DRAFT = "adding"
"One file is taken in at a time; what a killed run left here is cleared by the next."
_MIB = 1024 * 1024
_LOOKED_AT = 4096
"Bytes of the beginning that tell a text."
_SHA256 = re.compile("[0-9a-f]{64}")
_TEXT_CONTROLS = frozenset(b"\t\n\f\r")


class BadFirmwareFile(BadValue):
    """A file that no phone can want."""

    code = "bad-firmware-file"


class OtherBytes(Conflict):
    """A file of that name is there already, and it is another one."""

    code = "other-bytes"


class FirmwareWanted(Conflict):
    """Some phones shall have the file."""

    code = "firmware-wanted"


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


@dataclass(frozen=True, slots=True)
class Firmware:
    """A file, who wants it, and how far it has come."""

    name: str
    version: str
    prefix: int
    size: int
    "In bytes."
    sha256: str
    added_at: datetime
    actor: str
    targets: tuple[str, ...]
    "The levels that name it, such as `site Magazyn of nowyklienttestowy`."
    phones: int
    "That say that they run its version."
    standing: Mapping[str, int]
    "How many phones that shall have it stand where (`Standing`)."


@dataclass(frozen=True, slots=True)
class Aim:
    """The firmware that a phone shall have, and where it stands."""

    file: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_firmware` made of a file."""

    name: str
    version: str
    sha256: str
    size: int
    models: tuple[str, ...]
    "Whose versions begin with its prefix."
    is_new: bool
    "False: it was there already, with these bytes."


@dataclass(frozen=True, slots=True)
class _Copy:
    """The bytes of a file, on the disk for sure."""

    path: Path
    size: int
    sha256: str


async def add_firmware(
    installation: Installation,
    source: Path,
    actor: Actor,
    *,
    sha256: str | None = None,
    models: Sequence[str] = (),
) -> Added:
    """Takes a file in under its own name; a file that lies in the firmware folder already, where it is.

    `sha256` is what the vendor says, `models` those that the file is meant for. Killed at any moment it
    leaves all or nothing that is ever served; running it again completes it. Raises `BadValue` for what can't
    be firmware of these models, `OtherBytes`, and `CantWrite`.
    """
    named = _checked_name(source.name, models)
    wanted = _checked_sum(sha256)
    folder = installation.firmware_dir
    target = folder / source.name
    with drafting(folder / _DRAFT) as draft:
        copy = await asyncio.to_thread(
            _copied, source, draft / "file", installation.settings.firmware.max_mib * _MIB
        )
        if wanted is not None and copy.sha256 != wanted:
            raise BadFirmwareFile(
                f"{source} has the SHA-256 {copy.sha256}, not {wanted}: download it again, or correct the sum"
            )
        there = await asyncio.to_thread(_sum_of, target)
        async with installation.database.change() as session:
            row = await queries.file_named(session, source.name)
            _refuse_other_bytes(source.name, row.sha256 if row else there, copy.sha256)
            # The row comes last: what it names is there, and without it nothing is served.
            if there != copy.sha256:
                await asyncio.to_thread(_publish, copy.path, target)
            if row is None:
                await _record(session, actor, source.name, named, copy)
    return Added(
        source.name,
        str(named.version),
        copy.sha256,
        copy.size,
        tuple(model.name for model in models_of_prefix(named.version.prefix)),
        is_new=row is None,
    )


async def _record(session: AsyncSession, actor: Actor, name: str, named: FirmwareName, copy: _Copy) -> None:
    now = utc_now()
    session.add(
        FirmwareRow(
            name=name,
            sha256=copy.sha256,
            size=copy.size,
            prefix=named.version.prefix,
            version=str(named.version),
            added_at=now,
            actor=actor.name,
        )
    )
    await audit.record(session, actor, now, "firmware.add", name, f"add firmware {name} ({copy.sha256})")


def _checked_name(name: str, models: Sequence[str]) -> FirmwareName:
    """What the name says, if `models` and the models that it names can have it."""
    text.file_name(name, "firmware")
    named = parse_file_name(name)
    if named is None:
        raise BadFirmwareFile(
            f"the name {name} does not end in a version: call the file as the vendor does, such as"
            " 66.86.0.15.rom or T46S-66.86.0.15.rom"
        )
    prefix = named.version.prefix
    fitting = models_of_prefix(prefix)
    if not fitting:
        raise BadFirmwareFile(
            f"{name} is of version {named.version}, and {prefix}. is the prefix of no model that we know:"
            " check the name"
        )
    others = [model for model in (*named.models, *map(find_model, models)) if model not in fitting]
    if others:
        theirs = " or ".join(f"{each}." for each in others[0].firmware_prefixes)
        ours = ", ".join(model.name for model in fitting)
        raise BadFirmwareFile(
            f"{name} is of version {named.version}, which is firmware of {ours}; that of a"
            f" {others[0].name} begins with {theirs}: take the file of the right model"
        )
    return named


def _checked_sum(sha256: str | None) -> str | None:
    if sha256 is None:
        return None
    digits = sha256.strip().lower()
    if not _SHA256.fullmatch(digits):
        raise BadValue("a SHA-256 has 64 hex digits: copy it whole, or leave --sha256 out")
    return digits


def _copied(source: Path, target: Path, limit: int) -> _Copy:
    """Copies the file and brings it to the disk. Raises `BadFirmwareFile` and `CantWrite`."""
    try:
        reading = source.open("rb")
    except OSError as error:
        raise BadValue(f"can't read {source}: {error.strerror}") from error
    try:
        with (
            reading,
            os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writing,
        ):
            size, digest = _pour(reading, writing, source, limit)
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as error:
        raise CantWrite(f"can't copy {source} into the firmware folder: {error.strerror or error}") from error
    return _Copy(target, size, digest)


def _pour(reading: BinaryIO, writing: BinaryIO, source: Path, limit: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := reading.read(_MIB):
        if size == 0:
            _refuse_text(source, block[:_LOOKED_AT])
        size += len(block)
        if size > limit:
            raise BadFirmwareFile(
                f"{source} is larger than {limit // _MIB} MiB: that is no phone's firmware, or raise"
                " [firmware] max_mib"
            )
        digest.update(block)
        writing.write(block)
    if size == 0:
        raise BadFirmwareFile(f"{source} is empty: download it again")
    return size, digest.hexdigest()


def _refuse_text(source: Path, beginning: bytes) -> None:
    """A page that says why there is no file, saved under the file's name."""
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in beginning):
        return
    try:
        # The look may end within a character, which this one forgives.
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return
    raise BadFirmwareFile(
        f"{source} is a text, such as the error page of a web server, and no firmware: download it again"
    )


def _sum_of(file: Path) -> str | None:
    """The SHA-256 of a file, hex; None where there is none."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CantWrite(f"can't read {file}: {error.strerror}") from error


def _refuse_other_bytes(name: str, there: str | None, given: str) -> None:
    if there not in (None, given):
        raise OtherBytes(
            f"there is a firmware {name} already, with the SHA-256 {there}; this one has {given}: phones may"
            " have the old one, so give the new one another name, or remove the old one first"
        )


def _publish(file: Path, target: Path) -> None:
    try:
        file.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise CantWrite(f"can't make {target}: {error.strerror or error}") from error


async def remove_firmware(installation: Installation, name: str, actor: Actor) -> None:
    """Takes a file away. Raises `NotFound`, and `FirmwareWanted` while a level names it."""
    with drafting(installation.firmware_dir / _DRAFT):
        async with installation.database.change() as session:
            row = await queries.file_named(session, name)
            if row is None:
                raise NotFound(f"there is no firmware {name!r}: `firmware list` shows what there is")
            if wanted := (await _targets(session)).get(name):
                raise FirmwareWanted(
                    f"{name} is what {', '.join(wanted)} shall have: take it out of the company file first"
                )
            await session.delete(row)
            summary = f"remove firmware {name} ({row.sha256})"
            await audit.record(session, actor, utc_now(), "firmware.remove", name, summary)
        # Without its row it is served to nobody: a run that is killed here leaves a file that `check` names.
        await asyncio.to_thread(_unlink, installation.firmware_dir / name)


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
        sync_directory(file.parent)
    except OSError as error:
        raise CantWrite(f"can't remove {file}: {error.strerror}; no phone gets it any more") from error


async def list_firmware(installation: Installation) -> list[Firmware]:
    """Every file, by name."""
    async with installation.database.read() as session:
        rows = await queries.all_files(session)
        targets = await _targets(session)
        running = await queries.phones_by_version(session)
        stands = await _standing(session, installation) if targets else {}
    return [
        Firmware(
            name=row.name,
            version=row.version,
            prefix=row.prefix,
            size=row.size,
            sha256=row.sha256,
            added_at=row.added_at,
            actor=row.actor,
            targets=tuple(targets.get(row.name, ())),
            phones=running.get(row.version, 0),
            standing={each: stands[row.name][each] for each in Standing if stands[row.name][each]}
            if row.name in stands
            else {},
        )
        for row in rows
    ]


async def _targets(session: AsyncSession) -> dict[str, list[str]]:
    """By file: the levels that name it."""
    named: defaultdict[str, list[str]] = defaultdict(list)
    for say in await queries.says(session):
        for file in files_named(option_from_json("firmware", say.value)):
            named[file].append(_called(say))
    return {file: sorted(levels) for file, levels in named.items()}


def _called(say: queries.Say) -> str:
    if say.vendor is not None:
        return f"vendor {say.vendor}"
    if say.model is not None:
        return f"model {say.model}"
    if say.mac is not None:
        return f"device {MacAddress(say.mac)}"
    return f"site {say.site} of {say.site_of}" if say.site is not None else f"customer {say.customer}"


async def _standing(session: AsyncSession, installation: Installation) -> dict[str, Counter[Standing]]:
    """By file: where the phones stand that shall have it."""
    stands: defaultdict[str, Counter[Standing]] = defaultdict(Counter)
    async for _, aim in aims(session, installation):
        stands[aim.file][aim.standing] += 1
    return stands


async def aims(
    session: AsyncSession, installation: Installation, login: str | None = None
) -> AsyncIterator[tuple[Device, Aim]]:
    """The phones that shall have a firmware, of all customers or of one. Customers are read whole."""
    vendor = await load_vendor(session, installation.vault)
    async for stored in all_customers(session, installation, login):
        for device in stored.customer.devices:
            aim = aim_of(device, stored.customer, vendor)
            if aim is not None:
                yield device, aim


def aim_of(device: Device, customer: Customer, vendor: VendorLevel) -> Aim | None:
    """The firmware that the phone shall have; None where nothing is said of it."""
    model = find_model(device.model)
    target = target_of(model, levels_of(device, customer, vendor))
    return Aim(target.file, standing(model, target, device.firmware_seen)) if target else None


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
    return Fault.CHECKSUM if _sum_of(file) != row.sha256 else None


async def served_firmware(session: AsyncSession, installation: Installation, name: str) -> Path | None:
    """Where a file lies that may go out: it was added, and has the size that it had then."""
    row = await queries.file_named(session, name)
    file = installation.firmware_dir / name
    try:
        return file if row is not None and file.is_file() and file.stat().st_size == row.size else None
    except OSError:
        return None
