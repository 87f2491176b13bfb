"""The SIP side, up while a context lasts: who takes which requests, and what runs beside that."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from random import SystemRandom, random

from db.freshness import watching
from provisioner.centrex.trial_caller import is_test_line
from provisioner.control.server import Control
from provisioner.operations.addresses import public_addresses
from provisioner.operations.counted import Counted
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.proofs import Proof
from provisioner.operations.run_owner import run_owner
from provisioner.operations.run_service import RunService
from provisioner.pbx import protection
from provisioner.pbx.authentication import Authentication
from provisioner.pbx.ban_verbs import sip_bans_verb
from provisioner.pbx.call_verbs import hang_up_verb
from provisioner.pbx.calls import CallServing
from provisioner.pbx.codes import Codes
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.farewells import Farewells
from provisioner.pbx.guessing import Guessing
from provisioner.pbx.guests import GuestKeys, GuestRegistrar, GuestRouter, Guests
from provisioner.pbx.keys import LineKeys
from provisioner.pbx.live import LiveTests, Watching
from provisioner.pbx.news import News
from provisioner.pbx.parted import Parted
from provisioner.pbx.phones import Phones
from provisioner.pbx.reachability import Reachability
from provisioner.pbx.recorder import Recorder
from provisioner.pbx.registrations import Registrations
from provisioner.pbx.requests import Requests
from provisioner.pbx.resync import Resyncs
from provisioner.pbx.router import ExchangeRouter
from provisioner.pbx.subscriptions import Subscriptions
from provisioner.pbx.telling import Pace
from provisioner.pbx.test_verbs import test_call_verb, test_run_verb
from provisioner.pbx.told_domains import ToldDomains
from provisioner.pbx.twin import Twins
from provisioner.pbx.verbs import resync_verb
from provisioner.settings import Sip
from sip.call.story import Event
from sip.digest_guard import Guard
from sip.location import Location
from sip.nonces import NonceLimits, Nonces
from sip.probing import Probes
from sip.registrar_contact import Limits
from sip.server import SipServer
from sip.transport.flow import Address
from sip.transport.sockets import Listener
from sip.transport.transport import listening

logger = logging.getLogger(__name__)

_NONCES = "sip nonces"
"What the secret of nonces is derived for (`Vault.derived`)."
_AGAIN_S = 1.0
"After which what has broken off begins anew."


@asynccontextmanager
async def serving_sip(
    installation: Installation,
    listeners: Sequence[Listener],
    certificate: Callable[[], ssl.SSLContext] | None,
    control: Control,
    counted: Counted,
    switchboard: Switchboard,
    alarm: Callable[[Proof], str],
    written: asyncio.Event,
) -> AsyncIterator[None]:
    """Takes messages at `listeners`. One process of an installation does so; it alone keeps registrations.

    `alarm`: what to say of a number that was found red, for people. `written`: set when phones may be told of
    changes, those of the start among them.
    """
    settings = installation.settings
    server = SipServer(protection.proven(settings))
    bans = protection.bans(settings.security, server.proven)
    # How often a nonce was used is known to this process alone.
    nonces = Nonces(installation.vault.derived(_NONCES), NonceLimits(elsewhere_s=0))
    location = Location()
    async with (
        watching(installation.database) as watcher,
        asyncio.TaskGroup() as tasks,
    ):
        news = News(watcher)
        keys = LineKeys(installation, news)
        async with installation.database.read() as session:
            public = await public_addresses(session, settings)
        own = {Address(public.sip_host, public.sip_port), *(each.local for each in listeners)}
        parted = Parted()
        limits = _limits(settings.sip, own)
        registrations = Registrations(installation, location, news, limits, parted=parted)
        counted.sip, counted.registering = server.counters, registrations.counted
        counted.sip_banned = lambda: len(bans.listed(server.now()))
        await registrations.start()
        for each in location.snapshot(server.now()):
            # Who was registered before is not held back for what others do at its site.
            held = each.binding
            server.proven.restore(held.transport, held.remote, held.refreshed_at)
        guests = Guests(settings.sip.realm)
        exchanges = Exchanges(installation.database, news, settings.numbering.forms)
        recorder = Recorder(
            installation, server.now, known=exchanges.known, tester=guests.as_caller
        )
        counted.calling = recorder.counted
        await recorder.start()
        guessing = Guessing(installation, bans)
        guard = Guard(settings.sip.realm, nonces)
        known = GuestKeys(guests, keys)
        names = [public.sip_host, settings.sip.realm, *(each.local.uri_host for each in listeners)]
        domains = ToldDomains(names, public.sip_host, installation.database, news)
        await domains.catch_up()
        authentication = Authentication(server, guard, known, domains, bans, guessing.note, tasks)
        async with listening(
            listeners,
            server,
            limits=protection.transport_limits(settings),
            certificate=certificate,
            proven=server.proven,
            bans=bans,
            is_busy=lambda: registrations.is_full,
        ) as transport:
            server.use(transport)
            registrar = GuestRegistrar(guests, registrations, server.now)
            Requests(server, transport, authentication, domains, registrar, tasks)
            farewells = Farewells(installation.database, server, transport)
            subscriptions = Subscriptions(
                server, authentication, domains, location, tasks, exchanges, news, note=farewells.note
            )
            phones = Phones(server, transport, location, parted)
            # Whose turn it is next doesn't change by a test.
            engaged = Engaged(lambda line: not is_test_line(line))
            watching_tests = Watching()
            codes = Codes(installation, server.now)
            router = ExchangeRouter(settings, codes, exchanges, phones, engaged, domains, SystemRandom())

            def tell(event: Event) -> None:
                for hear in (engaged.hear, recorder.tell, subscriptions.lamps.hear, watching_tests.hear):
                    try:
                        hear(event)
                    except Exception:
                        # Whatever is wrong with who listens, calls go on.
                        logger.exception("something that happened to a call was not heard")

            routers = GuestRouter(guests, router)
            serving = CallServing(server, authentication, phones, routers, tell, tasks)
            switchboard.hang_up = lambda record: serving.hang_up(recorder.call_of(record))
            switchboard.twin = twin = Twins(settings, exchanges, engaged)
            runs = RunService(installation, twin, alarm, await run_owner(installation))
            switchboard.look = runs.look
            switchboard.living = LiveTests(
                settings,
                exchanges,
                engaged,
                phones,
                domains,
                server,
                serving,
                guests,
                watching_tests,
                listeners,
            )
            control.on("hang-up", hang_up_verb(installation, switchboard))
            control.on("test-call", test_call_verb(installation, switchboard))
            control.on("test-run", test_run_verb(installation, switchboard))
            reachability = Reachability(phones, location, Probes(random, settings.sip.ping_s), registrations)
            server.on_closed(reachability.closed)
            pace = Pace(per_s=settings.sip.resyncs_per_second)
            resyncs = Resyncs(installation, phones, pace=pace, written=written)
            control.on("resync", resync_verb(resyncs))
            control.on("sip-bans", sip_bans_verb(bans, server.now))
            running = [
                tasks.create_task(_kept_up(name, run), name=name)
                for name, run in {
                    "line keys": keys.run,
                    "guessing": guessing.run,
                    "registrations": registrations.run,
                    "recorder": recorder.run,
                    "reachability": reachability.run,
                    "resyncs": resyncs.run,
                    "subscriptions": subscriptions.run,
                    "farewells": farewells.run,
                    "test calls": runs.run,
                }.items()
            ]
            try:
                yield
            finally:
                await serving.close()
                await subscriptions.close()
                for task in running:
                    task.cancel()
                server.close()
                switchboard.hang_up = switchboard.twin = switchboard.living = switchboard.look = None
                # What it was just writing waits again when it has ended.
                await asyncio.wait(running)
                await recorder.close()
                await farewells.write()


async def _kept_up(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Does `run` until it is cancelled, anew wherever a mistake of ours has ended it: the rest goes on."""
    while True:
        try:
            await run()
        except Exception:
            logger.exception("%s broke off, and begins anew", name)
        await asyncio.sleep(_AGAIN_S)


def _limits(sip: Sip, own: Iterable[Address]) -> Limits:
    """What the registrar grants, to whom is not at one of our `own` addresses."""
    most_s = sip.max_expires_s
    least_s = min(sip.min_expires_s, most_s)
    hosts = frozenset(Address(each.host.strip("[]").lower(), each.port) for each in own)
    return Limits(default_s=most_s, min_s=least_s, max_s=most_s, own=hosts)
