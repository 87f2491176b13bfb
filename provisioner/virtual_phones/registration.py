"""One account of a phone on the line (RFC 3261 §10.2)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from provisioner.centrex.mac import MacAddress
from provisioner.virtual_phones.account import Account
from provisioner.virtual_phones.asking import ask
from provisioner.virtual_phones.login import Login
from sip.message.address import Contact, NameAddress
from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.message.values import CSeq
from sip.out_of_dialog import own_uri
from sip.server import SipServer
from sip.transport.errors import CantConnect
from sip.transport.flow import Flow

Connect = Callable[[Account], Awaitable[Flow]]
"The way to an account's server. Raises `CantConnect`."


class Registration:
    """What a phone has to remember to register an account, and to stay so."""

    def __init__(
        self, account: Account, server: SipServer, connect: Connect, told: Callable[[Registration], None]
    ) -> None:
        """`told` hears of each answer."""
        self.account = account
        self.status: int | None = None
        "Of the last answer; None: there was none."
        self.granted_s = account.expires_s
        self.login = Login(account.auth_name, account.password)
        self._server, self._connect, self._told = server, connect, told
        self.is_up = asyncio.Event()
        "It has been registered once."
        self._flow: Flow | None = None
        self._lost = asyncio.Event()
        self._call_id, self._tag = secrets.token_hex(16), secrets.token_hex(8)
        self._cseq = 0

    @property
    def flow(self) -> Flow:
        """The way to the server; there is one as soon as it has ever been reached."""
        if self._flow is None:
            raise AssertionError("nobody has been asked for anything yet")
        return self._flow

    @property
    def contact(self) -> Contact:
        """Where it is reached."""
        return Contact(replace(own_uri(self.flow), user=self.account.user_name))

    def request(self, method: str, user: str, cseq: int) -> Request:
        """A request of this account about `user` of its server, outside of any dialog."""
        host, port = self.account.server.uri_host, self.account.server.port
        request = Request(method, SipUri(host, user, port=port))
        request.max_forwards = 70
        request.from_ = NameAddress(SipUri(host, self.account.user_name)).with_tag(secrets.token_hex(8))
        request.to = NameAddress(SipUri(host, user))
        request.call_id, request.cseq = secrets.token_hex(16), CSeq(cseq, method)
        request.user_agent = self.account.user_agent
        return request

    async def register(self) -> None:
        """Registers, or refreshes that."""
        try:
            if self._flow is None or not self._flow.is_open:
                self._flow = await self._connect(self.account)
        except CantConnect:
            self.status = None
        else:
            self._lost.clear()
            answer = await self._asked(self.account.expires_s)
            granted = [] if answer is None else [e.expires_s for e in answer.contact if self._is_own(e)]
            self.granted_s = next(filter(None, granted), self.account.expires_s)
        self._told(self)

    async def stay(self, hurry: float = 1.0) -> None:
        """Refreshes in good time, or tries again, until it is cancelled; waits a `hurry`th of that."""
        while True:
            wait_s = self.granted_s / 2 if self.status == 200 else self.account.retry_s / hurry
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._lost.wait()
            self._lost.clear()
            await self.register()

    def lost(self, flow: Flow) -> None:
        """A connection has ended: if it was ours, there has to be another, at once."""
        if flow is self._flow and self.status == 200:
            self._lost.set()

    async def unregister(self) -> None:
        """Takes its binding back (§10.2.2)."""
        if self._flow is not None and self._flow.is_open:
            await self._asked(0)

    async def _asked(self, expires_s: int) -> Response | None:
        answer = await ask(self._server, self.flow, self.login, lambda: self._request(expires_s))
        self.status = None if answer is None else answer.status
        if self.status == 200:
            self.is_up.set()
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
        return request

    def _is_own(self, contact: Contact) -> bool:
        return contact.uri == self.contact.uri
