"""The wiring: what listens, what runs beside it, and when all of it is ready."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from db.errors import StorageError
from db.freshness import watching
from db.schema import InstanceRow
from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation
from provisioner.operations.kept_answers import KeptAnswers
from provisioner.operations.publishing import WRITTEN_BY, publish
from provisioner.operations.requests import RequestLog
from provisioner.web.autoprovision.handler import autoprovision_app
from provisioner.web.door import door
from provisioner.web.doorkeeper import Doorkeeper, keeping
from provisioner.web.portal.health import Health, portal_app
from provisioner.web.sockets import bind, bound_address
from provisioner.web.tls import Certificate, watched

Say = Callable[[str], None]


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
    certificate = _certificate(installation)
    log = RequestLog(installation)
    health = Health(lambda: _answers(installation), {"portal", "provisioning"})
    limit = installation.settings.memory.files_mib * 2**20
    async with (
        watching(installation.database) as watcher,
        watched(certificate),
        keeping(installation.settings.limits) as keeper,
        asyncio.TaskGroup() as tasks,
    ):
        # One memory for all doors: a watcher tells each piece of news once.
        kept = KeptAnswers(watcher, limit)
        tasks.create_task(log.run(), name="request log")
        try:
            async with AsyncExitStack() as stack:
                phones = autoprovision_app(installation, log, kept)
                provisioning = await stack.enter_async_context(
                    _listening(phones, listen.provisioning, keeper)
                )
                lines = [f"provisioning: http://{provisioning}/"]
                if certificate is not None and listen.provisioning_tls is not None:
                    phones = autoprovision_app(installation, log, kept)
                    secure = await stack.enter_async_context(
                        _listening(phones, listen.provisioning_tls, keeper, certificate.context)
                    )
                    lines.append(f"provisioning-tls: https://{secure}/")
                portal = await stack.enter_async_context(
                    _listening(portal_app(health), listen.portal, keeper)
                )
                lines.append(f"portal: http://{portal}/")
                if listen.sips is not None:
                    lines.append(f"sips: {listen.sips} is noted, but this version does not listen there yet")
                await publish(installation, provisioning)
                health.waiting_for.clear()
                for line in lines:
                    say(line)
                yield Running(f"http://{portal}", f"http://{provisioning}")
        finally:
            await log.close()


def _certificate(installation: Installation) -> Certificate | None:
    """The certificate of the TLS listeners; None where there is none of them."""
    if installation.settings.listen.provisioning_tls is None:
        return None
    tls = installation.settings.tls
    if tls.certificate is None or tls.private_key is None:
        raise BadValue("--provisioning-tls needs a certificate: set [tls] certificate and private_key")
    return Certificate(tls.certificate, tls.private_key)


@asynccontextmanager
async def _listening(
    app: web.Application, address: str, keeper: Doorkeeper, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """`app` on `address`; gives HOST:PORT with the port that it got."""
    runner = web.AppRunner(app, handle_signals=False)
    await runner.setup()
    try:
        # It is there after `setup`.
        server = cast(web.Server, runner.server)
        listening = bind(address)
        async with door(listening, server, keeper, tls):
            yield bound_address(address, listening)
    finally:
        await runner.cleanup()


async def _answers(installation: Installation) -> bool:
    try:
        async with installation.database.read() as session:
            await session.get(InstanceRow, WRITTEN_BY)
    except StorageError:
        return False
    return True
