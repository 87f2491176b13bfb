"""Every change of a file's bytes is a numbered revision: who, when, and which change caused it."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import revisions as queries
from db.schema import DeviceFileRow, DeviceRow, RevisionRow
from phone_templates.values import masked, references
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.secret_names import without_version
from provisioner.phones.describe import Surroundings
from provisioner.phones.render import (
    FIRST_CONTACT,
    DeviceFile,
    customer_files,
    device_file_name,
    device_files,
    first_contact_files,
)
from provisioner.store.customers import Stored

DeviceTexts = Mapping[DeviceFile, str]
"The files of one device."

_REFERENCE = re.compile("\x02([^\x03]+)\x03")


@dataclass(frozen=True, slots=True)
class Cause:
    """Which change makes revisions."""

    actor: Actor
    text: str
    "For people: `apply company.yaml`, `claim`, `the phone says firmware 66.86.0.15`."
    at: datetime
    audit_id: int | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that got new bytes."""

    owner: str
    "A MAC as people write it, a model, or a customer's login."
    file: str
    "The file's name."
    number: int
    "The new revision."


def digest_of(content: str) -> str:
    """What tells two texts apart: SHA-256, hex. References carry versions, so it tells new secrets, too."""
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


async def refresh_customer(
    session: AsyncSession,
    stored: Stored,
    around: Surroundings,
    cause: Cause,
    only: Collection[MacAddress] | None = None,
    texts: Mapping[MacAddress, DeviceTexts] | None = None,
) -> list[FileChange]:
    """Writes the files of a customer's phones anew; those whose bytes differ get a revision.

    `only` limits it to some devices; `texts` are their files where they have been rendered before. Raises
    what `device_files` raises.
    """
    customer = stored.customer
    rows = {(row.device_id, row.name): row for row in await queries.files_of_devices(session, stored.row.id)}
    device_rows = {row.mac: row for row in stored.row.devices}
    changes: list[FileChange] = []
    for device in customer.devices:
        if only is None or device.mac in only:
            rendered = texts[device.mac] if texts else device_files(device, customer, around)
            changes += await _refresh_device(
                session, device, rendered, around, cause, device_rows[device.mac.hex], rows
            )
    if only is None:
        own = {row.name: row for row in await queries.files_of_customer(session, stored.row.id)}
        for name, text in customer_files(customer).items():
            row = own.get(name) or _new_file(session, customer_id=stored.row.id, name=name)
            if revision := await _revise(session, row, text, cause):
                changes.append(FileChange(customer.login, name, revision.number))
    await session.flush()
    return changes


async def _refresh_device(
    session: AsyncSession,
    device: Device,
    texts: DeviceTexts,
    around: Surroundings,
    cause: Cause,
    device_row: DeviceRow,
    rows: Mapping[tuple[int | None, str], DeviceFileRow],
) -> list[FileChange]:
    model = find_model(device.model)
    changes = []
    for file in DeviceFile:
        row = rows.get((device_row.id, file))
        name = device_file_name(file, device.mac.hex, model)
        if file not in texts:
            if row is not None:
                row.current_revision, row.held_revision = None, None
                _touch(session, row)
            continue
        row = row or _new_file(session, device_id=device_row.id, name=file)
        text = _held(row, texts[file], device.mac.hex, around)
        if revision := await _revise(session, row, text, cause):
            changes.append(FileChange(str(device.mac), name, revision.number))
    return changes


def _held(row: DeviceFileRow, text: str, mac_hex: str, around: Surroundings) -> str:
    """What a file that was rolled back stays at, with today's secrets; otherwise `text`.

    A hold ends where it would hand out a secret that the device has no claim to any more, such as the
    password of a line that it has lost.
    """
    if row.held_revision is None:
        return text
    held = with_todays_secrets(row.held_revision.content, around.versions)
    theirs = {without_version(ref) for ref in references(text)}
    needed = {without_version(ref) for ref in references(held)}
    if all(name in theirs or name.startswith(f"device/{mac_hex}/") for name in needed):
        return held
    row.held_revision = None
    return text


