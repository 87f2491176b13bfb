"""The disk fills up under a server on SQLite: it goes on reading, refuses to write, and heals by itself."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from db.schema import ProvisioningRequestRow
from provisioner.app import serving
from provisioner.operations.installation import KEY_FILE, Installation
from tests.copies import COMMAND, config_file, contents
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.processes import Server, served
from tests.provisioner.web.asking import T23G, T46S, T54W, claim, service_of, settled, token_of
from tests.small_disk import SmallDisk, small_disk

UNAVAILABLE = (503, "60", b"Try again later.\n")
CHANGES = b"linekey.1.label = 1\n"
READ = 100
SAID = SAMPLE.read_text(encoding="utf-8")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
async def site(sample: Installation) -> Installation:
    """The sample company: two phones with their own addresses, and one in its window."""
    async with serving(sample, lambda _: None) as server:
        for mac in (T46S, T23G):
            await settled(sample, server, mac)
    await claim(sample, T54W)
    return sample


def asked(
    server: Server, path: str, method: str = "GET", body: bytes | None = None
) -> tuple[int, str | None, bytes]:
    connection = HTTPConnection(*server.address)
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.getheader("Retry-After"), response.read()


def health(server: Server) -> tuple[int, str]:
    host, _, port = server.portal_url.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port))
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    return response.status, response.read().decode()


TRUNCATE = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1])
# The server may be at it.
while database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
    time.sleep(0.01)
"""


def fill(disk: SmallDisk) -> None:
    """Leaves the database no room at all, also none in the file that takes its next changes."""
    program = (sys.executable, "-c", TRUNCATE, disk.folder / "centralka.db")
    while True:
        subprocess.run([*disk.within, *program], check=True)
        disk.fill()
        # What the server has written in between would be room for the next change, once it was moved.
        if not (disk.seen / "centralka.db-wal").stat().st_size:
            return
        disk.make_room()


def copied(disk: SmallDisk, folder: Path) -> dict[str, list[Any]]:
    """Everything in the database, which has to be whole."""
    folder.mkdir()
    for each in disk.seen.glob("centralka.db*"):
        if not each.name.endswith("-shm"):
            shutil.copyfile(each, folder / each.name)
    with sqlite3.connect(folder / "centralka.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    return contents(f"sqlite:///{folder / 'centralka.db'}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_stops_what_has_to_be_kept_and_nothing_else(
    site: Installation, disk: SmallDisk, tmp_path: Path
):
    own, other = [f"/{await token_of(site, mac)}/{mac}.cfg" for mac in (T46S, T23G)]
    service = f"/{await service_of(site, T46S)}"
    await site.database.close()
    for name in ("centralka.db", KEY_FILE):
        shutil.copy(tmp_path / name, disk.seen)
    url = f"sqlite:///{disk.folder / 'centralka.db'}"
    file = tmp_path / "changed.yaml"
    file.write_text(SAID.replace("Dział sprzedaży", "Handel"), encoding="utf-8")
    options = ("--data-dir", disk.folder, "--config", config_file(tmp_path, url))

    def apply() -> subprocess.CompletedProcess[str]:
        command = [*disk.within, COMMAND, "apply", file, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    where = ("--data-dir", str(disk.folder))
    async with served(tmp_path, url, *where, within=disk.within) as server:
        kept = asked(server, own)
        assert kept[0] == 200
        fill(disk)
        before = copied(disk, tmp_path / "before")

        for _ in range(READ):
            assert asked(server, own) == kept
        assert asked(server, other)[0] == 200
        assert asked(server, "/y000000000066.cfg")[0] == 200
        assert asked(server, f"/{T54W}.cfg") == UNAVAILABLE
        assert asked(server, f"{service}/action/hold") == UNAVAILABLE
        assert asked(server, f"{service}/{T46S}-local.cfg", "PUT", CHANGES) == UNAVAILABLE
        assert health(server) == (503, "the disk that holds the database is full: make room on it\n")
        refused = apply()
        assert refused.returncode == 1
        assert "is full: make room on it and try again; nothing was changed" in refused.stderr
        assert copied(disk, tmp_path / "full") == before

        disk.make_room()
        assert health(server)[0] == 200
        assert asked(server, f"/{T54W}.cfg")[0] == 200
        assert asked(server, f"{service}/action/hold")[0] == 200
        assert asked(server, f"{service}/{T46S}-local.cfg", "PUT", CHANGES)[0] == 200
        done = apply()
        assert done.returncode == 0, done.stderr
        assert b"Handel" in asked(server, own)[2]
    # What was only read meanwhile is written down all the same.
    table = ProvisioningRequestRow.__tablename__
    assert len(copied(disk, tmp_path / "after")[table]) >= len(before[table]) + READ + 2
