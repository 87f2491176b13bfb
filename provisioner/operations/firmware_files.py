"""The bytes of firmware files on the disk: copied in, looked at, put in their place, taken away."""

from __future__ import annotations

import codecs
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provisioner.centrex.errors import BadValue
from provisioner.operations.drafts import CantWrite, sync_directory

MIB = 1024 * 1024
_LOOKED_AT = 4096
"Bytes of the beginning that tell a text."
_TEXT_CONTROLS = frozenset(b"\t\n\f\r")


class BadFirmwareFile(BadValue):
    """A file that no phone can want."""

    code = "bad-firmware-file"


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes of a file, on the disk for sure."""

    path: Path
    size: int
    sha256: str


def copied(source: Path, target: Path, limit: int) -> Copy:
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
    return Copy(target, size, digest)


def _pour(reading: BinaryIO, writing: BinaryIO, source: Path, limit: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while block := reading.read(MIB):
        if size == 0:
            _refuse_text(source, block[:_LOOKED_AT])
        size += len(block)
        if size > limit:
            raise BadFirmwareFile(
                f"{source} is larger than {limit // MIB} MiB: that is no phone's firmware, or raise"
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


def sum_of(file: Path) -> str | None:
    """The SHA-256 of a file, hex; None where there is none."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CantWrite(f"can't read {file}: {error.strerror}") from error


def publish(file: Path, target: Path) -> None:
    try:
        file.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise CantWrite(f"can't make {target}: {error.strerror or error}") from error


def unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
        sync_directory(file.parent)
    except OSError as error:
        raise CantWrite(f"can't remove {file}: {error.strerror}; no phone gets it any more") from error
