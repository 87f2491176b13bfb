"""Who makes runs of test calls in a server: a name of its own, and what its predecessor has left.

There is one server to a data directory at a time, which its lock sees to. So whoever made runs here before
makes them no more, and need not be waited for until its leases have lapsed, as with the server of another
directory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from pathlib import Path

from db.queries.proof_runs import let_go_of_all
from provisioner.operations.installation import Installation

logger = logging.getLogger(__name__)

_FILE = "test-runs.owner"


async def run_owner(installation: Installation) -> str:
    """The name of this server's, new at each start. The runs that its predecessor was killed at wait again.

    Raises `StorageError`.
    """
    file, owner = installation.data_dir / _FILE, uuid.uuid4().hex
    before = await asyncio.to_thread(_read, file)
    if before:
        async with installation.database.append() as session:
            left = await let_go_of_all(session, before)
        if left:
            logger.warning("test calls were cut off when the server was killed, and go on runs=%s", left)
    try:
        await asyncio.to_thread(_write, file, owner)
    except OSError as error:
        # Its runs are taken up all the same, when their leases have lapsed.
        logger.warning("who makes test calls here can't be noted file=%s error=%s", file, error)
    return owner


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(file: Path, owner: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(owner)
