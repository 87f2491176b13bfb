"""An engine with phones around it, in virtual time: what is sent is there at once, unless a test says not.

Each phone does what the test tells it, message by message, and keeps what it gets until the test looks.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from sip.call.board import Place
from sip.call.calls import Calls
from sip.call.replacing import May, Taker
from sip.call.ringing import Caller, Ending, GivenUp, Outcome, Ring, Step, Target
from sip.call.story import CallEnded, EndedBy, Event
from sip.call.transfer import Transfer
from sip.call.wire import Fit
from sip.dialog import Dialog
from sip.errors import SipError
from sip.message.address import Contact, NameAddress
from sip.message.message import Message, Request, Response
from sip.message.parameters import Parameters
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri
from sip.message.values import CSeq, MediaType
from sip.message.via import Via
from sip.transaction.effects import Effect, NewRequest, Refused, Reply, Send
from sip.transaction.errors import AlreadyServed
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address, Transport
from tests.sip.transaction.messages import Way

SERVER = Address("192.0.2.1", 5060)
NAMES = {"101": "Recepcja", "102": "Biuro", "103": "Magazyn"}
_STATUS = {Outcome.BUSY: 486, Outcome.DECLINED: 603, Outcome.NO_ANSWER: 480, Outcome.UNREACHABLE: 480}


def sdp(port: int, direction: str = "sendrecv", host: str = "198.51.100.1") -> bytes:
    """What a phone says that it wants to hear at `port`."""
    lines = (
        "v=0", f"o=phone {port} 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", f"a={direction}",
    )  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines).encode()


class Everybody:
    """Rings all at once, until the last has ended."""

    deadline: float | None = None

    def __init__(self, *aors: str, caller: Caller = Caller("101", "Recepcja")) -> None:  # noqa: B008
        self._targets = [Target(aor, caller) for aor in aors]
        self._left = set(range(len(aors)))

    def start(self, now: float) -> list[Step]:
        return [Ring(number, target) for number, target in enumerate(self._targets)]

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        self._left.discard(id)
        if self._left:
            return []
        return [GivenUp(ending.outcome, _STATUS.get(ending.outcome, ending.status or 480))]

    def timer(self, now: float) -> list[Step]:
        return []


class OneByOne(Everybody):
    """Rings one after another."""

    def start(self, now: float) -> list[Step]:
        return [Ring(0, self._targets[0])]

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        if id + 1 < len(self._targets):
            return [Ring(id + 1, self._targets[id + 1])]
        self._left.clear()
        return super().ended(id, ending, now)


@dataclass
class Switchboard:
    """The engine, its transactions, its clock and its phones."""

    now: float = 1_000.0
    phones: dict[Address, Phone] = field(default_factory=dict)
    story: list[Event] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    "Those of which nobody has found out yet whom they ring."
    lost: Callable[[bytes], bool] = lambda _: False
    "Which messages get lost on the way, either way."
    fit: Fit | None = None
    "Is asked by which flow a large request goes."
    may: May = lambda line, target: len(line) == 3
    "Whose dialogs may be taken over."
    is_full: bool = False
    "Whether whoever takes one over is in as many calls as its line may be."
    hear: Callable[[Event], None] = lambda _: None
    "Is told what happens to calls."

    def __post_init__(self) -> None:
        self.transactions = Transactions()
        refer = self.transfers.append
        self.calls = Calls(self.transactions, self.places, self._tell, refer, self.fit, self.present)
        self.call = uuid4()
        "The newest one, or that about to be."
        self.routes: dict[str, Callable[[], Everybody]] = {}
        "Whom a number rings; others ring the line of that number."

    def phone(self, line: str, transport: Transport = Transport.UDP) -> Phone:
        """Another phone, registered at the line."""
        remote = Address(f"198.51.100.{len(self.phones) + 1}", 5060)
        phone = self.phones[remote] = Phone(self, line, Way(transport, SERVER, remote))
        return phone

    def places(self, target: Target) -> Sequence[Place]:
        return [
            Place(phone.contact.uri, phone.way) for phone in self.phones.values()
            if phone.line == target.aor and phone.is_registered
        ]  # fmt: skip

    def present(self, line: str, to: str) -> Caller:
        """Lines of three digits are colleagues, who see each other's names."""
        return Caller(line, NAMES.get(line, "")) if len(line) == len(to) else Caller(f"48{line}")

    def kinds(self) -> list[str]:
        """What has happened, by its names."""
        return [type(event).__name__ for event in self.story]

    def ended(self) -> tuple[EndedBy, int]:
        """Why the only call has ended, and what its caller was told."""
        (ended,) = [event for event in self.story if isinstance(event, CallEnded)]
        return ended.by, ended.status

    def _has_room(self, other: str) -> bool:
        return not self.is_full

    def _tell(self, event: Event) -> None:
        self.story.append(event)
        self.hear(event)

    # What comes

    def take(self, data: bytes, way: Way) -> None:
        """A phone has sent something."""
        if self.lost(data):
            return
        message = parse_datagram(data)
        assert message is not None
        self.perform(self.transactions.receive(message, way, self.now))

    def perform(self, effects: Sequence[Effect]) -> None:
        """What the driver does."""
        for effect in effects:
            match effect:
                case Send(flow, data) | Reply(flow=flow, data=data):
                    if not self.lost(data):
                        self.phones[flow.remote].get(data)
                case NewRequest():
                    self._new(effect)
                case Refused(_, flow, response):
                    self.phones[flow.remote].get(bytes(response))
                case _:
                    self.perform(self.calls.take(effect, self.now))

        while self.transfers:
            transfer = self.transfers.pop(0)
            number = transfer.referral.number
            if number == "404":
                self.perform(self.calls.refuse(transfer, 404, self.now))
            else:
                self.call = transfer.id
                ringing = self.routes[number]() if number in self.routes else Everybody(number)
                self.perform(self.calls.forward(transfer, number, ringing, self.now))

    def _new(self, new: NewRequest) -> None:
        request = new.request
        try:
            transaction = self.transactions.serve(new, self.now)
        except AlreadyServed:
            return
        try:
            if self.calls.knows(request, new.flow):
                self.perform(self.calls.receive(transaction, self.now))
            elif request.method == "INVITE" and request.replaces is not None:
                line = request.from_.uri
                assert isinstance(line, SipUri)
                taker = Taker(line.user or "", "102", self.may, bool(request.privacy), self._has_room)
                self.perform(self.calls.take_over(transaction, request.replaces, taker, self.now))
            elif request.method == "INVITE" and request.to.tag is None:
                dialled = request.uri.user if isinstance(request.uri, SipUri) else None
                assert dialled is not None
                line = request.from_.uri
                assert isinstance(line, SipUri)
                route = self.routes.get(dialled, lambda: Everybody(dialled))
                self.call = uuid4()
                caller, now = line.user or "", self.now
                self.perform(self.calls.begin(transaction, caller, dialled, route(), now, self.call))
            else:
                self.perform(
                    self.transactions.respond(transaction, request.response(481, to_tag="no"), self.now)
                )
        except SipError as error:
            refusal = request.response(error.status, to_tag="no")
            for name, value in error.headers:
                refusal.headers.add(name, value)
            self.perform(self.transactions.respond(transaction, refusal, self.now))

    def passes(self, seconds: float) -> None:
        """Time passes, and what is due is done in its order."""
        end = self.now + seconds
        while (due := self.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            self.perform(self.transactions.timer(self.now))
            self.perform(self.calls.timer(self.now))
        self.now = end

    @property
    def deadline(self) -> float | None:
        waiting = [each for each in (self.transactions.deadline, self.calls.deadline) if each is not None]
        return min(waiting, default=None)

    def assert_nothing_is_left(self) -> None:
        """Every call has ended, once; and after a while nothing remembers anything of it."""
        self.passes(200)
        assert len(self.calls) == 0
        assert self.calls.legs == 0
        assert len(self.transactions) == 0
        assert self.deadline is None
        assert self.kinds().count("CallBegan") == self.kinds().count("CallEnded")


class Phone:
    """A phone that does as it is told."""

    def __init__(self, board: Switchboard, line: str, way: Way) -> None:
        self.board = board
        self.line = line
        self.way = way
        self.is_registered = True
        self.inbox: deque[Message] = deque()
        self.contact = self.contact_at(way.remote.host)
        self.port = 4_000 + 10 * len(board.phones)
        self.allow = ""
        "The methods that it says that it takes."
        self._numbers = itertools.count(1)

    def contact_at(self, host: str) -> Contact:
        """What it says of where it is, when it is there."""
        return Contact(SipUri(host, self.line, port=self.way.remote.port))

    def connects_anew(self) -> None:
        """Its connection breaks, and it registers by another."""
        self.board.perform(self.board.transactions.closed(self.way, self.board.now))
        object.__setattr__(self.way, "is_open", False)
        del self.board.phones[self.way.remote]
        self.way = Way(self.way.transport, SERVER, Address(self.way.remote.host, self.way.remote.port + 1))
        self.board.phones[self.way.remote] = self

    def get(self, data: bytes) -> None:
        message = parse_datagram(data)
        assert message is not None
        self.last = message
        self.inbox.append(message)

    def takes(self, *lines: str) -> Message:
        """The next messages that it got are these: `INVITE`, or `180 INVITE`. The last of them."""
        for line in lines:
            assert self.inbox, f"{self.line} got nothing where it waits for {line}"
            message = self.inbox.popleft()
            assert _line(message) == line, f"{self.line} got {_line(message)}, and waits for {line}"
        return message

    def request(self, line: str = "INVITE") -> Request:
        """The next that it got is this request."""
        message = self.takes(line)
        assert isinstance(message, Request)
        return message

    def response(self, line: str) -> Response:
        """The next that it got is this response."""
        message = self.takes(line)
        assert isinstance(message, Response)
        return message

    def request_of(self, *lines: str) -> Request:
        """The next that it got are these, of which the last is a request."""
        message = self.takes(*lines)
        assert isinstance(message, Request)
        return message

    def response_of(self, *lines: str) -> Response:
        """The next that it got are these, of which the last is a response."""
        return _of(self.takes(*lines))

    def lines(self) -> list[str]:
        """All that it got and hasn't been looked at."""
        lines = [_line(each) for each in self.inbox]
        self.inbox.clear()
        return lines

    def assert_silence(self) -> None:
        """It got nothing more."""
        assert [_line(each) for each in self.inbox] == []

    # What it sends

    def invite(self, number: str, body: bytes | None = None, hops: int = 70, **headers: str) -> Request:
        """Calls `number`; with an offer, unless the body is empty."""
        call_id = f"{self.line}-{next(self._numbers)}@phone"
        request = Request("INVITE", SipUri(SERVER.host, number))
        request.from_ = NameAddress(SipUri(SERVER.host, self.line)).with_tag(f"of-{self.line}")
        request.to = NameAddress(SipUri(SERVER.host, number))
        request.call_id = call_id
        request.cseq = CSeq(next(self._numbers), "INVITE")
        request.max_forwards = hops
        for name, value in headers.items():
            request.headers.add(name.replace("_", "-"), value)
        return self.asks(request, sdp(self.port) if body is None else body)

    def asks(self, request: Request, body: bytes = b"") -> Request:
        """Sends a request of its own, as a new transaction."""
        if body:
            request.content_type, request.body = MediaType("application", "sdp"), body
        if request.method in ("INVITE", "UPDATE", "REFER"):
            request.contact = (self.contact,)
        branch = f"z9hG4bK{self.line}{self.way.remote.host}{next(self._numbers)}"
        host, port = self.way.remote
        request.headers.prepend(
            "Via", str(Via(self.way.transport.upper(), host, port, Parameters([("branch", branch)])))
        )
        self.sends(request)
        return request

    def sends(self, message: Message) -> None:
        """The same once more, if it was sent before."""
        self.board.take(bytes(message), self.way)

    def cancels(self, invite: Request, reason: str = "") -> Request:
        cancel = Request("CANCEL", invite.uri, invite.headers.copy("Via", "From", "To", "Call-ID"))
        cancel.cseq = CSeq(invite.cseq.number, "CANCEL")
        if reason:
            cancel.headers.add("Reason", reason)
        self.sends(cancel)
        return cancel

    def acks_refusal(self, invite: Request, response: Response) -> None:
        ack = Request("ACK", invite.uri, invite.headers.copy("Via", "From", "Call-ID"))
        ack.to, ack.cseq = response.to, CSeq(invite.cseq.number, "ACK")
        self.sends(ack)

    def says(self, request: Request, status: int, body: bytes = b"", **headers: str) -> Response:
        """Answers a request."""
        tag = None if status == 100 else f"at-{self.line}-{self.way.remote.host}"
        response = request.response(status, to_tag=tag)
        response.contact = (self.contact,)
        if self.allow:
            response.headers.add("Allow", self.allow)
        for name, value in headers.items():
            response.headers.set(name.replace("_", "-"), value)
        if body:
            response.content_type, response.body = MediaType("application", "sdp"), body
        self.sends(response)
        return response

    def answers(self, invite: Request) -> Response:
        return self.says(invite, 200, sdp(self.port))


@dataclass
class Talk:
    """An answered call as one phone knows it."""

    phone: Phone
    dialog: Dialog

    def asks(self, method: str, body: bytes = b"", **headers: str) -> Request:
        request = self.dialog.request(method)
        for name, value in headers.items():
            request.headers.add(name.replace("_", "-"), value)
        return self.phone.asks(request, body)

    def acks(self, invite: Request, body: bytes = b"") -> Request:
        return self.phone.asks(self.dialog.ack(invite), body)


def calling(phone: Phone, invite: Request, response: Response) -> Talk:
    """The call, for who has called."""
    return Talk(phone, Dialog.as_client(invite, response))


def called(phone: Phone, invite: Request, response: Response) -> Talk:
    """The call, for who has answered."""
    dialog = Dialog.as_server(invite, response)
    return Talk(phone, dialog)


def connected(board: Switchboard, caller: Phone, callee: Phone) -> tuple[Talk, Talk]:
    """Two phones in a call."""
    invite = caller.invite(callee.line)
    incoming = callee.request()
    callee.says(incoming, 180)
    accepted = callee.answers(incoming)
    callee.takes("ACK")
    talk = calling(caller, invite, _of(caller.takes("180 INVITE", "200 INVITE")))
    talk.acks(invite)
    return talk, called(callee, incoming, accepted)


def replaces(talk: Talk) -> str:
    """The dialog of a talk, as Refer-To names it."""
    dialog = talk.dialog
    value = f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"
    return value.replace("@", "%40").replace(";", "%3B").replace("=", "%3D")


def _of(message: Message) -> Response:
    assert isinstance(message, Response)
    return message


def _line(message: Message) -> str:
    if isinstance(message, Request):
        return message.method
    assert isinstance(message, Response)
    return f"{message.status} {message.cseq.method}"