def with_todays_secrets(content: str, versions: Mapping[str, int]) -> str:
    """`content` with every reference at the secret's present version."""

    def today(found: re.Match[str]) -> str:
        name = without_version(found[1])
        return f"\x02{name}@{versions.get(name, 1)}\x03"

    return _REFERENCE.sub(today, content)


async def refresh_models(session: AsyncSession, vendor: VendorLevel, cause: Cause) -> list[FileChange]:
    """Writes the first-contact files of all models anew."""
    rows = {row.model: row for row in await queries.files_of_models(session)}
    changes = []
    for model, text in first_contact_files(vendor).items():
        row = rows.get(model) or _new_file(session, model=model, name=FIRST_CONTACT)
        if revision := await _revise(session, row, text, cause):
            changes.append(FileChange(model, find_model(model).model_file, revision.number))
    await session.flush()
    return changes


def _new_file(session: AsyncSession, **columns: object) -> DeviceFileRow:
    row = DeviceFileRow(current_revision=None, held_revision=None, **columns)
    session.add(row)
    return row


async def _revise(
    session: AsyncSession, row: DeviceFileRow, content: str, cause: Cause
) -> RevisionRow | None:
    """Makes `content` what the file is. Returns the new revision, None where nothing differs."""
    digest = digest_of(content)
    if row.current_revision is not None and row.current_revision.digest == digest:
        return None
    last = await _last_number(session, row)
    revision = RevisionRow(
        file=row,
        number=last + 1,
        content=content,
        digest=digest,
        created_at=cause.at,
        actor=cause.actor.name,
        cause=cause.text,
        audit_id=cause.audit_id,
    )
    session.add(revision)
    row.current_revision = revision
    _touch(session, row)
    return revision


def _touch(session: AsyncSession, row: DeviceFileRow) -> None:
    """Tells every process that the file is another one."""
    if row.device_id is not None:
        touch(session, f"device:{row.device_id}")
    else:
        touch(session, "models" if row.model is not None else f"customer:{row.customer_id}")


async def _last_number(session: AsyncSession, row: DeviceFileRow) -> int:
    if row.current_revision is not None:
        return row.current_revision.number
    if row.id is None:
        return 0
    past = await queries.history(session, row.id)
    return past[0].number if past else 0


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision, for people: its text shows «names» where secrets stand."""

    number: int
    created_at: datetime
    actor: str
    cause: str


def described(rows: Sequence[RevisionRow]) -> list[Revision]:
    """Revisions without their texts."""
    return [Revision(row.number, row.created_at, row.actor, row.cause) for row in rows]


async def find_file(session: AsyncSession, device: DeviceRow, file: DeviceFile) -> DeviceFileRow:
    """A device's file. Raises `NotFound` where it has none."""
    row = await queries.file_of_device(session, device.id, file)
    if row is None:
        raise NotFound(f"device {MacAddress(device.mac)} has no {file} file")
    return row


async def find_revision(session: AsyncSession, file: DeviceFileRow, number: int) -> RevisionRow:
    """One revision of a file. Raises `NotFound` that says which there are."""
    past = await queries.history(session, file.id)
    newest = past[0].number if past else 0
    row = await queries.revision(session, file.id, number) if 1 <= number <= newest else None
    if row is None:
        raise NotFound(f"there is no revision {number}: this file has revisions 1 to {newest}")
    return row


def difference(old: RevisionRow, new: RevisionRow, file_name: str) -> str:
    """What changed between two revisions, as a unified diff with the secrets masked."""
    lines = difflib.unified_diff(
        masked(old.content).splitlines(),
        masked(new.content).splitlines(),
        f"{file_name} (revision {old.number})",
        f"{file_name} (revision {new.number})",
        lineterm="",
    )
    return "\n".join(lines)
