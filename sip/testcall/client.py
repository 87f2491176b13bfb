"""What a test phone says and hears: pyVoIP's messages, on a socket that one loop looks after."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sip.testcall import wording
from sip.testcall.account import Account
from sip.testcall.asking import Asking, Response
from sip.testcall.message import Message
from sip.testcall.observed import By, Lit, Watches
from sip.testcall.pyvoip import SIP
from sip.testcall.refusals import Refusals
from sip.testcall.watching import Watching, subscribe

if TYPE_CHECKING:
    from sip.testcall.phone import Phone
    from sip.testcall.phone_call import PhoneCall

_ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"


class Client(SIP.SIPClient):
    """The messages of a phone."""

    phone: Phone

    def __init__(self, account: Account, phone: Phone) -> None:
        host, port = account.server
        super().__init__(host, port, account.number, account.password, phone, myIP=account.host, myPort=0)
        self.now = 0.0
        "When the message came that is looked at."
        self.asking = Asking(account.number, account.password, self.send)
        self._refusals = Refusals(self.send)
        self.watching = Watching(
            self.asking,
            lambda number, status: phone.saw(Watches, self.now, number, status),
            lambda number, light: phone.saw(Lit, self.now, number, light),
        )

    def start(self) -> None:
        """Base: registers, is deaf for a second, then looks every 10 ms; and has to be told a port."""
        self.s = self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setblocking(False)
        self.s.bind((self.myIP, 0))
        # Nobody else is heard: what a phone has seen has come from the server.
        self.s.connect((self.server, self.port))
        self.myPort = self.s.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.s, self.recv)

    def stop(self) -> None:
        """Base: waits for the server, and again if that fails, until it says that the phone is gone."""
        self.asking.stop()
        self._refusals.stop()
        self._loop.remove_reader(self.s)
        self.s.close()

    def gen_call_id(self) -> str:
        """Base: the same ones after each start."""
        return f"{uuid.uuid4().hex}@{self.myIP}"

    def send(self, text: str) -> None:
        """A message to the server."""
        self.phone.spoke(time.monotonic(), text, came=False)
        with suppress(OSError):  # As if it were lost on its way: it is sent again.
            self.s.sendto(text.encode(), (self.server, self.port))

    def recv(self) -> None:
        """Base: one that it can't parse is dropped without a word."""
        try:
            data = self.s.recv(65_535)
        except OSError:
            return
        self.now = time.monotonic()
        if not data.strip(b"\r\n\0"):
            return  # A keep-alive.
        self.phone.spoke(self.now, data.decode(errors="replace"), came=True)
        try:
            self.parse_message(Message(data))
        except Exception as error:
            self.phone.broke(f"it failed on a message: {type(error).__name__}: {error}")

    def parse_message(self, message: Message) -> None:
        """Base: acts upon 200, 404 and 503 alone, and a CANCEL is as good as nothing to it."""
        if message.type != SIP.SIPMessageType.MESSAGE:
            method = message.headers["CSeq"]["method"]
            self.asking.response(Response(message.text, int(message.status), method, message.authentication))
            return
        call_id = message.headers["Call-ID"]
        call = self.phone.calls.get(call_id)
        if message.method == "INVITE":
            self._invite(message, call)
        elif message.method == "ACK":
            if not self._refusals.acknowledged(call_id) and call is not None:
                call.acknowledged()
        elif message.method == "CANCEL" and call is not None:
            self.respond(message, 200)
            if call.rings:
                call.cancelled(wording.values(message.text, "Reason"))
        elif message.method == "BYE" and call is not None:
            self.respond(message, 200)
            call.over(By.OTHER)
        elif message.method == "NOTIFY":
            self.respond(message, self.watching.notified(message.text))
        elif message.method in ("CANCEL", "BYE"):
            self.respond(message, 481)
        else:
            self.respond(message, 200 if message.method == "OPTIONS" else 405)

    def _invite(self, message: Message, call: PhoneCall | None) -> None:
        call_id = message.headers["Call-ID"]
        if self._refusals.repeat(call_id):
            pass
        elif call is None and message.headers["To"]["tag"]:
            self.refuse(message, 481)
        elif call is None:
            self.phone.rung(message)
        elif message.headers["To"]["tag"]:
            call.renegotiate(message)
        else:
            self.send(call.said)

    def respond(self, request: Message, status: int) -> str:
        """Sends a response, and gives it back. Base: says that the caller's Contact is its own."""
        call_id = request.headers["Call-ID"]
        if call_id not in self.tagLibrary and status < 200:
            self.tagLibrary[call_id] = self.gen_tag()
        tag = self.tagLibrary.get(call_id) or self.gen_tag()
        contact = f"Contact: <sip:{self.username}@{self.myIP}:{self.myPort}>"
        text = wording.response(request.text, str(SIP.SIPStatus(status)), tag, (contact, _ALLOW))
        self.send(text)
        return text

    def refuse(self, invite: Message, status: int) -> None:
        """Refuses an INVITE, until that is acknowledged."""
        self._refusals.begin(invite.headers["Call-ID"], self.respond(invite, status))

    def gen_answer(self, request: Message, sess_id: str, ms: Any, sendtype: Any) -> str:
        """Base: without the Record-Route of the request (RFC 3261 §12.1.1)."""
        routes = "".join(f"Record-Route: {each}\r\n" for each in wording.values(request.text, "Record-Route"))
        text = str(super().gen_answer(request, sess_id, ms, sendtype))
        text = text.replace("\r\nCall-ID:", f"\r\n{routes}Call-ID:", 1)
        self.phone.calls[request.headers["Call-ID"]].said = text
        # Base sends it at once, by itself.
        self.phone.spoke(time.monotonic(), text, came=False)
        return text

    def via(self) -> str:
        """Of a new transaction of ours."""
        return f"SIP/2.0/UDP {self.myIP}:{self.myPort};branch={self.gen_branch()};rport"

    def invite(self, number: str, ms: Any, sendtype: Any) -> tuple[Message, str, int]:
        """Base: waits for an answer, and comes from an address instead of its AOR."""
        call_id, session = self.gen_call_id(), self.sessID.next()
        user = quote(number, safe="*+-_.!~'()&=$,;?/")
        text = self.gen_invite(user, str(session), ms, sendtype, self.gen_branch(), call_id)
        own = f"<sip:{self.username}@"
        text = text.replace(f"{own}{self.myIP}>;tag", f"{own}{self.server}>;tag", 1)
        self.asking.ask(text, lambda came: self._of_invite(call_id, came))
        return Message(text.encode()), call_id, session

    def _of_invite(self, call_id: str, came: Response) -> None:
        call = self.phone.calls.get(call_id)
        if call is None:
            return
        if came.status < 200:
            call.progressed(came.status)
        elif came.status < 300:
            call.answered(Message(came.text.encode()))
        else:
            call.turned_down(came.status)

    def watch(self, number: str) -> None:
        """Base: has no lamps."""
        contact = f"sip:{self.username}@{self.myIP}:{self.myPort}"
        self.watching.watch(
            number,
            subscribe(
                *(number, self.username, self.server, contact),
                *(self.via(), self.gen_call_id(), self.gen_tag()),
            ),
        )

    def register(self, answered: Callable[[int], None]) -> None:
        """Base: takes whatever comes first for the answer."""
        self.asking.ask(self.gen_first_response(), lambda came: answered(came.status))

    def deregister(self, answered: Callable[[int], None]) -> None:
        """Base: as `register`, and waits for it."""
        self.asking.ask(self.gen_first_response(deregister=True), lambda came: answered(came.status))
