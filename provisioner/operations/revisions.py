"""Every change of a file's bytes is a numbered revision: who, when, and which change caused it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import owed, rollouts
from db.queries import revisions as queries
from db.schema import DeviceFileRow, RevisionRow, RolloutFileRow, RolloutPhoneRow, RolloutRow
from phone_templates.values import references
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import SYSTEM, Actor
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.secret_names import without_version
from provisioner.operations.token_keys import TokenKeys
from provisioner.phones.describe import Surroundings
from provisioner.phones.fetching import not_released, rolled_back
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
_BATCH = 100
"Phones whose files are in memory at once."
_NO_FILE = ""
"The staged text of a file that goes with the release; no file that phones get is empty."


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
    staged: bool = False
    "The phone gets it when it is released, and not before."


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

    A phone that an open rollout has not reached keeps what it had, with today's secrets; what it would get
    is staged. `only` limits it to some devices; `texts` are their files where they have been rendered
    before. Raises what `device_files` raises.
    """
    customer = stored.customer
    devices = [device for device in customer.devices if only is None or device.mac in only]
    changes: list[FileChange] = []
    for start in range(0, len(devices), _BATCH):
        rendered = {
            device.mac: texts[device.mac] if texts else device_files(device, customer, around)
            for device in devices[start : start + _BATCH]
        }
        changes += await revise_devices(session, stored, around, cause, rendered)
        await session.flush()
    if only is None:
        changes += await revise_own_files(session, stored, cause)
        await session.flush()
        return changes
    for row in stored.row.devices:
        if MacAddress(row.mac) in only:
            # Also where no bytes differ: who has rendered these files outside of a change does it again.
            touch(session, f"device:{row.id}")
    return changes


async def revise_devices(
    session: AsyncSession,
    stored: Stored,
    around: Surroundings,
    cause: Cause,
    texts: Mapping[MacAddress, DeviceTexts | None],
) -> list[FileChange]:
    """Makes the files of these devices `texts`, as far as they follow the data. Nothing is flushed.

    A device without texts keeps what it has: its files can't be written.
    """
    ids = {row.mac: row.id for row in stored.row.devices}
    rollout = await rollouts.open_rollout(session, stored.row.id)
    tokens = TokenKeys(session, stored, around, cause.at)
    files = await _Files.load(session, [ids[mac.hex] for mac in texts], around, tokens, cause, rollout)
    devices = {device.mac: device for device in stored.customer.devices}
    return [
        change
        for mac, rendered in texts.items()
        if rendered is not None
        for change in files.refresh(devices[mac], ids[mac.hex], rendered)
    ]


async def revise_own_files(session: AsyncSession, stored: Stored, cause: Cause) -> list[FileChange]:
    """Makes the files that all phones of the customer share what its data say. Nothing is flushed."""
    changes: list[FileChange] = []
    rows = {row.name: row for row in await queries.files_of_customer(session, stored.row.id)}
    for name, text in customer_files(stored.customer).items():
        row = rows.get(name) or _new_file(session, customer_id=stored.row.id, name=name)
        if revision := await _revise(session, row, text, cause):
            changes.append(FileChange(stored.customer.login, name, revision.number))
    return changes


