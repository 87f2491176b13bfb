"""A phone of pyVoIP: a stack that is not ours, and so a witness. Nothing else imports pyVoIP.

pyVoIP 1.6.8 parses and writes the messages, the SDP and the RTP packets, and holds the state of a call. What
is overridden here says why ("Base: …"), and has a test that fails without it. It is driven by one asyncio
loop, not by the two to four threads that pyVoIP starts for each phone, which look for news every 10 ms:
nothing waits, times are exact, and what is closed is gone.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
import uuid
import warnings
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

with warnings.catch_warnings():
    # It wants `audioop`, which Python 3.13 has no more; the package audioop-lts has.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

    # First, as pyVoIP.SIP and pyVoIP.VoIP import each other.
    from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone  # isort: split
    from pyVoIP import RTP, SIP

from sip.testcall import wording
from sip.testcall.account import Account
from sip.testcall.asking import Asking, Response
from sip.testcall.observed import (
    Answered,
    Broke,
    By,
    Dialled,
    Display,
    Ended,
    GaveUp,
    Heard,
    Observation,
    Progressed,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
)
from sip.testcall.quality import Reception
from sip.testcall.resending import Resending
from sip.testcall.tones import RATE, Ear, tone

_METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "NOTIFY", "INFO", "UPDATE", "MESSAGE", "REFER"]
_ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"
_DISPLAYS = {
    "from": "From",
    "p-asserted-identity": "P-Asserted-Identity",
    "remote-party-id": "Remote-Party-ID",
}
_MOST_CALLS = 4
"Of one phone at a time: the next one finds it busy."
_PACKET_S = 0.02
_PACKET = RATE // 50
"Samples of a packet."

class _Message(SIP.SIPMessage):
    """A message that is not dropped for how it is written."""

    def parse(self, data: bytes) -> None:
        self.text = data.decode(errors="replace")
        # Else what asks whether we are there (OPTIONS) gets no answer.
        self.SIPCompatibleMethods = _METHODS
        super().parse(data)

    @staticmethod
    def parse_raw_header(headers_raw: list[bytes], handle: Callable[[str, Any], None]) -> None:
        """Base: an empty header drops the message, as does one without a blank after its colon; short names
        are other headers; a value ends at its second ": "; of several challenges it takes the first.
        """
        written = b"\r\n".join([b"", *headers_raw]).decode(errors="replace")
        found: dict[str, Any] = {"Via": []}
        for name, value in wording.headers(written):
            name = _PYVOIP_NAMES.get(name, name)
            if name == "Via":
                found["Via"].append(value)
            elif name != "WWW-Authenticate" or _is_md5(value):
                found.setdefault(name, value)
        for name, value in found.items():
            handle(name, value)


_PYVOIP_NAMES = {
    name.lower(): name
    for name in (
        "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Allow",
        "Supported", "WWW-Authenticate", "Authorization",
    )
} | {"proxy-authenticate": "WWW-Authenticate"}  # fmt: skip
"Header names as pyVoIP looks for them. A proxy's challenge (407) is read as a server's."


def _is_md5(challenge: str) -> bool:
    algorithm = re.search(r'algorithm="?([\w-]+)', challenge, re.IGNORECASE)
    return algorithm is None or algorithm.group(1).upper() == "MD5"


class _Media(RTP.RTPClient):
    """The audio of a call: sends a tone, and hears one."""

    def opened(self, port: socket.socket, hz: int, heard: Callable[[int, float], None]) -> None:
        """`port` is the one that was announced, and `heard` is told of tones."""
        self.sin = self.sout = port
        self.heard = heard
        self.ear, self.reception = Ear(), Reception(RATE)
        self._tone = audioop.bias(audioop.lin2lin(tone(hz).tobytes(), 2, 1), 1, 128)
        self._sent = 0
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Base: two threads; and a second start, which a re-INVITE makes, fails as the port is taken."""
        if self._next is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self.sin, self.recv)
            self._began = self._loop.time()
            self.trans()

    def stop(self) -> None:
        """Base: fails where it has not started."""
        self.NSD = False
        if self._next is not None:
            self._next.cancel()
            self._loop.remove_reader(self.sin)
        self.sin.close()

    def recv(self) -> None:
        try:
            self.parse_packet(self.sin.recv(2048))
        except (OSError, RTP.RTPParseError, IndexError):
            return  # Nothing there, or no audio: what is not heard is missed by who listens.

    def trans(self) -> None:
        """Base: at the end of its sequence numbers it sends a packet without one."""
        at = self._sent * _PACKET % RATE
        payload = self.encode_packet(self._tone[at : at + _PACKET])
        sequence = (self.outSequence + self._sent) % (1 << 16)
        timestamp = (self.outTimestamp + self._sent * _PACKET) % (1 << 32)
        head = struct.pack("!BBHII", 0x80, int(self.preference), sequence, timestamp, self.outSSRC)
        with suppress(OSError):  # Who doesn't get it says so.
            self.sout.sendto(head + payload, (self.outIP, self.outPort))
        self._sent += 1
        self._next = self._loop.call_at(self._began + self._sent * _PACKET_S, self.trans)

    def encode_packet(self, payload: bytes) -> bytes:
        """Base: A-law is written as µ-law."""
        if self.preference == RTP.PayloadType.PCMA:
            return bytes(self.encode_pcma(payload))
        return bytes(super().encode_packet(payload))

    def parse_pcmu(self, packet: RTP.RTPMessage) -> None:
        self._came(packet, audioop.ulaw2lin(packet.payload, 2))

    def parse_pcma(self, packet: RTP.RTPMessage) -> None:
        self._came(packet, audioop.alaw2lin(packet.payload, 2))

    def _came(self, packet: RTP.RTPMessage, samples: bytes) -> None:
        """Base: all that was heard is kept until the call ends, for somebody to read."""
        self.reception.came(packet.SSRC, packet.sequence, packet.timestamp, time.monotonic())
        found = self.ear.hears(array("h", samples))
        if found is not None:
            self.heard(found.hz, found.level_db)


