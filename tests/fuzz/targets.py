"""What is fuzzed, and what must hold whatever comes.

Nothing but the errors of `sip` may be raised; what was read is written so that it reads the same; nothing
takes long. Needs neither pytest nor a fuzzer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from sip.digest import parse_challenges, parse_credentials
from sip.errors import SipError
from sip.message import limits
from sip.message.errors import MessageError
from sip.message.framing import Framed, Refused, StreamFramer
from sip.message.message import Message, Request
from sip.message.parser import AnyMessage, parse_datagram
from sip.message.sdp import parse_sdp
from sip.message.typed import Lines, Needed, One, Several
from sip.message.uri import SipUri, equivalent, parse_uri
from sip.transaction.effects import NewRequest
from sip.transaction.effects import Refused as RefusedRequest
from sip.transaction.transactions import Transactions
from sip.transport.answers import note_source, response_address
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import REGISTER, vector, verdicts

MOST_S = 1.0
"Of CPU, for 64 KiB; it takes some 50 ms, and a fuzzer's instrumentation slows it down."
WRITABLE = {
    name: value for name, value in vars(Message).items() if isinstance(value, One | Needed | Several)
} | {"contact": None}
READABLE = (*WRITABLE, *(name for name, value in vars(Message).items() if isinstance(value, Lines)))
URIS = (
    "sip:alice:secretword@atlanta.com;transport=tcp?subject=project%20x&priority=urgent",
    "sips:+1-212-555-1212:1234@gateway.com;user=phone",
    "sip:%61lice@[2001:db8::10]:5070;lr;maddr=239.255.255.1;ttl=15",
    "tel:+358-555-1234567;postd=pp22",
    "urn:service:sos",
)
AUTH = (
    'Digest username="48223809887", realm="pbx.example.com", nonce="65a1b2", uri="sip:pbx.example.com:5060", '
    'response="0123456789abcdef0123456789abcdef", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001',
    'Digest realm="a\\"b", nonce="c", qop="auth,auth-int", stale=TRUE, algorithm=SHA-256, Digest realm="a"',
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, NTLM",
)
SEPARATOR = b"\n=====\n"
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\n"
    b"m=audio 49170/2 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
    b"m=video 0 RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp:53020\r\n",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that reads what strangers send."""

    check: Callable[[bytes], None]
    "Raises whatever is wrong with us."
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        began = time.process_time()
        self.check(data)
        took_s = time.process_time() - began
        if took_s > MOST_S:
            raise AssertionError(f"{len(data)} bytes took {took_s:.2f} s")


class Flow:
    """Where a message came from."""

    transport = Transport.UDP
    local = Address("203.0.113.1", 5060)
    remote = Address("2001:db8::7", 5060)
    is_open = True

    def send(self, data: bytes) -> bool:
        """Goes nowhere."""
        return False


def datagram(data: bytes) -> None:
    """A message in a datagram, its headers, and its answer."""
    message: AnyMessage | None
    try:
        message = parse_datagram(data[: limits.MESSAGE])
        if message is not None:
            assert_same(message)
    except MessageError as error:
        message = error.request
    if message is not None:
        look_at(message)
    if isinstance(message, Request):
        note_source(message, Flow())
        assert response_address(message, Flow()).host == Flow.remote.host
        answer = bytes(message.response(400, to_tag="a"))
        assert answer.count(b"\r\n\r\n") == 1


def stream(data: bytes) -> None:
    """Messages in a stream, whose pieces are as the first byte says."""
    size = 1 + (data[0] if data else 0)
    data = data[1:]
    whole, pieces = StreamFramer(), StreamFramer()
    expected = whole.feed(data)
    framed = [each for at in range(0, len(data), size) for each in pieces.feed(data[at : at + size])]
    assert [said(each) for each in framed] == [said(each) for each in expected]
    ends = whole.end(), pieces.end()
    assert said(ends[0]) == said(ends[1])
    assert not whole.is_within_message
    for each in expected:
        if isinstance(each, Message):
            look_at(each)


def sdp(data: bytes) -> None:
    """A session description."""
    with suppress(MessageError):
        description = parse_sdp(data)
        assert parse_sdp(bytes(description)) == description
        for section in (description, *description.media):
            look_at_properties(section)
            section.attributes("rtpmap")
        for media in description.media:
            with suppress(MessageError):
                description.connection_of(media)
            description.direction_of(media)


