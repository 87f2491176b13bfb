"""Rule 2: nobody who asks after the success of a change gets the old file, from any process."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db.changes import touch
from db.schema import DeviceFileRow, DeviceRow, RevisionRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations import claims
from provisioner.operations.installation import Installation
from provisioner.phones.render import DeviceFile
from tests.provisioner.operations.small import DESK, ONE, line, phone, put
from tests.provisioner.processes import Server, connections, served
from tests.provisioner.web.asking import ask
from tests.provisioner.web.readers import Floor, fetch

CHANGES, APPLIED = (10_000, 20) if os.environ.get("CENTRALKA_PROVE") else (40, 2)
"How many changes are made; every so manieth by applying a file, which costs the most."
FILE = DeviceFile.MAC
NUMBER = re.compile(r"Nr \d+")
ROOT = Path(__file__).parents[3]


def numbered(number: int) -> dict[str, Any]:
    """A company with one phone, in whose file the number stands."""
    return {
        "login": "firma",
        "name": "Firma",
        "lines": [line(ONE)],
        "extensions": [{"number": "101", "line": ONE, "name": f"Nr {number}"}],
        "devices": [phone(DESK, "T46S", ONE)],
    }


async def change(installation: Installation, number: int) -> None:
    """Puts the number into the file, by `apply` or by what every operation ends with."""
    if number % APPLIED == 0:
        plan = await put(installation, numbered(number))
        assert plan.files
        return
    async with installation.database.change() as session:
        file = await session.scalar(
            select(DeviceFileRow).join(DeviceRow).where(DeviceRow.mac == DESK.hex, DeviceFileRow.name == FILE)
        )
        assert file is not None
        revision = await session.get(RevisionRow, file.current_revision_id)
        assert revision is not None
        revision.content = NUMBER.sub(f"Nr {number}", revision.content)
        revision.digest = hashlib.sha256(revision.content.encode()).hexdigest()
        touch(session, f"device:{file.device_id}")


async def own_path(installation: Installation, server: Server) -> str:
    """Where the phone finds its file once it has been claimed and has booted twice."""
    await claims.claim(installation, DESK, COMMAND_LINE)
    first = await ask(server, f"/{DESK.hex}.cfg")
    found = re.search(r"server\.url = \S+/([0-9a-f]{32})/?$", first.body.decode(), re.MULTILINE)
    assert found is not None
    path = f"/{found[1]}/{DESK.hex}.cfg"
    assert (await ask(server, path)).status == 200
    return path


@contextmanager
def readers(server: Server, path: str, floor: Path) -> Iterator[dict[str, Any]]:
    """Readers in a process of their own meanwhile; what they saw is there at the end."""
    said: dict[str, Any] = {}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.provisioner.web.readers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    orders = {"address": server.address, "processes": server.workers(), "path": path, "floor": str(floor)}
    try:
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "reading\n"
        yield said
        out, _ = process.communicate()
        said.update(json.loads(out))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def test_no_reader_that_begins_after_the_success_of_a_change_sees_the_old_file(
    installation: Installation, database_url: str, tmp_path: Path, record_property: pytest.RecordProperty
):
    await put(installation, numbered(0))
    file = tmp_path / "floor"
    file.write_bytes(bytes(Floor.SIZE))
    floor = Floor(file)
    async with served(tmp_path, database_url, "--workers", "2") as server:
        path = await own_path(installation, server)
        workers = server.workers()
        assert len(workers) == 2
        ours = [each for (each,) in connections(server.address, workers).values()]
        with readers(server, path, file) as seen:
            number = 0
            # However busy the machine is, there are changes until the others have read often enough.
            while number < CHANGES or (floor.reads <= CHANGES and number < 20 * CHANGES):
                number += 1
                await change(installation, number)
                floor.number = number
                # The moment after the success, at each worker; nothing newer is there either.
                assert [fetch(connection, path) for connection in ours] == [number, number]
        assert server.workers() == workers
    assert (seen["stale"], seen["failed"]) == ([], [])
    assert len(seen["reads"]) == 2
    assert min(seen["reads"]) > CHANGES
    record_property("reads of each process", seen["reads"])