class _Call(VoIPCall):
    """One call of a phone, which knows its dialog."""

    phone: Phone
    dialog: wording.Dialog | None = None
    cseq = 0
    "Of our last request within the dialog."
    has_progressed = is_given_up = False
    resending: Resending | None = None
    "Of the 200 that is not acknowledged yet."
    said = ""
    "Our last response to its INVITE: said again when that comes again."
    answered_at = 0.0

    def create_rtp_clients(
        self, codecs: dict[int, Any], ip: str, port: int, request: SIP.SIPMessage, baseport: int
    ) -> None:
        """Base: clients of its own kind, which choose a port without knowing whether it is free."""
        media = _Media(codecs, ip, port, request.body["c"][0]["address"], baseport, self.sendmode)
        media.opened(self.phone.ports.pop(port), self.phone.hz, self._heard)
        self.RTPClients.append(media)

    def _heard(self, hz: int, level_db: float) -> None:
        self.phone.tell(Heard(self.phone.username, time.monotonic(), self.call_id, hz, level_db))

    def answer(self) -> None:
        """Base: an answer that is lost is never sent again."""
        super().answer()
        self.answered_at = time.monotonic()
        tag = self.phone.sip.tagLibrary[self.call_id]
        self.dialog = wording.Dialog.of_callee(self.request.text, tag)
        self.resending = Resending(lambda: self.phone.sip.send(self.said), self._is_not_acknowledged)

    def _is_not_acknowledged(self) -> None:
        self.phone.broke("its answer was never acknowledged")
        self.hangup()

    def acknowledged(self) -> None:
        """The ACK came."""
        if self.resending is not None:
            self.resending.stop()
            self.resending = None
            self.phone.tell(Answered(self.phone.username, self.answered_at, self.call_id))

    def refuse(self, status: int) -> None:
        """Base: `deny` can only be busy, and fails before audio has started."""
        self.phone.sip.conclude(self.request, status)
        self.phone.tell(Refused(self.phone.username, time.monotonic(), self.call_id, status))
        self.close()

    def cancelled(self, reasons: Sequence[str]) -> None:
        """Base: a call that is cancelled rings on, and its INVITE gets no final response (RFC 3261 §9.2)."""
        self.phone.sip.conclude(self.request, 487)
        self.phone.tell(
            StoppedRinging(self.phone.username, self.phone.sip.now, self.call_id, ", ".join(reasons))
        )
        self.close()

    def hangup(self) -> None:
        """Base: BYE goes to the wrong place, without the route set; and before an answer there is none."""
        if self.state is CallState.ANSWERED and self.dialog is not None:
            self.cseq += 1
            self.phone.sip.asking.ask(self.dialog.request("BYE", self.cseq, self.phone.sip.via()))
            self.over(By.ITSELF)
        elif self.state is CallState.DIALING and not self.is_given_up:
            self.is_given_up = True
            self.phone.tell(GaveUp(self.phone.username, time.monotonic()))
            if self.has_progressed:
                self.phone.sip.asking.cancel(self.call_id)

    def over(self, by: By) -> None:
        """Its conversation has ended."""
        packets = sum(each.reception.packets for each in self.RTPClients)
        lost = sum(each.reception.lost for each in self.RTPClients)
        jitter_s = max((each.reception.jitter_s for each in self.RTPClients), default=0.0)
        self.phone.tell(
            Ended(self.phone.username, time.monotonic(), self.call_id, by, packets, lost, round(jitter_s, 4))
        )
        self.close()

    def close(self) -> None:
        """Lets go of all that it has."""
        if self.resending is not None:
            self.resending.stop()
        for media in self.RTPClients:
            media.stop()
        for port in self.assignedPorts:
            if (kept := self.phone.ports.pop(port, None)) is not None:
                kept.close()
        self.state = CallState.ENDED
        self.phone.calls.pop(self.call_id, None)
        self.phone.sip.tagLibrary.pop(self.call_id, None)

    def progressed(self, status: int) -> None:
        """A provisional response came. Only now may a CANCEL be sent (RFC 3261 §9.1)."""
        if self.is_given_up and not self.has_progressed:
            self.phone.sip.asking.cancel(self.call_id)
        self.has_progressed = True
        if status != 100:
            self.phone.tell(Progressed(self.phone.username, self.phone.sip.now, status))

    def answered(self, request: SIP.SIPMessage) -> None:
        """Base: takes an answer after its CANCEL for a conversation."""
        super().answered(request)
        self.dialog = wording.Dialog.of_caller(request.text)
        self.cseq = int(request.headers["CSeq"]["check"])
        self.phone.tell(Answered(self.phone.username, self.phone.sip.now, self.call_id))

    def turned_down(self, status: int) -> None:
        """Base: of all refusals it knows two (404 and 503), and dials on after the others."""
        self.phone.tell(TurnedDown(self.phone.username, self.phone.sip.now, status))
        self.close()


