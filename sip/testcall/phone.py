"""A phone of pyVoIP: a stack that is not ours, and so a witness.

It is driven by one asyncio loop, not by the two to four threads that pyVoIP starts for each phone, which look
for news every 10 ms: nothing waits, times are exact, and what is closed is gone.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from sip.testcall import wording
from sip.testcall.account import Account
from sip.testcall.audio import open_port
from sip.testcall.client import Client
from sip.testcall.message import Message
from sip.testcall.observed import Broke, Dialled, Observation, Rang
from sip.testcall.phone_call import PhoneCall
from sip.testcall.pyvoip import RTP, CallState, VoIPCall, VoIPPhone
from sip.testcall.spoken import Spoken, kept

_MOST_CALLS = 4
"Of one phone at a time: the next one finds it busy."


class Phone(VoIPPhone):
    """A phone that is registered, rings and calls; what it sees it tells at once."""

    sip: Client
    calls: dict[str, PhoneCall]

    def __init__(
        self,
        account: Account,
        tell: Callable[[Observation], None],
        overhear: Callable[[Spoken], None] = lambda _: None,
    ) -> None:
        """`overhear` gets each message that is sent or comes."""
        host, port = account.server
        super().__init__(host, port, account.number, account.password, myIP=account.host)
        self.sip = Client(account, self)
        self.hz = 0
        "The tone that it sends in its next calls; 0 is silence."
        self._tell = tell
        self._overhear = overhear
        self.ports: dict[int, socket.socket] = {}
        "For audio: announced, and not in use yet."

    def stop(self) -> None:
        """Lets go of all that it has. Base: keeps the ports of what rings."""
        for call in list(self.calls.values()):
            call.close()
        self.sip.stop()

    def saw(self, kind: Callable[..., Observation], at: float, *what: object) -> None:
        """Tells of it."""
        self._tell(kind(self.username, at, *what))

    def spoke(self, at: float, text: str, *, came: bool) -> None:
        """A message has come or gone."""
        if (shown := kept(text)) is not None:
            self._overhear(Spoken(self.username, at, came, shown))

    def broke(self, what: str) -> None:
        """Something that a phone shouldn't do."""
        self.saw(Broke, time.monotonic(), what)

    def call(self, number: str) -> PhoneCall:
        """Calls a number. Base: hangs where anything but 401 is the answer; and offers µ-law alone."""
        port = self.request_port()
        media = {port: {0: RTP.PayloadType.PCMU, 8: RTP.PayloadType.PCMA, 101: RTP.PayloadType.EVENT}}
        request, call_id, session = self.sip.invite(number, media, RTP.TransmitType.SENDRECV)
        state, mode = CallState.DIALING, self.sendmode
        call = PhoneCall(self, state, request, session, self.myIP, ms=media, sendmode=mode)
        self.calls[call_id] = call
        self.saw(Dialled, time.monotonic(), number)
        return call

    def rung(self, invite: Message) -> None:
        """A call came. Base: says so a second later."""
        if len(self.calls) >= _MOST_CALLS:
            self.sip.refuse(invite, 486)
            return
        if not any({"0", "8"} & set(each["methods"]) for each in invite.body.get("m", ())):
            self.sip.refuse(invite, 488)
            self.broke("it was offered no audio that it knows")
            return
        call_id = invite.headers["Call-ID"]
        session = self.sip.sessID.next()
        call = PhoneCall(self, CallState.RINGING, invite, session, self.myIP, sendmode=self.recvmode)
        self.calls[call_id] = call
        call.said = self.sip.respond(invite, 180)
        alert = ", ".join(wording.values(invite.text, "Alert-Info"))
        self.saw(Rang, self.sip.now, call_id, wording.displays(invite.text), alert)

    def request_port(self, blocking: bool = True) -> int:
        """A port for audio. Base: one by chance, whether it is free or not."""
        opened = open_port(self.myIP)
        port: int = opened.getsockname()[1]
        self.ports[port] = opened
        return port

    def release_ports(self, call: VoIPCall | None = None) -> None:
        """Base: fails, whenever a call is forgotten, on ports that it has not chosen itself."""