def auth(data: bytes) -> None:
    """Credentials and challenges."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(SipError):
        credentials = parse_credentials(text)
        assert credentials.use >= 0
        assert len(credentials.expected("0" * 32, "REGISTER")) in {32, 64}
        # What no header can hold is refused when it is written.
        with suppress(SipError):
            assert parse_credentials(str(credentials)) == credentials
    for challenge in parse_challenges(text.split("\n")):
        with suppress(SipError):
            assert parse_challenges([str(challenge)]) == (challenge,)


def uri(data: bytes) -> None:
    """A URI alone."""
    with suppress(MessageError):
        read = parse_uri(data.decode("utf-8", "surrogateescape"))
        assert parse_uri(str(read)) == read
        assert equivalent(read, read)
        if isinstance(read, SipUri):
            aor = read.address_of_record()
            assert aor.address_of_record() == aor
            assert parse_uri(str(aor)) == aor
            assert parse_uri(str(read.without_headers())) == read.without_headers()


def transactions(data: bytes) -> None:
    """Datagrams one after the other, to a server that takes each request and asks its sender something."""
    known, flow, now = Transactions(), Flow(), 1000.0
    for part in data.split(SEPARATOR):
        now += 1.0
        effects = known.timer(now)
        with suppress(MessageError):
            message = parse_datagram(part[: limits.MESSAGE])
            if message is None:
                continue
            if isinstance(message, Request):
                note_source(message, flow)
            effects += known.receive(message, flow, now)
        for effect in effects:
            if isinstance(effect, NewRequest):
                serve(known, effect, 200 + len(part) % 300, now)
            elif isinstance(effect, RefusedRequest):
                assert bytes(effect.response)
    # Whatever has begun ends.
    for _ in range(10):
        if known.deadline is None:
            return
        now = max(now + 64, known.deadline)
        known.timer(now)
    raise AssertionError("a timer never ends")


def serve(known: Transactions, new: NewRequest, status: int, now: float) -> None:
    """Rings, answers, and asks back."""
    request = new.request
    try:
        transaction = known.serve(new, now)
    except SipError:
        return
    known.respond(transaction, request.response(180, to_tag="a"), now)
    known.respond(transaction, request.response(status), now)
    back = Request(request.method, request.uri, request.headers.copy("To", "From", "Call-ID", "CSeq"))
    known.request(back, new.flow, now)


def assert_same(message: AnyMessage) -> None:
    """It reads the same when it is written; so does each header that has a type."""
    again = parse_datagram(bytes(message))
    assert again == message
    for name in WRITABLE:
        try:
            value = getattr(message, name)
        except MessageError:
            continue
        if value is not None and not (name == "contact" and message.is_contact_star):
            copy = Request("OPTIONS", "sip:a")
            setattr(copy, name, value)
            assert getattr(Request("OPTIONS", "sip:a", copy.headers.copy()), name) == value, name


def look_at(message: AnyMessage) -> None:
    """Reads all that has a type."""
    for name in (*READABLE, "contact", "is_contact_star"):
        with suppress(MessageError):
            found = getattr(message, name)
            for value in found if isinstance(found, tuple) else (found,):
                look_at_properties(value)


def look_at_properties(value: object) -> None:
    """Reads what a value computes."""
    for name in dir(type(value)):
        if isinstance(getattr(type(value), name), property):
            with suppress(MessageError):
                getattr(value, name)


def said(framed: Framed | None) -> object:
    """What tells one outcome from another."""
    return (framed.error.code, str(framed.error), framed.is_last) if isinstance(framed, Refused) else framed


def messages() -> tuple[bytes, ...]:
    """The vectors, and a phone's REGISTER."""
    return (*(vector(rfc, name) for rfc in ("rfc4475", "rfc5118") for name in verdicts(rfc)), REGISTER)


def conversations() -> tuple[bytes, ...]:
    """Each vector, sent again, taken back and acknowledged."""
    found = []
    for message in messages():
        method = message.lstrip(b"\r\n").partition(b" ")[0]
        others = (message.replace(method, other) for other in (b"CANCEL", b"ACK"))
        found.append(SEPARATOR.join((message, message, *others)))
    return tuple(found)


def encoded(texts: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


TARGETS = {
    "datagram": Target(datagram, messages()),
    "stream": Target(stream, tuple(b"\x04" + message * 2 for message in messages())),
    "transactions": Target(transactions, conversations()),
    "sdp": Target(sdp, SDP),
    "auth": Target(auth, encoded(AUTH)),
    "uri": Target(uri, encoded(URIS)),
}
