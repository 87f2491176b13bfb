"""The wiring: what listens, what runs beside it, and when all of it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Final, cast

from aiohttp import web

from db.errors import StorageError
from db.freshness import watching
from db.schema import InstanceRow
from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation
from provisioner.operations.memory import fresh_memory
from provisioner.operations.publishing import WRITTEN_BY, publish
from provisioner.operations.requests import RequestLog
from provisioner.settings import Listen
from provisioner.web.autoprovision.handler import Desk, phones_server
from provisioner.web.door import door
from provisioner.web.doorkeeper import Doorkeeper, keeping
from provisioner.web.portal.health import Health, portal_app
from provisioner.web.sockets import bind, bound_address
from provisioner.web.tls import Certificate, watched
from provisioner.workers import working

Say = Callable[[str], None]
Settled = Callable[[], Awaitable[None]]

CLEAR_TEXT: Final = "provisioning"


async def _at_once() -> None:
    """Nothing is remembered in this process."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server that is up can be reached; its ports are known now."""

    portal_url: str
    provisioning_url: str
    settled: Settled = _at_once
    "Returns when what this process remembers of the requests so far is stored, behind their answers."


@asynccontextmanager
async def serving(installation: Installation, say: Say) -> AsyncIterator[Running]:
    """The server, up while the context lasts. Says one line for each listener that is ready.

    With `[listen] workers` above one, phones are served by as many processes, and the rest by this one.
    Raises `CantListen` where an address is taken.
    """
    settings = installation.settings
    listen = settings.listen
    # Said before anything is up, and here, whichever process serves with it.
    _certificate(installation)
    health = Health(lambda: _answers(installation), {"portal", "provisioning"})
    async with AsyncExitStack() as stack:
        keeper = await stack.enter_async_context(keeping(settings.limits))
        sockets = {name: stack.enter_context(bind(address)) for name, address in _for_phones(listen).items()}
        where = {name: bound_address(getattr(listen, name), each) for name, each in sockets.items()}
        pages = await stack.enter_async_context(_served(portal_app(health)))
        listening = stack.enter_context(bind(listen.portal))
        await stack.enter_async_context(door(listening, pages, keeper))
        portal = bound_address(listen.portal, listening)
        settled: Settled = _at_once
        if listen.workers == 1:
            settled = await stack.enter_async_context(serving_phones(installation, sockets, keeper))
        else:
            workers = working(
                listen.workers, installation.data_dir, settings, sockets, health.waiting_for
            )
            await stack.enter_async_context(workers)
        await publish(installation, where[CLEAR_TEXT])
        health.waiting_for -= {"portal", "provisioning"}
        for name, address in where.items():
            say(f"{name.replace('_', '-')}: {'http' if name == CLEAR_TEXT else 'https'}://{address}/")
        say(f"portal: http://{portal}/")
        if listen.sips is not None:
            say(f"sips: {listen.sips} is noted, but this version does not listen there yet")
        yield Running(f"http://{portal}", f"http://{where[CLEAR_TEXT]}", settled)


@asynccontextmanager
async def serving_phones(
    installation: Installation, sockets: Mapping[str, socket], keeper: Doorkeeper
) -> AsyncIterator[Settled]:
    """What answers phones at these sockets, up while the context lasts: in the only process, or in a worker.

    The sockets go by the names that their listeners have in `[listen]`.
    """
    certificate = _certificate(installation)
    log = RequestLog(installation)
    limit = installation.settings.memory.files_mib * 2**20
    async with (
        watching(installation.database) as watcher,
        watched(certificate),
        asyncio.TaskGroup() as tasks,
    ):
        # One memory for all doors: a watcher tells each piece of news once.
        phones = phones_server(Desk(installation, log, fresh_memory(installation.database, watcher, limit)))
        tasks.create_task(log.run(), name="request log")
        try:
            async with AsyncExitStack() as stack:
                for name, listening in sockets.items():
                    tls = certificate.context if certificate is not None and name != CLEAR_TEXT else None
                    await stack.enter_async_context(door(listening, phones, keeper, tls))
                yield log.settled
        finally:
            await log.close()


def _for_phones(listen: Listen) -> dict[str, str]:
    """Where phones are listened for, by the listener's name in `[listen]`."""
    wanted = {CLEAR_TEXT: listen.provisioning, "provisioning_tls": listen.provisioning_tls}
    return {name: address for name, address in wanted.items() if address is not None}


def _certificate(installation: Installation) -> Certificate | None:
    """The certificate of the TLS listeners; None where there is none of them."""
    if installation.settings.listen.provisioning_tls is None:
        return None
    tls = installation.settings.tls
    if tls.certificate is None or tls.private_key is None:
        raise BadValue("--provisioning-tls needs a certificate: set [tls] certificate and private_key")
    return Certificate(tls.certificate, tls.private_key)


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[web.Server]:
    """The server of an application."""
    runner = web.AppRunner(app, handle_signals=False)
    await runner.setup()
    try:
        # It is there after `setup`.
        yield cast(web.Server, runner.server)
    finally:
        await runner.cleanup()


async def _answers(installation: Installation) -> bool:
    try:
        async with installation.database.read() as session:
            await session.get(InstanceRow, WRITTEN_BY)
    except StorageError:
        return False
    return True
