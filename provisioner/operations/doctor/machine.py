"""What the machine gives us: a private directory, room on the disk, a clock that is right."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db.errors import StorageError
from db.vault import Vault
from provisioner.operations.doctor.check import Check, failure, ok, some, warning
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, database_file
from provisioner.settings import Settings

_LITTLE_ROOM = 1 << 30
_NO_ROOM = 100 << 20
_MADE_IN = 2026
"The year in which this was written: no clock that is right shows an earlier one."
_LEEWAY = timedelta(minutes=2)
"What two clocks may differ by, such as ours and a file server's."


def check_modes(data_dir: Path, settings: Settings) -> Iterator[Check]:
    """Whether the data directory and what matters in it are this user's alone."""
    file = database_file(data_dir, settings)
    paths = [data_dir, data_dir / KEY_FILE, data_dir / FIRMWARE_DIR, data_dir / MEDIA_DIR]
    open_to_others, others = [], []
    for path in [*paths, file] if file else paths:
        if path is None or not path.exists():
            continue
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & 0o077 and path.name not in (FIRMWARE_DIR, MEDIA_DIR):
            open_to_others.append(str(path))
        if found.st_uid != os.geteuid():
            others.append(str(path))
    if open_to_others:
        yield failure(
            "data-directory",
            f"other users of this machine may open {some(open_to_others)}",
            f"chmod go= {' '.join(open_to_others)}",
        )
    if others:
        yield warning(
            "data-directory",
            f"{some(others)} belongs to another user",
            "run the server and this command as the same user, and give that user the files (chown)",
        )
    if not open_to_others and not others:
        yield ok("data-directory", f"{data_dir} is this user's alone")


def check_key(data_dir: Path) -> Iterator[Check]:
    """Whether the key file can be used."""
    try:
        Vault.load(data_dir / KEY_FILE)
    except StorageError as error:
        yield failure("key", str(error), f"put {KEY_FILE} back from a backup")
    else:
        yield ok("key", f"{data_dir / KEY_FILE} can be read")


def check_disk(data_dir: Path, settings: Settings) -> Iterator[Check]:
    """Whether there is room to write."""
    file = database_file(data_dir, settings)
    for folder in dict.fromkeys([data_dir, file.parent] if file else [data_dir]):
        if not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free
        said = f"{free / (1 << 30):.1f} GiB are free in {folder}"
        if free < _NO_ROOM:
            yield failure("disk", said, "make room now: nothing can be changed on a full disk")
        elif free < _LITTLE_ROOM:
            yield warning("disk", said, "make room, or give it a larger disk")
        else:
            yield ok("disk", said)


def check_clock(data_dir: Path, settings: Settings, now: datetime) -> Iterator[Check]:
    """Whether the clock can be right, by the times of our own files."""
    advice = "set the clock, and let it be kept right (timedatectl set-ntp true): claims end by it"
    if now.year < _MADE_IN:
        yield failure("clock", f"the clock says {now:%Y-%m-%d}, which is long past", advice)
        return
    file = database_file(data_dir, settings)
    journal = file.with_name(f"{file.name}-wal") if file else None
    for path in (data_dir / KEY_FILE, file, journal):
        if path is None or not path.exists():
            continue
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if written > now + _LEEWAY:
            yield failure(
                "clock",
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, but {path} was written at"
                f" {written:%Y-%m-%d %H:%M}: it was set back",
                advice,
            )
            return
    yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, later than all that was written")
