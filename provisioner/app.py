"""The wiring: what listens, what runs beside it, and when all of it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import disk_usage
from socket import socket
from typing import cast

from aiohttp import web

from db.errors import StorageError
from db.freshness import watching
from db.warming import warming
from provisioner.control.server import control_socket
from provisioner.operations.counted import Counted
from provisioner.operations.event_tail import event_tail
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.memory import fresh_memory
from provisioner.operations.publishing import WRITTEN_BY, announce, publish
from provisioner.operations.requests import RequestLog
from provisioner.operations.resyncs import catch_up
from provisioner.operations.scan_guard import guarding
from provisioner.pbx.call_verbs import calls_verb
from provisioner.pbx.listening import addresses_verb, bound
from provisioner.pbx.pnp import answering_pnp
from provisioner.pbx.serving import serving_sip
from provisioner.pbx.verbs import registrations_verb
from provisioner.web.api.app import api_app
from provisioner.web.api.events import EventStreams
from provisioner.web.autoprovision.digest import Logins
from provisioner.web.autoprovision.handler import Desk, phones_server
from provisioner.web.call_report.alarm import alarm_of
from provisioner.web.call_report.words import LANGUAGES
from provisioner.web.door import door
from provisioner.web.doorkeeper import Doorkeeper, keeping
from provisioner.web.listeners import CLEAR_TEXT, phone_listeners, sips_certificate
from provisioner.web.metrics import add_metrics
from provisioner.web.portal.app import add_pages
from provisioner.web.portal.health import Health, portal_app
from provisioner.web.sockets import bind, bound_address
from provisioner.web.tls import watched
from provisioner.workers import worker_names, working
from sip.pnp import GROUP as PNP_GROUP
from sip.transport.flow import Address, Transport

_FULL = 8 << 20
"Less than so many bytes may be too little for the next change."

Say = Callable[[str], None]
Settled = Callable[[], Awaitable[None]]


async def _at_once() -> None:
    """Nothing is remembered in this process."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server that is up can be reached; its ports are known now."""

    portal_url: str
    provisioning_url: str
    sip: Address
    "Of UDP and TCP."
    settled: Settled = _at_once
    "Returns when what this process remembers of the requests so far is stored, behind their answers."


