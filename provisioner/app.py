"""The wiring: what listens, what runs beside it, and when all of it is ready."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from aiohttp import web

from db.errors import StorageError
from db.freshness import watching
from db.schema import InstanceRow
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.errors import CentralkaError
from provisioner.operations import audit
from provisioner.operations.addresses import listened_on, store_addresses
from provisioner.operations.context import all_customers, surroundings
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.kept_answers import KeptAnswers
from provisioner.operations.requests import RequestLog
from provisioner.operations.revisions import Cause, refresh_customer, refresh_models
from provisioner.settings import split_address
from provisioner.store.vendors import load_vendor
from provisioner.web.autoprovision.handler import autoprovision_app
from provisioner.web.log import server_logger
from provisioner.web.portal.health import Health, portal_app

logger = logging.getLogger(__name__)

Say = Callable[[str], None]
_WRITTEN_BY = "written_by"
"Which templates wrote the files that phones have."
_SHUTDOWN_S = 3


class CantListen(CentralkaError):
    """An address that can't be listened on."""

    code = "cant-listen"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server that is up can be reached; its ports are known now."""

    portal_url: str
    provisioning_url: str


@asynccontextmanager
async def serving(installation: Installation, say: Say) -> AsyncIterator[Running]:
    """The server, up while the context lasts. Says one line for each listener that is ready.

    Raises `CantListen` where an address is taken.
    """
    listen = installation.settings.listen
    log = RequestLog(installation)
    health = Health(lambda: _answers(installation), {"portal", "provisioning"})
    limit = installation.settings.memory.files_mib * 2**20
    async with watching(installation.database) as watcher, asyncio.TaskGroup() as tasks:
        kept = KeptAnswers(watcher, limit)
        tasks.create_task(log.run(), name="request log")
        try:
            async with (
                _listening(autoprovision_app(installation, log, kept), listen.provisioning) as provisioning,
                _listening(portal_app(health), listen.portal) as portal,
            ):
                await publish(installation, provisioning)
                health.waiting_for.clear()
                say(f"provisioning: http://{provisioning}/")
                say(f"portal: http://{portal}/")
                for name, address in (("provisioning-tls", listen.provisioning_tls), ("sips", listen.sips)):
                    if address is not None:
                        say(f"{name}: {address} is noted, but this version does not listen there yet")
                yield Running(f"http://{portal}", f"http://{provisioning}")
        finally:
            await log.close()


async def publish(installation: Installation, provisioning: str) -> None:
    """Stores what `serve` listens on and writes the files anew if phones are told something else by it."""
    listen, now = installation.settings.listen, utc_now()
    async with installation.database.change() as session:
        listened = listened_on(provisioning, listen.sip)
        moved = await store_addresses(session, listened, installation.settings.public)
        fingerprint = template_fingerprint()
        written_by = await session.get(InstanceRow, _WRITTEN_BY)
        if written_by is None:
            written_by = InstanceRow(key=_WRITTEN_BY, value="")
            session.add(written_by)
        if not moved and written_by.value == fingerprint:
            return
        text = "serve listens elsewhere" if moved else "this version writes files differently"
        written_by.value = fingerprint
        entry = await audit.record(session, SYSTEM, now, "serve", "files", text)
        cause = Cause(SYSTEM, text, now, entry.id)
        await refresh_models(session, await load_vendor(session, installation.vault), cause)
        async for stored in all_customers(session, installation):
            around = await surroundings(session, installation, stored)
            await refresh_customer(session, stored, around, cause)


def template_fingerprint() -> str:
    """What tells two versions apart that write files differently: a digest of all that writes them."""
    digest = hashlib.sha256()
    for package in ("phone_templates", "provisioner.phones", "provisioner.centrex"):
        for name, data in sorted(_contents(files(package), package)):
            digest.update(name.encode("utf-8") + b"\0" + data)
    return digest.hexdigest()


def _contents(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            found += _contents(item, f"{path}/{item.name}")
        elif item.is_file():
            found.append((f"{path}/{item.name}", item.read_bytes()))
    return found


@asynccontextmanager
async def _listening(app: web.Application, address: str) -> AsyncIterator[str]:
    """`app` on `address`; gives HOST:PORT with the port that it got.

    Paths hold tokens, so there is no access log.
    """
    host, port = split_address(address)
    runner = web.AppRunner(
        app, access_log=None, logger=server_logger, handle_signals=False, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise CantListen(
                f"can't listen on {address}: {error.strerror or error};"
                " choose another address or stop what is there"
            ) from error
        bound: Any = runner.addresses[0]
        shown = f"[{host}]" if ":" in host else host
        yield f"{shown}:{bound[1]}"
    finally:
        await runner.cleanup()


async def _answers(installation: Installation) -> bool:
    try:
        async with installation.database.read() as session:
            await session.get(InstanceRow, _WRITTEN_BY)
    except StorageError:
        return False
    return True
