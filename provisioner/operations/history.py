"""The revisions of a file for people: which there are, and what differs between two."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import revisions as queries
from db.schema import DeviceFileRow, DeviceRow, RevisionRow
from phone_templates.values import masked
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.missing import no_file
from provisioner.phones.render import DeviceFile


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
        raise no_file(MacAddress(device.mac), file)
    return row


async def find_revision(session: AsyncSession, file: DeviceFileRow, number: int) -> RevisionRow:
    """One revision of a file. Raises `NotFound` that says which there are."""
    past = await queries.history(session, file.id)
    newest = past[0].number if past else 0
    row = await queries.revision(session, file.id, number) if 1 <= number <= newest else None
    if row is None:
        raise NotFound(f"there is no revision {number}: this file has revisions 1 to {newest}")
    return row


def difference(old: RevisionRow | None, new: RevisionRow, file_name: str) -> str:
    """What changed between two revisions, as a unified diff with the secrets masked; None is no file."""
    lines = difflib.unified_diff(
        masked(old.content if old else "").splitlines(),
        masked(new.content).splitlines(),
        f"{file_name} ({f'revision {old.number}' if old else 'no file'})",
        f"{file_name} (revision {new.number})",
        lineterm="",
    )
    return "\n".join(lines)