@asynccontextmanager
async def serving(installation: Installation, say: Say) -> AsyncIterator[Running]:
    """The server, up while the context lasts. Says one line for each listener when all is ready.

    Where this version writes files otherwise, those of all phones are written beforehand, while phones are
    served, register and call; they are told of it when that is over.

    With `[listen] workers` above one, phones are served by as many processes, and the rest by this one.
    Raises `CantListen` where an address is taken.
    """
    settings = installation.settings
    listen = settings.listen
    listeners = phone_listeners(settings)
    for each in listeners:
        # What can't be used is said before anything is up, and here, whichever process serves with it.
        each.certificate(settings)
    certificate = sips_certificate(settings) if listen.sips is not None else None
    options = ["portal", *(each.option for each in listeners), "sip"]
    options += ["sips"] if listen.sips is not None else []
    options += ["pnp"] if listen.pnp else []
    names = worker_names(listen.workers) if listen.workers > 1 else []
    health = Health(lambda: _database_fault(installation), [*options, *names], {*options, *names})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(warming(installation.database.url))
        control = await stack.enter_async_context(control_socket(installation.data_dir))
        keeper = await stack.enter_async_context(keeping(settings.limits))
        sockets = {each.name: stack.enter_context(bind(each.address)) for each in listeners}
        where = {each.name: bound_address(each.address, sockets[each.name]) for each in listeners}
        tail = await stack.enter_async_context(event_tail(installation.database))
        control.on("registrations", registrations_verb(installation, tail))
        control.on("calls", calls_verb(installation, tail))
        switchboard = Switchboard()
        api = api_app(installation, EventStreams(tail), switchboard)
        portal_pages = portal_app(health, api)
        add_pages(portal_pages, installation, tail, switchboard)
        counted = Counted()
        add_metrics(portal_pages, installation, counted)
        pages = await stack.enter_async_context(_served(portal_pages))
        listening = stack.enter_context(bind(listen.portal))
        sip_listeners = stack.enter_context(bound(listen))
        await stack.enter_async_context(door(listening, pages, keeper))
        # Before this door shuts, which waits for what is under way.
        stack.callback(tail.close)
        portal = bound_address(listen.portal, listening)
        settled: Settled = _at_once
        if listen.workers == 1:
            settled = await stack.enter_async_context(serving_phones(installation, sockets, keeper))
        else:
            workers = working(
                listen.workers, installation.data_dir, settings, sockets, health.waiting_for
            )
            await stack.enter_async_context(workers)
        sip_address = sip_listeners[0].local
        doors = {each.option: f"{each.scheme}://{where[each.name]}" for each in listeners}
        control.on("addresses", addresses_verb(doors, sip_listeners))
        await announce(installation, where[CLEAR_TEXT], str(sip_address))
        if certificate is not None:
            await stack.enter_async_context(watched([certificate]))
        context = None if certificate is None else lambda: certificate.context
        written = asyncio.Event()
        await stack.enter_async_context(
            serving_sip(
                installation,
                sip_listeners,
                context,
                control,
                counted,
                switchboard,
                partial(alarm_of, words=LANGUAGES[settings.test_calls.language]),
                written,
            )
        )
        hearing: list[str] = []
        if listen.pnp:
            datagrams = [each.socket for each in sip_listeners if each.transport is Transport.UDP]
            hearing = await stack.enter_async_context(answering_pnp(installation, datagrams))
        health.waiting_for.difference_update(options)
        # Beside phones that register and call: after an update it takes as long as there are phones.
        await publish(installation)
        await catch_up(installation)
        written.set()
        for each in listeners:
            say(f"{each.option}: {doors[each.option]}/")
        for transport, local in ((each.transport, each.local) for each in sip_listeners):
            say(f"{'sips' if transport is Transport.TLS else 'sip'}: {transport} {local}")
        if hearing:
            say(f"pnp: {PNP_GROUP} on {', '.join(hearing)}")
        say(f"portal: http://{portal}/")
        yield Running(f"http://{portal}", f"http://{where[CLEAR_TEXT]}", sip_address, settled)


@asynccontextmanager
async def serving_phones(
    installation: Installation, sockets: Mapping[str, socket], keeper: Doorkeeper
) -> AsyncIterator[Settled]:
    """What answers phones at these sockets, up while the context lasts: in the only process, or in a worker.

    The sockets go by the names that their listeners have in `[listen]`.
    """
    settings = installation.settings
    certificates = {each.name: each.certificate(settings) for each in phone_listeners(settings)}
    limit = settings.memory.files_mib * 2**20
    async with (
        guarding(installation) as guard,
        watching(installation.database) as watcher,
        watched([each for each in certificates.values() if each is not None]),
        asyncio.TaskGroup() as tasks,
    ):
        log = RequestLog(installation, guard)
        # One memory for all doors: a watcher tells each piece of news once.
        memory = fresh_memory(installation, watcher, limit, guard)
        phones = phones_server(Desk(installation, log, memory, Logins(installation)))
        tasks.create_task(log.run(), name="request log")
        try:
            async with AsyncExitStack() as stack:
                for name, listening in sockets.items():
                    opened = door(listening, phones, keeper, certificates[name])
                    await stack.enter_async_context(opened)
                yield log.settled
        finally:
            await log.close()


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


async def _database_fault(installation: Installation) -> str | None:
    try:
        # Not by a session: this look ends soon even where the database hangs.
        await installation.database.rows("SELECT value FROM instance WHERE key = :key", key=WRITTEN_BY)
    except StorageError:
        return "the database does not answer"
    url = installation.database.url
    if url.drivername == "sqlite" and disk_usage(Path(url.database or "").parent).free < _FULL:
        return "the disk that holds the database is full: make room on it"
    return None
