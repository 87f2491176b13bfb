"""A phone on the line: it registers what its file says, answers, calls, and fetches when it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

from phone_templates.yealink.boot import BootMachine
from provisioner.virtual_phones.account import Account, accounts
from provisioner.virtual_phones.booting import Boot, boot
from provisioner.virtual_phones.network import DIRECT, Network
from provisioner.virtual_phones.registration import Registration
from provisioner.virtual_phones.subscription import Subscription, wishes
from sip.handset.audio import Audio
from sip.handset.caller import Patience
from sip.handset.handset import Handset
from sip.handset.rung import Manner
from sip.handset.talk import CallEnd, Ended
from sip.message.message import Request
from sip.message.sdp import Connection
from sip.message.uri import SipUri
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Flow
from sip.transport.sockets import bind
from sip.transport.transport import listening

_DISCARD = 9
"The port of its media, which there are none of."
_LAST_CALLS_S = 2.0
"How long the ends of its calls may take when it goes."


class Sitter:
    """Who sits at a phone, and hears what it does. This one does nothing."""

    def registered(self, registration: Registration) -> None:
        """There was an answer to a REGISTER, or none."""

    def subscribed(self, subscription: Subscription) -> None:
        """There was an answer to a SUBSCRIBE, or none."""

    def fetched(self, boot: Boot) -> None:
        """It was told to fetch, and did."""

    def is_rung(self, invite: Request) -> Manner:
        """What is done about it."""
        return Manner(None)

    def was_rung(self, end: CallEnd) -> None:
        """What became of that."""


NOBODY = Sitter()


class SipPhone:
    """A phone that has booted, and is registered with its server."""

    def __init__(
        self,
        machine: BootMachine,
        source: str,
        server: SipServer,
        sitter: Sitter,
        network: Network,
        hurry: float,
    ) -> None:
        self.registrations: Sequence[Registration] = ()
        self.subscriptions: Sequence[Subscription] = ()
        self.fetched: asyncio.Queue[Boot] = asyncio.Queue(maxsize=1000)
        "What it has fetched, each time that it was told to."
        self.times_told = 0
        self._machine, self._source = machine, source
        self._server, self._sitter, self._network, self._hurry = server, sitter, network, hurry
        self._told = asyncio.Event()
        self._is_quiet = asyncio.Event()
        self._handset = Handset(server.transactions, _audio, self._is_quiet.set)
        server.attach(self._handset)
        server.on("OPTIONS", self._is_here)
        server.on("NOTIFY", self._is_notified)
        server.on("INVITE", self._is_rung)
        server.on_closed(self._lost)

    @property
    def is_registered(self) -> bool:
        """Whether all its accounts are."""
        return all(each.status == 200 for each in self.registrations)

    @property
    def calls(self) -> int:
        """How many it is in, or that are being begun or ended."""
        return len(self._handset)

    def call(self, registration: Registration, number: str, patience: Patience, ended: Ended) -> None:
        """Calls `number`. Raises `SipError` where it is in too many calls."""
        invite = registration.request("INVITE", number, 1)
        self._server.perform(
            self._handset.call(
                invite,
                registration.flow,
                registration.contact,
                registration.login,
                patience,
                ended,
                self._server.now(),
            )
        )

    def hang_up(self) -> None:
        """Ends all calls."""
        self._server.perform(self._handset.leave(self._server.now()))

    async def without_calls(self) -> None:
        """Waits until it is in none."""
        while self.calls:
            self._is_quiet.clear()
            await self._is_quiet.wait()

    async def fetch_when_told(self) -> None:
        """Until it is cancelled; told again while it fetches, it fetches once more."""
        while True:
            await self._told.wait()
            self._told.clear()
            fetched = await boot(self._machine, self._source, self._network, self._hurry)
            if not self.fetched.full():
                self.fetched.put_nowait(fetched)
            self._sitter.fetched(fetched)

    def _is_here(self, incoming: Incoming) -> None:
        incoming.serve()
        incoming.reply(200)

    def _is_notified(self, incoming: Incoming) -> None:
        incoming.serve()
        event = incoming.request.event
        if event is not None and event.package == "check-sync":
            incoming.reply(200)
            self.times_told += 1
            self._told.set()
        elif any(each.takes(incoming.request) for each in self.subscriptions):
            incoming.reply(200)
        else:
            # Nothing else was subscribed to (RFC 6665 §8.3.2).
            incoming.reply(489)

    def _is_rung(self, incoming: Incoming) -> None:
        uri = incoming.request.uri
        number = uri.user if isinstance(uri, SipUri) else None
        registration = next(
            (each for each in self.registrations if each.account.user_name == number), None
        )
        if registration is None:
            incoming.reply(404)
            return
        invite = incoming.serve()
        manner = self._sitter.is_rung(incoming.request)
        now = self._server.now()
        self._server.perform(
            self._handset.rings(invite, registration.contact, manner, self._sitter.was_rung, now)
        )

    def _lost(self, flow: Flow) -> None:
        for each in self.registrations:
            each.lost(flow)


@asynccontextmanager
async def registered(
    machine: BootMachine,
    source: str,
    sitter: Sitter = NOBODY,
    network: Network = DIRECT,
    hurry: float = 1.0,
) -> AsyncIterator[SipPhone]:
    """`machine`, which has booted, on the line at the local address `source` while the context lasts.

    What it waits for before it tries again is divided by `hurry`. Raises as `accounts`.
    """
    has = accounts(machine)
    server = SipServer()
    phone = SipPhone(machine, source, server, sitter, network, hurry)
    async with (
        listening(bind(Address(source, 0)), server, secure=network.tls) as transport,
        asyncio.TaskGroup() as tasks,
    ):
        server.use(transport)

        async def connected(account: Account) -> Flow:
            server_at = await network.server(account.server, account.transport)
            return await transport.connect(account.transport, server_at)

        phone.registrations = [Registration(each, server, connected, sitter.registered) for each in has]
        for registration in phone.registrations:
            await registration.register()
        by_number = {each.account.number: each for each in phone.registrations}
        phone.subscriptions = [
            Subscription(wish, by_number[wish.account], server, sitter.subscribed)
            for wish in wishes(machine)
            if wish.account in by_number
        ]
        running = [tasks.create_task(each.stay(hurry)) for each in phone.registrations]
        running += [tasks.create_task(each.stay(hurry)) for each in phone.subscriptions]
        running.append(tasks.create_task(phone.fetch_when_told()))
        try:
            yield phone
        finally:
            for task in running:
                task.cancel()
            await _leave(phone)
            server.close()


async def _leave(phone: SipPhone) -> None:
    phone.hang_up()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_CALLS_S):
            await phone.without_calls()
    for subscription in phone.subscriptions:
        await subscription.end()
    for registration in phone.registrations:
        await registration.unregister()


def _audio(flow: Flow) -> Audio:
    return Audio(Connection.of(ip_address(flow.local.host)), _DISCARD)
