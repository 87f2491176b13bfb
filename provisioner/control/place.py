"""Where the socket is, and names for it that fit into an address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET = "control.sock"
LOCK = "control.lock"
"Held by the server for as long as it lives; the system lets go of it for whoever is killed."


@contextmanager
def short_path(data_dir: Path) -> Iterator[str]:
    """The socket's path while the context lasts, however long that of the directory is.

    An address has room for 107 bytes (unix(7)), and a data directory may lie deeper than that. Raises
    `OSError` where there is no such directory.
    """
    directory = os.open(data_dir, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{SOCKET}"
    finally:
        os.close(directory)