@dataclass(slots=True)
class _Files:
    """The files of some devices of one customer, and how they stand in its open rollout."""

    session: AsyncSession
    around: Surroundings
    tokens: TokenKeys
    cause: Cause
    rows: Mapping[tuple[int, str], DeviceFileRow]
    "By device and name."
    newest: Mapping[int, int]
    "The number of each file's last revision."
    rollout_id: int = 0
    waiting: dict[int, RolloutPhoneRow] = field(default_factory=dict)
    "The devices that are not released."
    staging: dict[int, RolloutFileRow] = field(default_factory=dict)
    "By file."

    @classmethod
    async def load(
        cls,
        session: AsyncSession,
        device_ids: Sequence[int],
        around: Surroundings,
        tokens: TokenKeys,
        cause: Cause,
        rollout: RolloutRow | None,
    ) -> _Files:
        """What is stored of the files of these devices."""
        rows = {
            (row.device_id or 0, row.name): row
            for row in await queries.files_of_devices(session, device_ids)
        }
        files = cls(session, around, tokens, cause, rows, await queries.newest_numbers(session, device_ids))
        if rollout is not None:
            files.rollout_id = rollout.id
            files.waiting = await rollouts.waiting_phones(session, rollout.id, device_ids)
            files.staging = await rollouts.files_of_rollout(session, rollout.id, device_ids)
            if rollout.phones_below is not None:
                await files._join([each for each in device_ids if each < rollout.phones_below])
        return files

    async def _join(self, device_ids: Collection[int]) -> None:
        """Writes down what these devices have while their rollout is opened, before they get anything."""
        new = set(device_ids) - await owed.phones_in_rollout(self.session, self.rollout_id, device_ids)
        rows = [
            (row, row.current_revision)
            for row in self.rows.values()
            if row.device_id in new and row.current_revision is not None
        ]
        await owed.with_contents(self.session, [revision.id for _, revision in rows])
        for row, before in rows:
            device_id = row.device_id or 0
            if device_id not in self.waiting:
                self.waiting[device_id] = RolloutPhoneRow(rollout_id=self.rollout_id, device_id=device_id)
                self.session.add(self.waiting[device_id])
            self.staging[row.id] = RolloutFileRow(
                rollout_id=self.rollout_id, file=row, before_revision=before, staged_revision=None
            )
            self.session.add(self.staging[row.id])

    def refresh(self, device: Device, device_id: int, texts: DeviceTexts) -> Iterator[FileChange]:
        """Makes the files of a device `texts`, as far as it follows the data. Returns what got new bytes."""
        waits = device_id in self.waiting
        if waits and not self._may_wait(device, device_id, texts):
            self._release(self.waiting[device_id])
            waits = False
        model = find_model(device.model)
        for file in DeviceFile:
            name = device_file_name(file, device.mac.hex, model)
            newest = texts.get(file)
            row = self.rows.get((device_id, file))
            if row is None and newest is None:
                continue
            is_first = row is None
            row = row or _new_file(self.session, device_id=device_id, name=file)
            text = self._before(row) if waits else newest
            claims = _secrets_of(newest)
            if text is not None:
                if waits and newest is not None:
                    text = not_released(text, newest, device.mac.hex)
                text = self._held(row, text, claims, device.mac.hex)
                if file is DeviceFile.MAC and newest is not None:
                    text, newest = self.tokens.bound(device.mac.hex, text, newest, is_first=is_first)
            if text is None:
                self._take_away(row)
            elif revision := self._revise(row, text):
                yield FileChange(str(device.mac), name, revision.number)
            if not waits:
                self._unstage(row)
            elif revision := self._stage(row, newest or _NO_FILE):
                yield FileChange(str(device.mac), name, revision.number, staged=True)

    def _may_wait(self, device: Device, device_id: int, texts: DeviceTexts) -> bool:
        """Whether what the device had would hand out no secret that it has no claim to any more."""
        for file in DeviceFile:
            row = self.rows.get((device_id, file))
            before = self._before(row) if row else None
            if before and not _is_entitled(before, _secrets_of(texts.get(file)), device.mac.hex):
                return False
        return True

    def _release(self, phone: RolloutPhoneRow) -> None:
        phone.released_at = self.cause.at
        phone.actor = SYSTEM.name
        phone.cause = f"what it had names a secret that it has no claim to any more: {self.cause.text}"
        phone.audit_id = self.cause.audit_id

    def _before(self, row: DeviceFileRow) -> str | None:
        """What the file was when the rollout was opened, with today's secrets; None where it was not."""
        staging = self.staging.get(row.id)
        if staging is None or staging.before_revision is None:
            return None
        return with_todays_secrets(staging.before_revision.content, self.around.versions)

    def _held(self, row: DeviceFileRow, text: str, claims: Collection[str], mac_hex: str) -> str:
        """What a file that was rolled back stays at, with today's secrets; otherwise `text`.

        A hold ends where it would hand out a secret that the device has no claim to any more, such as the
        password of a line that it has lost. How it is fetched and encrypted is not held.
        """
        if row.held_revision is None:
            return text
        held = with_todays_secrets(row.held_revision.content, self.around.versions)
        if _is_entitled(held, claims, mac_hex):
            return rolled_back(held, text)
        row.held_revision = None
        return text

    def _take_away(self, row: DeviceFileRow) -> None:
        if row.current_revision is not None:
            row.current_revision = None
            _touch(self.session, row)
        row.held_revision = None

    def _revise(self, row: DeviceFileRow, content: str) -> RevisionRow | None:
        if row.current_revision is not None and row.current_revision.digest == digest_of(content):
            return None
        row.current_revision = self._new_revision(row, content)
        _touch(self.session, row)
        return row.current_revision

    def _stage(self, row: DeviceFileRow, content: str) -> RevisionRow | None:
        """Keeps what the file will be with the release. Returns the revision if that is news."""
        staging = self.staging.get(row.id)
        digest = digest_of(content)
        if digest == (row.current_revision.digest if row.current_revision else digest_of(_NO_FILE)):
            self._unstage(row)
            return None
        if staging is None:
            staging = RolloutFileRow(rollout_id=self.rollout_id, file=row, before_revision=None)
            self.session.add(staging)
        elif staging.staged_revision is not None and staging.staged_revision.digest == digest:
            return None
        staging.staged_revision = self._new_revision(row, content)
        # No phone gets it yet, but who has worked out this file's next number must do it again.
        _touch(self.session, row)
        return staging.staged_revision

    def _unstage(self, row: DeviceFileRow) -> None:
        staging = self.staging.get(row.id)
        if staging is not None:
            staging.staged_revision = None

    def _new_revision(self, row: DeviceFileRow, content: str) -> RevisionRow:
        # What is staged in the same breath as a new current text comes after it.
        made = row.current_revision
        last = max(self.newest.get(row.id, 0), made.number if made else 0)
        return _new_revision(self.session, row, last + 1, content, self.cause)