class _Client(SIP.SIPClient):
    """The messages of a phone."""

    phone: Phone

    def __init__(self, account: Account, phone: Phone) -> None:
        host, port = account.server
        super().__init__(host, port, account.number, account.password, phone, myIP=account.host, myPort=0)
        self.now = 0.0
        "When the message came that is looked at."
        self.asking = Asking(account.number, account.password, self.send)
        self._concluded: dict[str, tuple[str, Resending]] = {}
        "Refusals that are not acknowledged yet, by Call-ID."

    def start(self) -> None:
        """Base: is deaf for its first second, then asks every 10 ms; and wants to be told a port."""
        self.s = self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setblocking(False)
        self.s.bind((self.myIP, 0))
        self.myPort = self.s.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.s, self.recv)

    def stop(self) -> None:
        """Base: waits for the server, and again if that fails, until it says that the phone is gone."""
        self.asking.stop()
        for _, resending in self._concluded.values():
            resending.stop()
        self._loop.remove_reader(self.s)
        self.s.close()

    def gen_call_id(self) -> str:
        """Base: the same ones after each start."""
        return f"{uuid.uuid4().hex}@{self.myIP}"

    def send(self, text: str) -> None:
        """A message to the server."""
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
        try:
            self.parse_message(_Message(data))
        except Exception as error:
            self.phone.broke(f"it failed on a message: {type(error).__name__}: {error}")

    def parse_message(self, message: _Message) -> None:
        """Base: acts upon 200, 404 and 503 alone, and a CANCEL is as good as nothing to it."""
        if message.type != SIP.SIPMessageType.MESSAGE:
            method = message.headers["CSeq"]["method"]
            self.asking.response(
                Response(message.text, int(message.status), method, message.authentication)
            )
            return
        call_id = message.headers["Call-ID"]
        call = self.phone.calls.get(call_id)
        if message.method == "INVITE":
            self._invite(message, call)
        elif message.method == "ACK":
            if call_id in self._concluded:
                self._concluded.pop(call_id)[1].stop()
            elif call is not None:
                call.acknowledged()
        elif message.method == "CANCEL" and call is not None and call.state is CallState.RINGING:
            self.respond(message, 200)
            call.cancelled(wording.values(message.text, "Reason"))
        elif message.method == "BYE" and call is not None:
            self.respond(message, 200)
            call.over(By.OTHER)
        elif message.method in ("CANCEL", "BYE"):
            self.respond(message, 481)
        else:
            self.respond(message, 200 if message.method == "OPTIONS" else 405)

    def _invite(self, message: _Message, call: _Call | None) -> None:
        call_id = message.headers["Call-ID"]
        if call_id in self._concluded:
            self.send(self._concluded[call_id][0])
        elif call is None and message.headers["To"]["tag"]:
            self.conclude(message, 481)
        elif call is None:
            self.phone.rings(message)
        elif message.headers["To"]["tag"]:
            call.renegotiate(message)
        else:
            self.send(call.said)

    def respond(self, request: _Message, status: int) -> str:
        """Sends a response, and gives it back. Base: says that the caller's Contact is its own."""
        call_id = request.headers["Call-ID"]
        if call_id not in self.tagLibrary and status < 200:
            self.tagLibrary[call_id] = self.gen_tag()
        tag = self.tagLibrary.get(call_id) or self.gen_tag()
        contact = f"Contact: <sip:{self.username}@{self.myIP}:{self.myPort}>"
        text = wording.response(request.text, str(SIP.SIPStatus(status)), tag, (contact, _ALLOW))
        self.send(text)
        return text

    def conclude(self, invite: _Message, status: int) -> None:
        """Refuses an INVITE, until the refusal is acknowledged."""
        call_id = invite.headers["Call-ID"]
        text = self.respond(invite, status)
        again = Resending(lambda: self.send(text), lambda: self._forget(call_id))
        self._concluded[call_id] = text, again

    def _forget(self, call_id: str) -> None:
        self._concluded.pop(call_id, None)

    def gen_answer(self, request: _Message, sess_id: str, ms: Any, sendtype: Any) -> str:
        """Base: without the Record-Route of the request (RFC 3261 §12.1.1)."""
        routes = "".join(f"Record-Route: {each}\r\n" for each in wording.values(request.text, "Record-Route"))
        text = str(super().gen_answer(request, sess_id, ms, sendtype))
        text = text.replace("\r\nCall-ID:", f"\r\n{routes}Call-ID:", 1)
        self.phone.calls[request.headers["Call-ID"]].said = text
        return text

    def via(self) -> str:
        """Of a new transaction of ours."""
        return f"SIP/2.0/UDP {self.myIP}:{self.myPort};branch={self.gen_branch()};rport"

    def invite(self, number: str, ms: Any, sendtype: Any) -> tuple[_Message, str, int]:
        """Base: waits for an answer, and comes from an address instead of its AOR."""
        call_id, session = self.gen_call_id(), self.sessID.next()
        user = quote(number, safe="*+-_.!~'()&=$,;?/")
        text = self.gen_invite(user, str(session), ms, sendtype, self.gen_branch(), call_id)
        own = f"<sip:{self.username}@"
        text = text.replace(f"{own}{self.myIP}>;tag", f"{own}{self.server}>;tag", 1)
        self.asking.ask(text, lambda came: self._of_invite(call_id, came))
        return _Message(text.encode()), call_id, session

    def _of_invite(self, call_id: str, came: Response) -> None:
        call = self.phone.calls.get(call_id)
        if call is None:
            return
        if came.status < 200:
            call.progressed(came.status)
        elif came.status < 300:
            call.answered(_Message(came.text.encode()))
        else:
            call.turned_down(came.status)

    def register(self, answered: Callable[[int], None]) -> None:
        """Base: takes whatever comes first for the answer."""
        self.asking.ask(self.gen_first_response(), lambda came: answered(came.status))

    def deregister(self, answered: Callable[[int], None]) -> None:
        """Base: as `register`, and waits for it."""
        self.asking.ask(self.gen_first_response(deregister=True), lambda came: answered(came.status))


