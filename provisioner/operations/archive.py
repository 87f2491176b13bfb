"""The file that a backup is: a tar archive that says first what it is, and last what it must hold.

`centralka.json` comes first, `SHA256SUMS` last, so an archive that was cut off is known by its missing end;
`sha256sum -c SHA256SUMS` reads it, too.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from provisioner.centrex.errors import CentralkaError
from provisioner.operations.drafts import make_private

HEADER = "centralka.json"
CHECKSUMS = "SHA256SUMS"
_FORMAT = 1
_LONGEST_TEXT = 1 << 28
"Bytes of the two texts that are read into memory, at most: the checksums of a million files take 100 MB."
_CHUNK = 1 << 20


class BadArchive(CentralkaError):
    """A file is no backup of ours, or not a whole one."""

    code = "bad-backup"


class Header(BaseModel):
    """What an archive says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = _FORMAT
    "Of the archive; a program refuses what is higher than its own."
    database: Literal["sqlite", "postgresql"]
    db_schema: str | None
    "The revision of the database's schema."
    has_key: bool
    keys: tuple[str, ...]
    "SHA-256 of every key that the secrets may be sealed with: the key file that fits holds all of them."
    created_at: datetime


class ArchiveWriter:
    """Writes one archive into an open file."""

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._lines: list[str] = []
        self._header = header
        self.add_bytes(HEADER, header.model_dump_json(indent=2).encode("utf-8") + b"\n")

    def add_bytes(self, name: str, data: bytes) -> None:
        """A file of the archive with these bytes."""
        self._add(name, io.BytesIO(data), len(data), int(self._header.created_at.timestamp()))

    def add_file(self, name: str, source: Path) -> None:
        """A file of the archive with the bytes of `source`. Raises `OSError`."""
        with source.open("rb") as opened:
            found = os.fstat(opened.fileno())
            self._add(name, opened, found.st_size, int(found.st_mtime))

    def finish(self) -> None:
        """Writes the checksums and the end of the archive."""
        self.add_bytes(CHECKSUMS, "".join(sorted(self._lines)).encode("utf-8"))
        self._tar.close()

    def _add(self, name: str, opened: BinaryIO, size: int, mtime: int) -> None:
        if not _is_plain(name):
            raise BadArchive(f"a file with the name {name!r} can't be kept in a backup: rename it")
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, mtime, 0o600
        hashing = _Hashing(opened)
        self._tar.addfile(member, hashing)
        self._lines.append(f"{hashing.digest.hexdigest()}  {name}\n")


class _Hashing(io.RawIOBase):
    """A file that remembers the checksum of what was read from it."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._opened.read(size)
        self.digest.update(data)
        return data


def is_archive(file: Path) -> bool:
    """Whether `file` begins as our archives do."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(HEADER) + 1) == HEADER.encode("ascii") + b"\0"
    except OSError:
        return False


def read_header(file: Path) -> Header:
    """What the archive says of itself. Raises `BadArchive`."""
    with _opened(file) as tar:
        member = tar.next()
        if member is None or member.name != HEADER or not member.isreg():
            raise BadArchive(f"{file} is not a backup of centralka: give a file that `backup` has written")
        return _header(file, _text(tar, member, file))


def unpack(file: Path, folder: Path) -> str:
    """Writes every file of the archive into `folder`, each mode 0600 and checked; a digest of all of it.

    Raises `BadArchive` where something is missing, spoilt or not ours; what is in `folder` then is good for
    nothing.
    """
    found: dict[str, str] = {}
    expected: str | None = None
    with _opened(file) as tar:
        for member in tar:
            if expected is not None or not member.isreg() or not _is_plain(member.name):
                raise BadArchive(
                    f"{file} holds {member.name[:100]!r}, which no backup of centralka has there: use another"
                )
            if member.name == CHECKSUMS:
                expected = _text(tar, member, file).decode("utf-8", "replace")
            elif member.name in found:
                raise BadArchive(f"{file} holds {member.name[:100]!r} twice: use another backup")
            else:
                found[member.name] = _extract(tar, member, folder / member.name)
    if expected is None:
        raise BadArchive(f"{file} was cut off: its end, {CHECKSUMS}, is missing; use another backup")
    actual = "".join(sorted(f"{digest}  {name}\n" for name, digest in found.items()))
    if actual != expected:
        spoilt = sorted(set(expected.splitlines()) ^ set(actual.splitlines()))
        names = sorted({line.partition("  ")[2] for line in spoilt})
        raise BadArchive(f"{file} is spoilt ({', '.join(names[:5])}): use another backup")
    return hashlib.sha256(actual.encode("utf-8")).hexdigest()


def _header(file: Path, data: bytes) -> Header:
    try:
        header = Header.model_validate_json(data)
    except ValidationError as error:
        raise BadArchive(f"{file} is not a backup of centralka, or it is spoilt: use another") from error
    if header.format > _FORMAT:
        raise BadArchive(f"{file} was made by a newer version of centralka: restore it with that version")
    return header


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise BadArchive(
            f"{file} is not a backup of centralka, or it was cut off ({error}): use another"
        ) from error
    except OSError as error:
        raise BadArchive(f"can't unpack {file}: {error.strerror or error}") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    """Writes one file, to the disk for sure; its checksum."""
    digest = hashlib.sha256()
    make_private(target.parent)
    opened = tar.extractfile(member)
    assert opened is not None  # noqa: S101 - it is a regular file
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        while data := opened.read(_CHUNK):
            digest.update(data)
            written.write(data)
        written.flush()
        os.fsync(written.fileno())
    os.utime(target, (member.mtime, member.mtime))
    return digest.hexdigest()


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> bytes:
    opened = tar.extractfile(member)
    if opened is None or member.size > _LONGEST_TEXT:
        raise BadArchive(f"{file} is not a backup of centralka: give a file that `backup` has written")
    return opened.read()


def _is_plain(name: str) -> bool:
    """Whether `name` leads to a place inside the directory that it is unpacked into, and is one line."""
    path = PurePosixPath(name)
    return (
        name == str(path)
        and name.isprintable()
        and not path.is_absolute()
        and not {"..", "."} & set(path.parts)
    )
