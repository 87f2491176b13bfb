"""What appears whole or not at all: made under another name, and renamed when it is finished."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provisioner.centrex.errors import CentralkaError

# <fcntl.h> and <linux/fs.h>.
_HERE = -100
_EXCHANGE = 2


class CantWrite(CentralkaError):
    """A file or a directory can't be made where it was wanted."""

    code = "cant-write"


@contextmanager
def drafting(target: Path) -> Iterator[Path]:
    """An empty directory beside `target`, mode 0700, for what shall become `target`; cleared away at the end.

    There is one at a time for each target, and it bears the same name each time: what a killed run left is
    cleared by the next. Raises `CantWrite`, also where another run is at work.
    """
    folder = target.absolute().parent / f".{target.name}.partial"
    try:
        locked = _lock(folder)
    except BlockingIOError as error:
        raise CantWrite(f"another command is just making {target}: wait until it has finished") from error
    except OSError as error:
        raise CantWrite(f"can't write beside {target}: {error.strerror} ({folder})") from error
    try:
        _clear(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(locked)


def make_private(folder: Path) -> None:
    """Makes `folder`, and what is missing above it, each mode 0700."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700)


def sync_directory(folder: Path) -> None:
    """Brings the names in `folder` to the disk for sure."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _lock(folder: Path) -> int:
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The run before may have cleared it away between the two calls.
            if os.fstat(opened).st_ino == folder.stat().st_ino:
                return opened
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def _clear(folder: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def exchange(one: Path, other: Path) -> None:
    """Gives each of two directories the other's name, in one step. Raises `OSError` where that can't be done.

    renameat2(2): Linux has it, Python doesn't; not every file system does it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))