def _secrets_of(text: str | None) -> frozenset[str]:
    """The names of the secrets that a text refers to, whatever their versions."""
    return frozenset(without_version(ref) for ref in references(text or ""))


def _is_entitled(content: str, claims: Collection[str], mac_hex: str) -> bool:
    """Whether a device may have all secrets in `content`: its own, and those in its files of today."""
    return all(name in claims or name.startswith(f"device/{mac_hex}/") for name in _secrets_of(content))


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
    """Makes `content` what a file that is never staged is. Returns the new revision, None for no news."""
    last = row.current_revision
    if last is not None and last.digest == digest_of(content):
        return None
    row.current_revision = _new_revision(session, row, last.number + 1 if last else 1, content, cause)
    _touch(session, row)
    return row.current_revision


def _new_revision(
    session: AsyncSession, row: DeviceFileRow, number: int, content: str, cause: Cause
) -> RevisionRow:
    revision = RevisionRow(
        file=row,
        number=number,
        content=content,
        digest=digest_of(content),
        created_at=cause.at,
        actor=cause.actor.name,
        cause=cause.text,
        audit_id=cause.audit_id,
    )
    session.add(revision)
    return revision


def _touch(session: AsyncSession, row: DeviceFileRow) -> None:
    """Tells every process that the file is another one."""
    if row.device_id is not None:
        touch(session, f"device:{row.device_id}")
    else:
        touch(session, "models" if row.model is not None else f"customer:{row.customer_id}")
