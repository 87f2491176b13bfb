"""Files that phones bring under their service token, version by version, and give back when they ask."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as device_queries
from db.queries import uploads as queries
from db.schema import DeviceRow, UploadRow
from phone_templates.yealink.backups import Backup, BadBackup, backup_called, read_backup, shown
from phone_templates.yealink.files import classify
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.asking import CFG_TYPE, XML_TYPE, Answer, Ask, Reason
from provisioner.operations.clear_text import may_have_secrets
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_device
from provisioner.operations.phone_events import ACTION, answer_event
from provisioner.store.fresh import token_hash


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that a known phone is about to bring."""

    device_id: int
    mac: str
    backup: Backup
    file_name: str

    def refused(self, reason: Reason) -> Answer:
        """Nothing of it is kept."""
        return Answer(reason, file_name=self.file_name, device_id=self.device_id, mac=self.mac)


async def announce(installation: Installation, ask: Ask) -> Announced | Answer:
    """Decides, before its body is read, whether a PUT or POST is let in; a report needs no body.

    Raises `StorageError` where the database can't be used.
    """
    if ask.token is None:
        return Answer(Reason.METHOD)
    async with installation.database.read() as session:
        device = await device_queries.device_of_service_token(session, token_hash(ask.token))
    if device is None:
        return Answer(Reason.METHOD)
    if ask.path.startswith(ACTION):
        return answer_event(ask, device)
    named = classify(ask.path)
    backup = backup_called(named)
    if backup is None:
        return Answer(Reason.METHOD, device_id=device.id)
    if named.mac != device.mac:
        return Answer(Reason.OTHER_DEVICE, file_name=named.name, device_id=device.id, mac=named.mac)
    return Announced(device.id, device.mac, backup, named.name)


async def keep(
    installation: Installation, announced: Announced, content: bytes, ask: Ask, now: datetime
) -> Answer:
    """Keeps what the phone brought as a new version, unless it is what it brought last.

    Raises `StorageError` where the database can't be used; then nothing is kept.
    """
    try:
        text = await asyncio.to_thread(read_backup, announced.backup, content)
    except BadBackup:
        return announced.refused(Reason.UNREADABLE)
    async with installation.database.change() as session:
        device = await session.get(DeviceRow, announced.device_id)
        if device is None or device.service_token_hash != token_hash(ask.token or ""):
            return announced.refused(Reason.UNKNOWN_TOKEN)
        added = await add_version(session, installation, device, announced.backup, text, now, ask.source)
    return Answer(
        Reason.UPLOADED if added else Reason.UPLOADED_BEFORE,
        content=b"",
        file_name=announced.file_name,
        device_id=announced.device_id,
        mac=announced.mac,
    )


async def add_version(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    backup: Backup,
    text: str,
    now: datetime,
    origin: str,
) -> UploadRow | None:
    """A new version of a device's file, inside a `change`; None where `text` is the newest already.

    The oldest versions beyond what is to be kept go.
    """
    newest = await queries.newest(session, device.id, backup)
    if newest is not None and content_of(installation, newest) == text:
        return None
    number = newest.number + 1 if newest else 1
    encoded = text.encode("utf-8")
    row = UploadRow(
        device_id=device.id,
        kind=backup,
        number=number,
        size=len(encoded),
        at=now,
        origin=origin,
    )
    if backup.may_hold_secrets:
        row.content_sealed = installation.vault.seal(text)
    else:
        row.content, row.digest = text, hashlib.sha256(encoded).hexdigest()
    session.add(row)
    await session.flush()
    await queries.forget(session, device.id, backup, number - installation.settings.memory.uploads_per_file)
    return row


