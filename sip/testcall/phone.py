"""A phone of pyVoIP: a stack that is not ours, and so a witness. Nothing else imports pyVoIP.

pyVoIP 1.6.8 parses and writes the messages, the SDP and the RTP packets, and holds the state of a call. What
is overridden here says why ("Base: …"), and has a test that fails without it. It is driven by one asyncio
loop, not by the two to four threads that pyVoIP starts for each phone, which look for news every 10 ms:
nothing waits, times are exact, and what is closed is gone.
"""

from __future__ import annotations

import asyncio
import socket
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
from sip.testcall.audio import Audio, Codec, Packet, open_port
from sip.testcall.observed import (
    Answered,
    Broke,
    By,
    Dialled,
    Ended,
    GaveUp,
    Heard,
    Observation,
    Progressed,
    Rang,
    Refused,
    StoppedRinging,
    TurnedDown,
)
from sip.testcall.reading import readable
from sip.testcall.refusals import Refusals
from sip.testcall.resending import Resending
from sip.testcall.tones import Tone

_METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "NOTIFY", "INFO", "UPDATE", "MESSAGE", "REFER"]
_ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"
_MOST_CALLS = 4
"Of one phone at a time: the next one finds it busy."


class _Message(SIP.SIPMessage):
    """A message that is not dropped for how it is written."""

    def parse(self, data: bytes) -> None:
        """Base: knows no OPTIONS, which asks whether it is there, and drops it; and where the audio has an
        address beside that of the session, the call has none.
        """
        self.text = data.decode(errors="replace")
        self.SIPCompatibleMethods = _METHODS
        super().parse(data)
        if len(addresses := self.body.get("c", ())) > 1 and len(self.body.get("m", ())) == 1:
            self.body["c"] = addresses[-1:]

    @staticmethod
    def parse_raw_header(headers_raw: list[bytes], handle: Callable[[str, Any], None]) -> None:
        """Base: an empty header drops the message, as does one without a blank after its colon; short names
        are other headers; a value ends at its second ": "; of several challenges it takes the first.
        """
        head = b"\r\n".join([b"", *headers_raw]).decode(errors="replace")
        for name, value in readable(head).items():
            handle(name, value)


class _Media(RTP.RTPClient):
    """The audio of a call. pyVoIP reads its packets, and reads and writes its samples."""

    def set_up(self, port: socket.socket, hz: int, heard: Callable[[Tone], None]) -> None:
        """`port` is the one that was announced; it sends a tone of `hz`, and tells `heard` of what comes."""
        self.audio = Audio(port, hz, heard)

    def start(self) -> None:
        """Base: two threads, and two more at a second start, which a re-INVITE makes; the port is taken then.
        It keeps all that it hears, and where its sequence numbers end it sends a packet without one.
        """
        codec = Codec(int(self.preference), self._write, self._read)
        self.audio.start(codec, self.outSSRC, lambda: (self.outIP, self.outPort))

    def stop(self) -> None:
        """Base: fails where it has not started."""
        self.audio.stop()

    def _write(self, samples: array[int]) -> bytes:
        """Base: writes µ-law for A-law, too."""
        payload = audioop.bias(audioop.lin2lin(samples.tobytes(), 2, 1), 1, 128)
        is_a_law = self.preference == RTP.PayloadType.PCMA
        return bytes(self.encode_pcma(payload) if is_a_law else self.encode_packet(payload))

    def _read(self, data: bytes) -> Packet | None:
        """Base: makes 8 bits of what was 14."""
        try:
            packet = RTP.RTPMessage(data, self.assoc)
        except (RTP.RTPParseError, IndexError, TypeError, ValueError):
            return None
        decode = {RTP.PayloadType.PCMU: audioop.ulaw2lin, RTP.PayloadType.PCMA: audioop.alaw2lin}
        if (to_linear := decode.get(packet.payload_type)) is None:
            return None
        samples = array("h", to_linear(packet.payload, 2))
        return Packet(packet.SSRC, packet.sequence, packet.timestamp, samples)


