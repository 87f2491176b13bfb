"""A software phone on the line: it registers what its file says, answers, and fetches when it is told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from phone_templates.yealink.boot import BootMachine
from provisioner.centrex.mac import MacAddress
from provisioner.virtual_phones.account import Account, accounts
from provisioner.virtual_phones.booting import Boot, boot
from provisioner.virtual_phones.login import Known
from sip.message.address import Contact, NameAddress
from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.message.values import CSeq
from sip.out_of_dialog import own_uri
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Flow
from sip.transport.sockets import bind
from sip.transport.transport import listening

_ANSWER_S = 10.0
"A server that has not answered by then will not."
_TRIES = 2
"The first finds out what the server wants to know."


class Registration:
    """One account of a phone, and what it has to remember to register it (RFC 3261 §10.2)."""

    def __init__(self, account: Account, server: SipServer, flow: Flow) -> None:
        self.account = account
        self.status: int | None = None
        "Of the last answer; None: there was none."
        self.granted_s = account.expires_s
        self._server, self._flow = server, flow
        self._known = Known()
        self._call_id, self._tag = secrets.token_hex(16), secrets.token_hex(8)
        self._cseq = 0

    async def register(self) -> None:
        """Registers, or refreshes that."""
        answer = await self._asked(self.account.expires_s)
        granted = [] if answer is None else [each.expires_s for each in answer.contact if self._is_own(each)]
        self.granted_s = next(filter(None, granted), self.account.expires_s)

    async def stay(self) -> None:
        """Refreshes in good time, until it is cancelled."""
        while True:
            await asyncio.sleep(self.granted_s / 2)
            await self.register()

    async def unregister(self) -> None:
        """Takes its binding back (§10.2.2)."""
        await self._asked(0)

    async def _asked(self, expires_s: int) -> Response | None:
        """The answer to a REGISTER, which says who it is if the server wants to know."""
        answer: Response | None = None
        for _ in range(_TRIES):
            try:
                async with asyncio.timeout(_ANSWER_S):
                    answer = await self._server.ask(self._request(expires_s), self._flow)
            except TimeoutError:
                answer = None
            if answer is None or answer.status != 401:
                break
            if not self._known.asked(answer.headers.all("WWW-Authenticate")):
                break
        self.status = None if answer is None else answer.status
        return answer

    def _request(self, expires_s: int) -> Request:
        account = self.account
        registrar = SipUri(account.server.uri_host, port=account.server.port)
        self._cseq += 1
        request = Request("REGISTER", registrar)
        request.max_forwards = 70
        request.to = NameAddress(SipUri(account.server.uri_host, account.user_name))
        request.from_ = request.to.with_tag(self._tag)
        request.call_id, request.cseq = self._call_id, CSeq(self._cseq, "REGISTER")
        request.contact = (self.contact,)
        request.expires_s = expires_s
        request.user_agent = account.user_agent
        if account.sends_mac:
            request.headers.add("Mac", str(MacAddress.parse(account.mac)))
        login = self._known.answer(account.auth_name, account.password, "REGISTER", str(registrar))
        if login is not None:
            request.headers.add("Authorization", login)
        return request

    @property
    def contact(self) -> Contact:
        """Where it is reached."""
        return Contact(replace(own_uri(self._flow), user=self.account.user_name))

    def _is_own(self, contact: Contact) -> bool:
        return contact.uri == self.contact.uri


class SipPhone:
    """A phone that has booted, and is registered with its server."""

    def __init__(self, machine: BootMachine, source: str, server: SipServer) -> None:
        self.registrations: Sequence[Registration] = ()
        self.fetched: asyncio.Queue[Boot] = asyncio.Queue()
        "What it has fetched, each time that it was told to."
        self.times_told = 0
        self._machine, self._source = machine, source
        self._told = asyncio.Event()
        server.on("OPTIONS", self._is_here)
        server.on("NOTIFY", self._is_notified)

    @property
    def is_registered(self) -> bool:
        """Whether all its accounts are."""
        return all(each.status == 200 for each in self.registrations)

    async def fetch_when_told(self) -> None:
        """Until it is cancelled; told again while it fetches, it fetches once more."""
        while True:
            await self._told.wait()
            self._told.clear()
            self.fetched.put_nowait(await boot(self._machine, self._source))

    def _is_here(self, incoming: Incoming) -> None:
        incoming.serve()
        incoming.reply(200)

    def _is_notified(self, incoming: Incoming) -> None:
        incoming.serve()
        event = incoming.request.event
        if event is None or event.package != "check-sync":
            # Nothing else was subscribed to (RFC 6665 §8.3.2).
            incoming.reply(489)
            return
        incoming.reply(200)
        self.times_told += 1
        self._told.set()


@asynccontextmanager
async def registered(machine: BootMachine, source: str) -> AsyncIterator[SipPhone]:
    """`machine`, which has booted, on the line at the local address `source` while the context lasts."""
    server = SipServer()
    phone = SipPhone(machine, source, server)
    async with listening(bind(Address(source, 0)), server) as transport, asyncio.TaskGroup() as tasks:
        server.use(transport)
        phone.registrations = [
            Registration(account, server, await transport.connect(account.transport, account.server))
            for account in accounts(machine)
        ]
        for each in phone.registrations:
            await each.register()
        running = [tasks.create_task(each.stay()) for each in phone.registrations]
        running.append(tasks.create_task(phone.fetch_when_told()))
        try:
            yield phone
        finally:
            for task in running:
                task.cancel()
            for registration in phone.registrations:
                await registration.unregister()
            server.close()