async def newest_upload(
    session: AsyncSession, installation: Installation, ask: Ask, device: DeviceRow
) -> Answer:
    """What the phone brought last, given back to it under its service token."""
    named = classify(ask.path)
    backup = backup_called(named)

    def closed(reason: Reason) -> Answer:
        return Answer(reason, file_name=named.name or None, device_id=device.id, mac=named.mac)

    if backup is None:
        return closed(Reason.NO_SUCH_FILE)
    if named.mac != device.mac:
        return closed(Reason.OTHER_DEVICE)
    if backup.may_hold_secrets and not may_have_secrets(installation, ask):
        return closed(Reason.CLEAR_TEXT)
    row = await queries.newest(session, device.id, backup)
    if row is None:
        return closed(Reason.NO_SUCH_FILE)
    content = content_of(installation, row).encode("utf-8")
    return Answer(
        Reason.SERVICE,
        content=content,
        content_type=XML_TYPE if backup in (Backup.CONTACTS, Backup.CALL_LOG) else CFG_TYPE,
        etag=hashlib.sha256(content).hexdigest()[:32],
        file_name=named.name,
        device_id=device.id,
        mac=device.mac,
    )


def content_of(installation: Installation, row: UploadRow) -> str:
    """The text of a version."""
    sealed = row.content_sealed
    return installation.vault.open(sealed) if sealed is not None else row.content or ""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of a file, without its content."""

    kind: str
    version: int
    at: datetime
    size: int
    "In bytes."
    sha256: str | None
    "None where secrets may stand in it."
    origin: str
    "The address that brought it, or the phone that it was carried from."


async def list_uploads(
    installation: Installation, mac: MacAddress, backup: Backup | None = None
) -> list[Upload]:
    """All versions of a phone's files, by kind, the newest first. Raises `NotFound` for an unlisted MAC."""
    async with installation.database.read() as session:
        device = await listed(session, mac)
        rows = await queries.of_device(session, device.id, backup)
    return [Upload(row.kind, row.number, row.at, row.size, row.digest, row.origin) for row in rows]


async def show_upload(
    installation: Installation, mac: MacAddress, backup: Backup, version: int | None = None
) -> str:
    """A version (the newest, unless said) for people, secrets hidden. Raises `NotFound`."""
    async with installation.database.read() as session:
        device = await listed(session, mac)
        row = await _version(session, device, backup, version)
    return shown(backup, content_of(installation, row))


async def diff_uploads(
    installation: Installation,
    mac: MacAddress,
    backup: Backup,
    old: int | None = None,
    new: int | None = None,
) -> str:
    """What changed from version `old` (the one before) to `new` (the newest), secrets hidden.

    Raises `NotFound`. Of a secret that has changed nothing is seen.
    """
    async with installation.database.read() as session:
        device = await listed(session, mac)
        to = await _version(session, device, backup, new)
        before = await _version(session, device, backup, old if old is not None else max(1, to.number - 1))
    name = f"{mac.hex}{backup.ending}"
    lines = difflib.unified_diff(
        shown(backup, content_of(installation, before)).splitlines(),
        shown(backup, content_of(installation, to)).splitlines(),
        f"{name} (version {before.number})",
        f"{name} (version {to.number})",
        lineterm="",
    )
    return "\n".join(lines)


async def listed(session: AsyncSession, mac: MacAddress) -> DeviceRow:
    """The listed device. Raises `NotFound`."""
    selected = await device_queries.device_by_mac(session, mac.hex)
    if selected is None:
        raise no_device(mac)
    return selected.device


async def _version(session: AsyncSession, device: DeviceRow, backup: Backup, number: int | None) -> UploadRow:
    rows = await queries.of_device(session, device.id, backup)
    mac = MacAddress(device.mac)
    if not rows:
        raise NotFound(
            f"{mac} has brought no {backup} file: phones bring it with `phone: {{backups: true}}`,"
            " once it changes on the phone"
        )
    wanted = rows[0].number if number is None else number
    row = await queries.version(session, device.id, backup, wanted)
    if row is None:
        raise NotFound(
            f"there is no version {wanted} of the {backup} file of {mac}:"
            f" {rows[-1].number} to {rows[0].number} are kept"
        )
    return row
