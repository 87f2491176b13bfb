"""Two handsets that call each other, without a switchboard between them, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from sip.handset.audio import Audio, NoAudio
from sip.handset.caller import Patience
from sip.handset.handset import Busy, Handset
from sip.handset.rung import Manner
from sip.handset.talk import CallEnd
from sip.message.address import Contact, NameAddress
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.message.sdp import Connection, Direction, parse_sdp
from sip.message.uri import SipUri
from sip.message.values import CSeq, MediaType
from sip.transaction.effects import Effect, NewRequest, Refused, Reply, Send
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address
from tests.sip.transaction.messages import Way

HERE = Connection("IP4", "192.0.2.1")
PATIENCE = Patience(rings_s=30, talks_s=60)


class NoLogin:
    """Of a line that nobody asks who it is."""

    def asked(self, challenges: Iterable[str]) -> bool:
        return False

    def say(self, method: str, uri: str) -> str | None:
        return None


@dataclass
class Asked(NoLogin):
    """Of one that answers, and counts how often."""

    times: int = 0

    def asked(self, challenges: Iterable[str]) -> bool:
        self.times += 1
        return True

    def say(self, method: str, uri: str) -> str | None:
        return f"Digest {self.times}" if self.times else None


@dataclass
class Phone:
    """One of the two."""

    number: str
    flow: Way
    manner: Manner = field(default_factory=lambda: Manner(5))
    ends: list[CallEnd] = field(default_factory=list)
    rung: list[CallEnd] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    "What it got."
    challenges: int = 0
    "How many INVITEs it answers by 401 before it rings."
    idle: int = 0

    def __post_init__(self) -> None:
        self.transactions = Transactions()
        self.handset = Handset(self.transactions, lambda _: Audio(HERE, 9), self._is_idle)

    def _is_idle(self) -> None:
        self.idle += 1

    @property
    def contact(self) -> Contact:
        return Contact(SipUri(self.flow.local.host, self.number, port=self.flow.local.port))


class Pair:
    """Two phones, and what is between them."""

    def __init__(self) -> None:
        one, other = Address("192.0.2.1", 5062), Address("192.0.2.2", 5062)
        self.caller = Phone("101", Way(local=one, remote=other))
        self.callee = Phone("102", Way(local=other, remote=one))
        self.now = 100.0
        self.lost: Callable[[str], bool] = lambda _: False

    def calls(self, patience: Patience = PATIENCE, login: NoLogin | None = None) -> None:
        invite = Request("INVITE", SipUri("192.0.2.2", "102", port=5062))
        invite.from_ = NameAddress(SipUri("192.0.2.2", "101")).with_tag("caller")
        invite.to = NameAddress(SipUri("192.0.2.2", "102"))
        invite.call_id, invite.cseq, invite.max_forwards = f"call-{self.now}", CSeq(1, "INVITE"), 70
        phone = self.caller
        effects = phone.handset.call(
            invite, phone.flow, phone.contact, login or NoLogin(), patience, phone.ends.append, self.now
        )
        self.perform(phone, effects)

    def perform(self, phone: Phone, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(data=data) | Reply(data=data):
                    self.deliver(self.other(phone), data)
                case Refused(response=response):
                    self.deliver(self.other(phone), bytes(response))
                case NewRequest():
                    self.take(phone, effect)
                case _:
                    self.perform(phone, phone.handset.take(effect, self.now))

    def deliver(self, phone: Phone, data: bytes) -> None:
        message = parse_datagram(data)
        assert message is not None
        assert isinstance(message, Request | Response)
        is_request = isinstance(message, Request)
        line = message.method if is_request else f"{message.status} {message.cseq.method}"
        if self.lost(line):
            return
        phone.lines.append(line)
        self.perform(phone, phone.transactions.receive(message, phone.flow, self.now))

    def take(self, phone: Phone, new: NewRequest) -> None:
        transaction = phone.transactions.serve(new, self.now)
        if phone.handset.knows(new.request, new.flow):
            effects = phone.handset.receive(transaction, self.now)
        elif phone.challenges:
            phone.challenges -= 1
            refusal = new.request.response(401, to_tag="challenge")
            refusal.headers.add("WWW-Authenticate", 'Digest realm="x", nonce="y"')
            effects = phone.transactions.respond(transaction, refusal, self.now)
        else:
            effects = phone.handset.rings(
                transaction, phone.contact, phone.manner, phone.rung.append, self.now
            )
        self.perform(phone, effects)

    def other(self, phone: Phone) -> Phone:
        return self.callee if phone is self.caller else self.caller

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        phones = (self.caller, self.callee)
        while True:
            due = [
                deadline
                for phone in phones
                for deadline in (phone.transactions.deadline, phone.handset.deadline)
                if deadline is not None and deadline <= end
            ]
            if not due:
                break
            self.now = max(self.now, min(due))
            for phone in phones:
                self.perform(phone, phone.transactions.timer(self.now))
                self.perform(phone, phone.handset.timer(self.now))
        self.now = end


def test_a_call_is_answered_and_ended_by_its_caller():
    pair = Pair()
    pair.calls()
    pair.passes(200)
    (end,) = pair.caller.ends
    assert (end.status, end.is_lost) == (200, False)
    assert (end.rang_after_s, end.answered_after_s, end.talked_s) == (0, 5, 60)
    assert [each.status for each in pair.callee.rung] == [200]
    assert pair.caller.lines == ["180 INVITE", "200 INVITE", "200 BYE"]
    assert pair.callee.lines == ["INVITE", "ACK", "BYE"]
    assert len(pair.caller.handset) == len(pair.callee.handset) == 0
    assert pair.caller.idle


def test_a_call_that_is_not_answered_is_given_up():
    pair = Pair()
    pair.callee.manner = Manner(None)
    pair.calls()
    pair.passes(200)
    assert [each.status for each in pair.caller.ends] == [487]
    assert [each.status for each in pair.callee.rung] == [487]
    assert "CANCEL" in pair.callee.lines
    assert len(pair.caller.handset) == len(pair.callee.handset) == 0


def test_a_call_is_turned_down():
    pair = Pair()
    pair.callee.manner = Manner(2, 603)
    pair.calls()
    pair.passes(200)
    assert [each.status for each in pair.caller.ends] == [603]


def test_a_caller_says_who_it_is_when_it_is_asked_and_once_more():
    pair, login = Pair(), Asked()
    pair.callee.challenges = 2
    pair.calls(login=login)
    pair.passes(200)
    assert [each.status for each in pair.caller.ends] == [200]
    assert login.times == 2


def test_a_caller_is_not_asked_for_ever():
    pair, login = Pair(), Asked()
    pair.callee.challenges = 9
    pair.calls(login=login)
    pair.passes(200)
    assert [each.status for each in pair.caller.ends] == [401]


def test_a_server_that_says_nothing_has_not_answered():
    pair = Pair()
    pair.lost = lambda _: True
    pair.calls(Patience(rings_s=100, talks_s=1))
    pair.passes(200)
    assert [(each.status, each.rang_after_s) for each in pair.caller.ends] == [(408, None)]


def test_an_answer_whose_ack_gets_lost_is_sent_again():
    pair = Pair()
    acks = iter([True, True])
    pair.lost = lambda line: line == "ACK" and next(acks, False)
    pair.calls()
    pair.passes(200)
    assert pair.caller.lines.count("200 INVITE") == 3
    assert [each.status for each in pair.callee.rung] == [200]


def test_whoever_leaves_ends_all_calls():
    pair = Pair()
    pair.calls()
    pair.now += 1
    pair.calls()
    pair.passes(4.5)
    assert len(pair.callee.handset) == 2
    pair.perform(pair.callee, pair.callee.handset.leave(pair.now))
    pair.passes(200)
    assert sorted(each.status for each in pair.caller.ends) == [200, 480]
    assert len(pair.caller.handset) == len(pair.callee.handset) == 0


def test_no_phone_has_twenty_one_calls():
    pair = Pair()
    pair.callee.manner = Manner(None)
    for _ in range(20):
        pair.now += 0.1
        pair.calls()
    with pytest.raises(Busy):
        pair.calls()


OFFER = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=video 4000 RTP/AVP 96\r\nm=audio 4002 RTP/AVP 18 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"
)


@pytest.mark.parametrize(
    ("offered", "answered"), [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("inactive", "inactive")]
)
def test_an_answer_takes_one_codec_of_one_stream_and_mirrors_its_direction(offered: str, answered: str):
    answer = parse_sdp(Audio(HERE, 9).answer(parse_sdp(f"{OFFER}a={offered}\r\n".encode())))
    video, audio = answer.media
    assert video.port == 0
    assert (audio.port, audio.formats) == (9, ("8", "96"))
    assert answer.direction_of(audio) is Direction(answered)


def test_a_session_has_a_new_version_when_it_has_changed():
    audio = Audio(HERE, 9)
    versions = [parse_sdp(audio.offer()).origin.version for _ in range(2)]
    versions.append(parse_sdp(audio.answer(parse_sdp(OFFER.encode()))).origin.version)
    assert versions == ["1", "1", "2"]


@pytest.mark.parametrize("stream", ["audio 4000 RTP/SAVP 8", "audio 0 RTP/AVP 8", "audio 4000 RTP/AVP 18"])
def test_what_can_not_be_talked_by_is_refused(stream: str):
    offer = f"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\nm={stream}\r\n"
    with pytest.raises(NoAudio):
        Audio(HERE, 9).answer(parse_sdp(offer.encode()))


def test_a_session_is_changed_while_they_talk():
    pair = Pair()
    pair.calls()
    pair.passes(10)
    (talk,) = pair.callee.handset._talks.values()
    assert talk.dialog is not None
    again = talk.dialog.request("INVITE")
    again.contact = (pair.callee.contact,)
    again.content_type, again.body = MediaType("application", "sdp"), f"{OFFER}a=sendonly\r\n".encode()
    _, effects = pair.callee.transactions.request(again, pair.callee.flow, pair.now)
    pair.perform(pair.callee, effects)
    assert pair.callee.lines[-1] == "200 INVITE"