class PhoneCall(VoIPCall):
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
        if (opened := self.phone.ports.pop(port, None)) is not None:
            media.set_up(opened, self.phone.hz, self._heard)
            self.RTPClients.append(media)

    def _heard(self, tone: Tone) -> None:
        self.phone.saw(Heard, time.monotonic(), self.call_id, tone.hz, tone.level_db)

    @property
    def rings(self) -> bool:
        """Whether it can still be answered or refused."""
        return bool(self.state is CallState.RINGING)

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
            self.phone.saw(Answered, self.answered_at, self.call_id)

    def refuse(self, status: int) -> None:
        """Base: `deny` can only be busy, and fails before audio has started."""
        self.phone.sip.refuse(self.request, status)
        self.phone.saw(Refused, time.monotonic(), self.call_id, status)
        self.close()

    def cancelled(self, reasons: Sequence[str]) -> None:
        """Base: a call that is cancelled rings on, and its INVITE gets no final response (RFC 3261 §9.2)."""
        self.phone.sip.refuse(self.request, 487)
        self.phone.saw(StoppedRinging, self.phone.sip.now, self.call_id, ", ".join(reasons))
        self.close()

    def hangup(self) -> None:
        """Base: BYE goes to the wrong place, without the route set; and before an answer there is none."""
        if self.state is CallState.ANSWERED and self.dialog is not None:
            self.cseq += 1
            self.phone.sip.asking.ask(self.dialog.request("BYE", self.cseq, self.phone.sip.via()))
            self.over(By.ITSELF)
        elif self.state is CallState.DIALING and not self.is_given_up:
            self.is_given_up = True
            self.phone.saw(GaveUp, time.monotonic())
            if self.has_progressed:
                self.phone.sip.asking.cancel(self.call_id)

    def over(self, by: By) -> None:
        """Its conversation has ended."""
        came = [each.audio.reception for each in self.RTPClients]
        self.phone.saw(
            Ended,
            time.monotonic(),
            self.call_id,
            by,
            sum(each.packets for each in came),
            sum(each.lost for each in came),
            round(max((each.jitter_s for each in came), default=0.0), 4),
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
            self.phone.saw(Progressed, self.phone.sip.now, status)

    def answered(self, request: SIP.SIPMessage) -> None:
        """Base: goes on talking where the answer has crossed its CANCEL."""
        super().answered(request)
        self.dialog = wording.Dialog.of_caller(request.text)
        self.cseq = int(request.headers["CSeq"]["check"])
        self.phone.saw(Answered, self.phone.sip.now, self.call_id)
        if self.is_given_up:
            self.hangup()

    def turned_down(self, status: int) -> None:
        """Base: of all refusals it knows two (404 and 503), and dials on after the others."""
        self.phone.saw(TurnedDown, self.phone.sip.now, status)
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
        self._refusals = Refusals(self.send)

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
        elif message.method in ("CANCEL", "BYE"):
            self.respond(message, 481)
        else:
            self.respond(message, 200 if message.method == "OPTIONS" else 405)

    def _invite(self, message: _Message, call: PhoneCall | None) -> None:
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

    def refuse(self, invite: _Message, status: int) -> None:
        """Refuses an INVITE, until that is acknowledged."""
        self._refusals.begin(invite.headers["Call-ID"], self.respond(invite, status))

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
    calls: dict[str, PhoneCall]

    def __init__(self, account: Account, tell: Callable[[Observation], None]) -> None:
        host, port = account.server
        super().__init__(host, port, account.number, account.password, myIP=account.host)
        self.sip = _Client(account, self)
        self.hz = 0
        "The tone that it sends in its next calls; 0 is silence."
        self._tell = tell
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

    def rung(self, invite: _Message) -> None:
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
