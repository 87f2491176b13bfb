"""What the server has acknowledged is there after kill -9: what phones brought, and what they reported."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from sqlalchemy import select

from db.schema import PhoneEventRow
from phone_templates.yealink.backups import Backup
from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import list_uploads, show_upload
from sip.transport.flow import Address
from tests.provisioner.web.asking import T23G, T46S, T54W, ask, service_of

COMMAND = Path(sys.executable).with_name("centralka")
ROUNDS = 50 if os.environ.get("CENTRALKA_PROVE") else 2


@asynccontextmanager
async def killed(
    data_dir: Path, database_url: str, sip: str = "127.0.0.1:0"
) -> AsyncIterator[tuple[Running, Callable[[], None]]]:
    """A server in a process of its own, and what kills it. `sip` is where phones find it."""
    config = data_dir / "centralka.toml"
    config.write_text(f'[database]\nurl = "{database_url}"\n', encoding="utf-8")
    listen = ("--provisioning", "127.0.0.1:0", "--portal", "127.0.0.1:0", "--sip", sip)
    process = await asyncio.create_subprocess_exec(
        COMMAND, "serve", "--data-dir", data_dir, "--config", config, *listen, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        lines = {}
        while "portal" not in lines:
            name, _, url = (await process.stdout.readline()).decode().strip().partition(": ")
            assert url, "the server ended"
            lines[name] = url.rstrip("/")
        host, _, port = lines["sip"].rpartition(" ")[2].rpartition(":")
        yield Running(lines["portal"], lines["provisioning"], Address(host, int(port))), process.kill
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Phones:
    """Three phones that go on until their server is killed, and count what it has acknowledged."""

    def __init__(self, services: dict[str, str]) -> None:
        self.services = services
        self.brought = 0
        "The newest version of the T46S's changes."
        self.reported = 0
        "Events of the two others."

    async def go_on(self, server: Running, kill: Callable[[], None], reports: int) -> None:
        """Kills the server after so many reports: what is brought, and another report, are under way then."""
        self._left = reports
        self._kill = kill
        ended = await asyncio.gather(
            self._bring(server),
            self._report(server, T23G),
            self._report(server, T54W),
            return_exceptions=True,
        )
        assert all(isinstance(each, aiohttp.ClientError | OSError) for each in ended), ended

    async def _bring(self, server: Running) -> None:
        while True:
            content = changes(self.brought + 1).encode()
            path = f"/{self.services[T46S]}/{T46S}-local.cfg"
            assert (await ask(server, path, method="PUT", data=content)).status == 200
            self.brought += 1

    async def _report(self, server: Running, mac: str) -> None:
        while True:
            assert (await ask(server, f"/{self.services[mac]}/action/hold")).status == 200
            self.reported += 1
            self._left -= 1
            if self._left == 0:
                self._kill()


def changes(number: int) -> str:
    """What the T46S brings for the Nth time."""
    return f"linekey.1.label = {number}\n"


async def test_nothing_that_was_acknowledged_is_lost(sample: Installation, database_url: str):
    phones = Phones({mac: await service_of(sample, mac) for mac in (T46S, T23G, T54W)})
    for turn in range(ROUNDS):
        async with killed(sample.data_dir, database_url) as (server, kill):
            await phones.go_on(server, kill, 3 + turn % 10)
        # What was stored may not have been acknowledged any more.
        versions = await list_uploads(sample, MacAddress(T46S), Backup.LOCAL)
        newest = versions[0].version if versions else 0
        assert newest in (phones.brought, phones.brought + 1)
        if versions:
            assert await show_upload(sample, MacAddress(T46S), Backup.LOCAL) == changes(newest)
        async with sample.database.read() as session:
            kept = len((await session.scalars(select(PhoneEventRow.id))).all())
        assert phones.reported <= kept <= phones.reported + 2
        phones.brought, phones.reported = newest, kept
