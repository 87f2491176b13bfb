"""Backup of a whole installation while it runs, and the way back into an empty one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from db import backup as databases
from db import migrations
from db.errors import DatabaseUnavailable, StorageError
from db.urls import parse_url
from db.vault import Vault
from provisioner.centrex.errors import BadValue, Conflict
from provisioner.operations.archive import (
    ArchiveWriter,
    BadArchive,
    Header,
    is_archive,
    read_header,
    unpack,
)
from provisioner.operations.drafts import CantWrite, drafting, make_private, sync_directory
from provisioner.operations.installation import (
    FIRMWARE_DIR,
    KEY_FILE,
    MEDIA_DIR,
    NotInitialised,
    database_url,
    utc_now,
)
from provisioner.settings import Settings

DATABASE = "database"
"What the copy of the database is called inside an archive."

_FOLDERS = (FIRMWARE_DIR, MEDIA_DIR)
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds, or what was restored from it."""

    header: Header
    files: int
    "Firmware and media files."
    size: int
    "Bytes of the archive."


def back_up(data_dir: Path, settings: Settings, file: Path, *, with_key: bool = True) -> Contents:
    """Writes database, firmware, media and the key of the secrets into the archive `file`, mode 0600.

    The server may run meanwhile. `file` appears whole or not at all; an older backup there is replaced.
    Raises `NotInitialised`, `CantWrite`, and `StorageError` where the database can't be copied.
    """
    if not (data_dir / KEY_FILE).exists():
        raise NotInitialised(f"{data_dir} holds no installation to be backed up: give the --data-dir of one")
    _refuse_place(data_dir, file)
    with drafting(file) as folder:
        copy = folder / DATABASE
        keys, revision = _copy_database(data_dir, settings, copy)
        header = Header(
            database=parse_url(database_url(data_dir, settings)).drivername,
            db_schema=revision,
            has_key=with_key,
            keys=_digests(keys),
            created_at=utc_now(),
        )
        archive = folder / "archive"
        try:
            with os.fdopen(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                writer = ArchiveWriter(stream, header)
                if with_key:
                    writer.add_bytes(KEY_FILE, keys)
                writer.add_file(DATABASE, copy)
                # After the database: what it names was stored before it was named.
                files = [name for name in _stored_files(data_dir) if _add(writer, name, data_dir / name)]
                writer.finish()
                stream.flush()
                os.fsync(stream.fileno())
            size = archive.stat().st_size
            archive.replace(file)
            sync_directory(file.absolute().parent)
        except OSError as error:
            raise CantWrite(f"can't write the backup {file}: {error.strerror or error}") from error
    return Contents(header, len(files), size)


def restore(file: Path, data_dir: Path, settings: Settings, key: Path | None = None) -> Contents:
    """Makes the installation that `file` is a backup of, in an empty data directory and an empty database.

    All of it or nothing; a restore that was killed may be run again. `key` is the key file of a backup that
    was made without it. Raises `BadArchive`, `Conflict`, `CantWrite`, and `StorageError` where the database
    refuses.
    """
    header = read_header(file)
    target = data_dir.resolve()
    url = database_url(target, settings)
    _refuse_header(file, header, url)
    if header.has_key is not (key is None):
        raise BadValue(
            f"{file} holds its key: leave --key out"
            if header.has_key
            else f"{file} was made without the key: say --key with the {KEY_FILE} that belongs to it"
        )
    # Whatever comes of it, this clears away what a killed run left.
    with drafting(target) as folder:
        _refuse_full(target)
        unpacked, made = folder / "unpacked", folder / "made"
        for each in (unpacked, made):
            each.mkdir(mode=0o700)
        digest = unpack(file, unpacked)
        if key is not None:
            _put_key(key, unpacked)
        _refuse_parts(file, header, unpacked)
        for name in _FOLDERS:
            (unpacked / name).mkdir(mode=0o700, exist_ok=True)
        files = sum(1 for _ in _stored_files(unpacked))
        try:
            for name in (*_FOLDERS, KEY_FILE):
                (unpacked / name).rename(made / name)
            inside = _inside(url, target)
            if inside is not None:
                make_private((made / inside).parent)
                databases.load(f"sqlite:///{made / inside}", unpacked / DATABASE)
            for parent, _, _ in os.walk(made):
                sync_directory(Path(parent))
            if inside is None:
                with _resumable(target, digest, url) as done:
                    if not done:
                        databases.load(url, unpacked / DATABASE)
                    made.rename(target)
            else:
                made.rename(target)
            sync_directory(target.parent)
        except OSError as error:
            raise CantWrite(
                f"can't make {data_dir}: {error.strerror or error}; its parent directory must be"
                " writable, and it must not be a mount point itself"
            ) from error
    return Contents(header, files, file.stat().st_size)


@contextmanager
def _resumable(target: Path, digest: str, url: str) -> Iterator[bool]:
    """Ties a database elsewhere to the data directory: tells whether a killed run has filled it already.

    The two can't appear at once. A mark says from which archive the database is being filled, and goes when
    the data directory is there; the same archive may then be restored again without emptying the database.
    """
    mark = _mark(target)
    if mark.exists() and mark.read_text(encoding="ascii") == digest and not databases.is_empty(url):
        yield True
    else:
        databases.refuse_full(url)
        with os.fdopen(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
            written.write(digest)
            written.flush()
            os.fsync(written.fileno())
        sync_directory(mark.parent)
        try:
            yield False
        except StorageError:
            # What a killed run started may still have filled it: then the mark stays for the next run.
            with suppress(StorageError):
                if databases.is_empty(url):
                    mark.unlink()
            raise
    mark.unlink()


def _mark(target: Path) -> Path:
    return target.with_name(f".{target.name}.restoring")


def _refuse_full(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        # The data directory comes last: a run that was killed after it was complete.
        _mark(target).unlink(missing_ok=True)
        raise Conflict(f"{target} is not empty: restore into a new directory")


def _inside(url: str, data_dir: Path) -> Path | None:
    """Where in the data directory the database lies; None where it lies elsewhere."""
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        return None
    file = Path(parsed.database or "").absolute()
    return file.relative_to(data_dir) if file.is_relative_to(data_dir) else None


def _refuse_place(data_dir: Path, file: Path) -> None:
    """Refuses a file that would be lost together with what it protects, or that is something else already."""
    if file.resolve().is_relative_to(data_dir.resolve()):
        raise BadValue(
            f"{file} lies in the data directory: write the backup elsewhere, on another disk if you can"
        )
    if file.exists() and not is_archive(file):
        raise CantWrite(f"{file} is there already and is no backup: choose another name")


def _refuse_header(file: Path, header: Header, url: str) -> None:
    kind = parse_url(url).drivername
    if header.database != kind:
        raise Conflict(
            f"{file} is a backup of a {header.database} database, but the configuration names {kind}:"
            " set [database] url to a database of that kind"
        )
    if header.db_schema is not None and header.db_schema not in migrations.known():
        raise Conflict(
            f"{file} has the schema {header.db_schema}, which a newer version of centralka made:"
            " restore it with that version"
        )


def _refuse_parts(file: Path, header: Header, unpacked: Path) -> None:
    for name in (KEY_FILE, DATABASE):
        if not (unpacked / name).is_file():
            raise BadArchive(f"{file} holds no {name}: use another backup")
    if _digests((unpacked / KEY_FILE).read_bytes()) != header.keys:
        raise Conflict(
            f"the secrets of {file} are sealed with other keys than those: give the key file of its day"
        )


def _put_key(key: Path, unpacked: Path) -> None:
    try:
        keys = key.read_bytes()
        with os.fdopen(os.open(unpacked / KEY_FILE, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as written:
            written.write(keys)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise BadValue(f"can't read the key file {key}: {error.strerror}") from error


def _copy_database(data_dir: Path, settings: Settings, target: Path) -> tuple[bytes, str | None]:
    """Copies the database; the key file that fits the copy, and the schema of the copy."""
    key_file = data_dir / KEY_FILE
    for _ in range(_ATTEMPTS):
        Vault.load(key_file)
        keys = key_file.read_bytes()
        target.unlink(missing_ok=True)
        revision = databases.dump(database_url(data_dir, settings), target)
        # A rotation of the keys may have come between: the copy could need a key that is gone.
        if key_file.read_bytes() == keys:
            return keys, revision
    raise DatabaseUnavailable("the key of the secrets was changed while the database was copied: try again")


def _digests(keys: bytes) -> tuple[str, ...]:
    return tuple(hashlib.sha256(key).hexdigest() for key in keys.split())


def _stored_files(data_dir: Path) -> Iterator[str]:
    """The names of firmware and media files, in order."""
    for name in _FOLDERS:
        for parent, folders, files in os.walk(data_dir / name):
            # What begins with a dot is a draft, of a file that is just being added.
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for file in sorted(files):
                path = Path(parent, file)
                if path.is_file():
                    yield path.relative_to(data_dir).as_posix()


def _add(writer: ArchiveWriter, name: str, source: Path) -> bool:
    """Adds a file, unless it was removed a moment ago."""
    try:
        writer.add_file(name, source)
    except FileNotFoundError:
        return False
    return True