class Phone(VoIPPhone):
    """A phone that is registered, rings and calls; what it sees it tells at once."""

    sip: _Client
    calls: dict[str, _Call]

    def __init__(self, account: Account, tell: Callable[[Observation], None]) -> None:
        host, port = account.server
        super().__init__(host, port, account.number, account.password, myIP=account.host)
        self.sip = _Client(account, self)
        self.hz = 0
        "The tone that it sends in its next calls; 0 is silence."
        self.tell = tell
        self.ports: dict[int, socket.socket] = {}
        "For audio: announced, and not in use yet."
        self._refresh: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Listens. Base: and registers, at once."""
        self.sip.start()

    def stop(self) -> None:
        """Lets go of all that it has. Base: waits for the server."""
        if self._refresh is not None:
            self._refresh.cancel()
        for call in list(self.calls.values()):
            call.close()
        self.sip.stop()

    def broke(self, what: str) -> None:
        """Something that a phone shouldn't do."""
        self.tell(Broke(self.username, time.monotonic(), what))

    def register(self) -> None:
        """Asks to be rung here, and goes on asking."""
        self.sip.register(self._registered)

    def _registered(self, status: int) -> None:
        if status >= 300:
            self.broke(f"its registration was refused with {status}")
        elif status >= 200:
            if self._refresh is None:
                self.tell(Registered(self.username, self.sip.now))
            loop = asyncio.get_running_loop()
            self._refresh = loop.call_later(self.sip.default_expires / 2, self.register)

    async def unregister(self) -> None:
        """Asks to be rung here no more, and has the answer."""
        if self._refresh is not None:
            self._refresh.cancel()
            self._refresh = None
        answered = asyncio.Event()
        self.sip.deregister(lambda status: answered.set())
        await answered.wait()

    def call(self, number: str) -> str:
        """Calls a number; returns the Call-ID. Base: hangs where anything but 401 is the answer."""
        port = self.request_port()
        media = {port: {0: RTP.PayloadType.PCMU, 101: RTP.PayloadType.EVENT}}
        request, call_id, session = self.sip.invite(number, media, RTP.TransmitType.SENDRECV)
        call = _Call(self, CallState.DIALING, request, session, self.myIP, ms=media, sendmode=self.sendmode)
        self.calls[call_id] = call
        self.tell(Dialled(self.username, time.monotonic(), number))
        return str(call_id)

    def answer(self, call_id: str) -> None:
        """Takes a call, if it still rings."""
        if (call := self._ringing(call_id)) is not None:
            call.answer()

    def refuse(self, call_id: str, status: int) -> None:
        """Turns a call down, if it still rings."""
        if (call := self._ringing(call_id)) is not None:
            call.refuse(status)

    def _ringing(self, call_id: str) -> _Call | None:
        call = self.calls.get(call_id)
        return call if call is not None and call.state is CallState.RINGING else None

    def hang_up(self, call_id: str) -> None:
        """Ends a call, if it is there."""
        if (call := self.calls.get(call_id)) is not None:
            call.hangup()

    def hang_up_all(self) -> None:
        """Ends all its calls; those that ring it turns down (480)."""
        for call_id in list(self.calls):
            self.refuse(call_id, 480)
            self.hang_up(call_id)

    def rings(self, invite: _Message) -> None:
        """A call came. Base: says so a second later."""
        if len(self.calls) >= _MOST_CALLS:
            self.sip.conclude(invite, 486)
            return
        if not any({"0", "8"} & set(each["methods"]) for each in invite.body.get("m", ())):
            self.sip.conclude(invite, 488)
            self.broke("it was offered no audio that it knows")
            return
        call_id, text = invite.headers["Call-ID"], invite.text
        session = self.sip.sessID.next()
        call = _Call(self, CallState.RINGING, invite, session, self.myIP, sendmode=self.recvmode)
        self.calls[call_id] = call
        call.said = self.sip.respond(invite, 180)
        displays = tuple(
            Display(_DISPLAYS[name], wording.user_of(value), wording.name_of(value))
            for name, value in wording.headers(text)
            if name in _DISPLAYS
        )
        alert = ", ".join(wording.values(text, "Alert-Info"))
        self.tell(Rang(self.username, self.sip.now, call_id, displays, alert))

    def request_port(self, blocking: bool = True) -> int:
        """A port for audio. Base: one by chance, whether it is free or not."""
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.setblocking(False)
        taken.bind((self.myIP, 0))
        port: int = taken.getsockname()[1]
        self.ports[port] = taken
        return port

    def release_ports(self, call: VoIPCall | None = None) -> None:
        """Base: keeps lists of ports; a call of ours closes its own when it ends."""
