"""A disk that can be filled up: a file system in memory, where nobody else sees it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o size=48m,mode=0700 centralka "$1" && echo ready && { cat; umount "$1"; }'
"Ends with its standard input."
_CHUNK = 1 << 16


@dataclass(frozen=True)
class SmallDisk:
    """Where it is."""

    folder: Path
    "As programs that run within see it."
    seen: Path
    "The same folder, for whoever is not within; SQLite would follow the link, and find another folder."
    within: tuple[str, ...]
    "What a command begins with that runs within."

    def fill(self) -> None:
        """Takes all the room that is left."""
        descriptor = os.open(self._ballast, os.O_CREAT | os.O_WRONLY)
        try:
            while True:
                os.write(descriptor, bytes(_CHUNK))
        except OSError:
            pass
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        """Gives it back."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.seen / "ballast"


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A disk mounted on `folder`, by any user that may have name spaces of their own, or by root.

    Without either the test is skipped, but fails where `CI` is set.
    """
    folder.mkdir()
    for alone in (("unshare", "-rm"), ()):
        with subprocess.Popen(
            [*alone, "sh", "-c", _MOUNT, "sh", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            if holder.stdout.readline() != b"ready\n":
                continue
            try:
                enter = ("nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials")
                seen = Path(f"/proc/{holder.pid}/root{folder}")
                yield SmallDisk(folder, seen, enter if alone else ())
            finally:
                holder.stdin.close()
                holder.wait()
            return
    missing = "no small disk: neither `unshare -rm` nor `mount` is allowed"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)
