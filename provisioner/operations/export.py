"""The files of all phones as a tree of directories, for a web server that knows nothing of us.

It gives what `serve` would give at this moment: first-contact files at the top, each phone's files under
every token that lives, in the key that goes with it; phone books, pages, firmware, media and what the phones
brought under the service tokens. What it can't do is decide: there is no first contact by MAC, and no token
ends.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.encryption import keys_by_token
from db.queries.exporting import (
    FileText,
    newest_uploads,
    text_of_customer,
    text_of_model,
    texts_of_devices,
)
from db.queries.firmware import all_files
from db.schema import DeviceRow, UploadRow
from phone_templates.values import fill, references
from phone_templates.yealink.backups import Backup
from phone_templates.yealink.files import model_file_name
from phone_templates.yealink.models import all_models, find_model, model_for_cfg_number
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, PhoneOptions
from provisioner.operations.context import all_customers, surroundings
from provisioner.operations.drafts import CantWrite, drafting, exchange, make_private
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import content_of
from provisioner.phones.browser import browser_page
from provisioner.phones.describe import BROWSER_PAGES, PHONE_BOOK, Surroundings
from provisioner.phones.encrypt import as_fetched
from provisioner.phones.firmware import firmware_told, may_have
from provisioner.phones.levels import effective_options, levels_of
from provisioner.phones.render import FIRST_CONTACT, DeviceFile, device_file_name
from provisioner.store.customers import Stored
from provisioner.store.secret_values import open_secrets

MARK = ".centralka-export"
"An empty file by which a tree of ours is known: no other directory is ever replaced."

_BATCH = 200
"Phones whose texts are held in memory at once."


@dataclass(frozen=True, slots=True)
class Exported:
    """What a tree holds."""

    phones: int
    files: int
    phones_with_login: int
    "They ask for their files by login (`http_auth`), which a plain web server can't know: they find none."


@dataclass(slots=True)
class _Tree:
    """Writes the tree. Times of files come from the data, so the same data make the same tree."""

    folder: Path
    files: int = -1
    "Without the mark."
    _copied: dict[Path, Path] = field(default_factory=dict)

    def write(self, name: str, content: bytes, changed_at: datetime) -> None:
        target = self._place(name)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
        os.utime(target, (changed_at.timestamp(), changed_at.timestamp()))

    def share(self, name: str, source: Path) -> None:
        """`source` under one more name; a thousand phones share one firmware, so its bytes are there once."""
        target = self._place(name)
        try:
            os.link(self._copied[source], target)
        except (KeyError, OSError):
            # The first of them, or more links than the file system allows.
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(source.read_bytes())
            found = source.stat()
            os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
            self._copied[source] = target

    def _place(self, name: str) -> Path:
        target = self.folder / name
        make_private(target.parent)
        self.files += 1
        return target


async def export(installation: Installation, target: Path) -> Exported:
    """Writes the tree and gives it the name `target`, whole, in one step; an older tree there is replaced.

    Directories are mode 0700, files 0600. Raises `CantWrite`, also where `target` holds something else.
    """
    target = await asyncio.to_thread(_checked_place, target)
    with drafting(target) as folder:
        made = folder / "made"
        made.mkdir(mode=0o700)
        tree = _Tree(made)
        phones = with_login = 0
        try:
            async with installation.database.read() as session:
                await _first_contact(session, tree)
                async for stored in all_customers(session, installation):
                    around = await surroundings(session, installation, stored)
                    phones += await _customer(session, installation, stored, around, tree)
                    with_login += _phones_with_login(stored, around)
            tree.write(MARK, b"", datetime.fromtimestamp(0, UTC))
            await asyncio.to_thread(_publish, made, target)
        except OSError as error:
            raise CantWrite(f"can't write {error.filename or target}: {error.strerror or error}") from error
    return Exported(phones, tree.files, with_login)


def _phones_with_login(stored: Stored, around: Surroundings) -> int:
    customer = stored.customer
    options = [
        effective_options(levels_of(device, customer, around.vendor)) for device in customer.devices
    ]
    return sum(each.http_auth is True for each in options)


def _checked_place(folder: Path) -> Path:
    """`folder` without symbolic links, if a tree may stand there."""
    target = folder.resolve()
    is_ours = target.is_dir() and (not any(target.iterdir()) or (target / MARK).exists())
    if target.exists() and not is_ours:
        raise CantWrite(f"{folder} is there already and is no earlier export: choose a new directory")
    return target


def _publish(made: Path, target: Path) -> None:
    os.sync()
    if not target.exists() or not any(target.iterdir()):
        made.rename(target)
        return
    try:
        exchange(made, target)
    except OSError as error:
        raise CantWrite(
            f"{target} is an earlier export, and this file system can't replace it in one step"
            f" ({error.strerror}): export to a new directory, and let the web server change over to it"
        ) from error


async def _first_contact(session: AsyncSession, tree: _Tree) -> None:
    for number in sorted({number for model in all_models() for number in model.cfg_numbers}):
        model = model_for_cfg_number(number)
        found = await text_of_model(session, model.name, FIRST_CONTACT) if model else None
        if found is not None:
            tree.write(model_file_name(number), found.content.encode("utf-8"), found.created_at)


async def _customer(
    session: AsyncSession, installation: Installation, stored: Stored, around: Surroundings, tree: _Tree
) -> int:
    devices = {device.mac.hex: device for device in stored.customer.devices}
    rows = sorted(stored.row.devices, key=lambda row: row.mac)
    book = await text_of_customer(session, stored.row.id, PHONE_BOOK)
    firmware = {file.name: file.size for file in await all_files(session)}
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        ids = [row.id for row in batch]
        texts, brought = await texts_of_devices(session, ids), await newest_uploads(session, ids)
        refs = {ref for text in texts for ref in references(text.content)}
        secrets = await open_secrets(session, installation.vault, refs)
        keys = await keys_by_token(session, ids)
        for row in batch:
            own = [text for text in texts if text.device_id == row.id]
            if own:
                phone = _Phone(installation, stored.customer, devices[row.mac], row, around, firmware)
                uploads = [each for each in brought if each.device_id == row.id]
                await asyncio.to_thread(phone.write, tree, own, secrets, keys, book, uploads)
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Phone:
    """One phone's part of the tree."""

    installation: Installation
    customer: Customer
    device: Device
    row: DeviceRow
    around: Surroundings
    firmware: Mapping[str, int]
    "The sizes of all firmware files."

    def write(
        self,
        tree: _Tree,
        texts: Sequence[FileText],
        secrets: Mapping[str, str],
        keys: Mapping[tuple[int, int], bytes],
        book: FileText | None,
        uploads: Sequence[UploadRow],
    ) -> None:
        vault = self.installation.vault
        for token in self.row.tokens:
            # The phone may not have heard of the newest yet: until it has, an older one lives.
            if token.revoked_at is None:
                sealed = keys.get((self.row.id, token.version))
                key = vault.open(sealed) if sealed is not None else None
                self._write_files(tree, vault.open(token.token_sealed), key, texts, secrets)
        service = vault.open(self.row.service_token_sealed)
        if book is not None:
            tree.write(f"{service}/{PHONE_BOOK}", book.content.encode("utf-8"), book.created_at)
        changed_at = max(text.created_at for text in texts)
        for name, page in self._pages(f"{self.around.public.provisioning_url}/{service}"):
            tree.write(f"{service}/browser/{name}", page, changed_at)
        for upload in uploads:
            name = f"{self.row.mac}{Backup(upload.kind).ending}"
            content = content_of(self.installation, upload).encode("utf-8")
            tree.write(f"{service}/{name}", content, upload.at)
        for name, source in self._stored(texts):
            tree.share(f"{service}/{name}", source)

    def _write_files(
        self,
        tree: _Tree,
        token: str,
        key: str | None,
        texts: Sequence[FileText],
        secrets: Mapping[str, str],
    ) -> None:
        model = find_model(self.device.model)
        for text in texts:
            file = DeviceFile(text.name)
            content = as_fetched(fill(text.content, secrets), file, key)
            if file is DeviceFile.MODEL:
                names: Sequence[str] = model.model_files
            else:
                names = [device_file_name(file, self.row.mac, model)]
            for name in names:
                tree.write(f"{token}/{name}", content, text.created_at)

    def _pages(self, base: str) -> Iterator[tuple[str, bytes]]:
        """The browser pages of the phone and their names."""
        language = self._options.language or self.customer.language
        for name in BROWSER_PAGES:
            for number in count(1):
                page = browser_page(name, number, self.customer, self.device, language, base)
                if page is None:
                    break
                yield f"{name}.xml" if number == 1 else f"{name}-{number}.xml", page.content

    def _stored(self, texts: Sequence[FileText]) -> Iterator[tuple[str, Path]]:
        """Firmware and media that the phone's own files name, as far as they are there."""
        options = self._options
        own = next((text.content for text in texts if text.name == DeviceFile.MAC), "")
        name = firmware_told(own)
        if name is not None and self._may_have(name):
            file = self.installation.firmware_dir / name
            if file.is_file() and file.stat().st_size == self.firmware.get(name):
                yield f"firmware/{name}", file
        for name in sorted({options.logo or "", *(options.ringtones or ())} - {""}):
            yield from _there(f"media/{name}", self.installation.media_dir(self.customer.login) / name)

    def _may_have(self, firmware: str) -> bool:
        levels = levels_of(self.device, self.customer, self.around.vendor)
        return may_have(find_model(self.device.model), levels, self.device.firmware_seen, firmware)

    @property
    def _options(self) -> PhoneOptions:
        return effective_options(levels_of(self.device, self.customer, self.around.vendor))


def _there(name: str, source: Path) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        yield name, source
