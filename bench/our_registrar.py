"""Centralka as a registrar, with as many phones as wanted."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import servers
import stock
from registrars import HOST, Registrar, free_port

from provisioner.centrex.mac import MacAddress
from provisioner.operations.device_files import render_device
from provisioner.operations.installation import opened
from provisioner.settings import read_settings


@contextmanager
def our_registrar(folder: Path, phones: int, config: str = "") -> Iterator[Registrar]:
    """Our server as it comes, on SQLite; `config` is what its configuration file says beside."""
    folder.mkdir(parents=True)
    data, port = folder / "data", free_port()
    asyncio.run(stock.make(data, phones))
    text = f'[listen]\nsip = "{HOST}:{port}"\n{stock.PUBLIC}{config}'
    password = asyncio.run(_password(data))
    with servers.centralka(data, text) as server:
        yield Registrar("Centralka, durable", port, password, server.pids, portal=server.portal)


async def _password(data_dir: Path) -> str:
    """Of all phones: each is a copy of the first."""
    config = data_dir.parent / "stock.toml"
    async with opened(data_dir, read_settings(config)) as installation:
        file = await render_device(installation, MacAddress.parse(f"{stock.FIRST_MAC:012x}"))
    found = re.search(r"^account\.1\.password = (\S+)$", file, re.MULTILINE)
    assert found is not None
    return found[1]


def stored(folder: Path) -> int:
    """The bindings that the database has."""
    with sqlite3.connect(f"file:{folder}/data/centralka.db?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM registrations").fetchone()[0])
