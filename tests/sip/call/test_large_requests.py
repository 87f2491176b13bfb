"""What is too large for a datagram goes by a connection, where there can be one (RFC 3261 §18.1.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sip.call.story import EndedBy
from sip.call.wire import Held
from sip.message.address import Contact
from sip.message.uri import SipUri
from sip.transport.flow import Transport
from tests.sip.call.phones import Phone, Switchboard, calling, connected, sdp
from tests.sip.transaction.messages import Way

LARGE = b"".join(b"a=candidate:%d 1 UDP 2130706431 198.51.100.1 4000 typ host\r\n" % n for n in range(20))


@dataclass
class Office:
    """Two phones, and what is held back of what they are sent."""

    held: list[Held] = field(default_factory=list)
    board: Switchboard = field(init=False)
    alice: Phone = field(init=False)
    bob: Phone = field(init=False)

    def __post_init__(self) -> None:
        self.board = Switchboard(fit=self.held.append)
        self.alice, self.bob = self.board.phone("101"), self.board.phone("102")

    def goes(self, transport: Transport) -> None:
        """It is found out by which flow the only one that is held back goes."""
        (held,) = self.held
        self.held.clear()
        way = Way(transport, held.flow.local, held.flow.remote)
        self.board.perform(self.board.calls.send(held, way, self.board.now))


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_large_invite_waits_for_a_connection_and_goes_by_it(office):
    invite = office.alice.invite("102", sdp(4000) + LARGE)
    office.bob.assert_silence()
    assert office.held[0].size > 1300
    office.goes(Transport.TCP)
    incoming = office.bob.request()
    assert (len(incoming.via), incoming.via[0].transport) == (1, "TCP")
    # What comes after it is small, and may come as ever.
    assert str(incoming.contact[0].uri) == "sip:192.0.2.1:5060"
    office.bob.answers(incoming)
    assert office.bob.request("ACK").via[0].transport == "UDP"
    talk = calling(office.alice, invite, office.alice.response("200 INVITE"))
    talk.acks(invite)
    talk.asks("BYE")
    office.bob.says(office.bob.request("BYE"), 200)
    office.board.assert_nothing_is_left()


def test_where_there_is_no_connection_it_goes_as_it_would_have(office):
    office.alice.invite("102", sdp(4000) + LARGE)
    office.goes(Transport.UDP)
    assert office.bob.request().via[0].transport == "UDP"


@pytest.mark.parametrize("where", ["small", "connection", "nat"])
def test_nothing_waits_that_need_not(where):
    held: list[Held] = []
    board = Switchboard(fit=held.append)
    alice = board.phone("101")
    bob = board.phone("102", Transport.TCP if where == "connection" else Transport.UDP)
    if where == "nat":
        # It does not know where it is seen, and takes no connection there.
        bob.contact = Contact(SipUri("192.168.1.20", "102"))
    alice.invite("102", sdp(4000) + (b"" if where == "small" else LARGE))
    bob.takes("INVITE")
    assert not held


def test_whoever_gives_up_meanwhile_has_nothing_sent(office):
    invite = office.alice.invite("102", sdp(4000) + LARGE)
    office.alice.cancels(invite)
    office.alice.acks_refusal(invite, office.alice.response_of("200 CANCEL", "487 INVITE"))
    office.goes(Transport.TCP)
    office.bob.assert_silence()
    assert office.board.ended() == (EndedBy.CALLER, 487)
    office.board.assert_nothing_is_left()


def test_a_call_is_cancelled_that_waited_for_its_connection(office):
    invite = office.alice.invite("102", sdp(4000) + LARGE)
    office.goes(Transport.TCP)
    incoming = office.bob.request()
    office.bob.says(incoming, 180)
    office.alice.cancels(invite)
    assert office.bob.request("CANCEL").via[0].transport == "TCP"
    office.bob.says(office.bob.last, 200)  # type: ignore[arg-type]
    office.bob.says(incoming, 487)


def test_a_connection_that_never_comes_rings_nobody(office):
    office.alice.invite("102", sdp(4000) + LARGE)
    office.board.passes(5.1)
    assert office.alice.lines() == ["100 INVITE", "480 INVITE"]
    assert office.board.ended() == (EndedBy.NOBODY, 480)
    office.goes(Transport.TCP)
    office.bob.assert_silence()


def test_another_session_within_a_call_may_be_large_as_well(office):
    talk, _ = connected(office.board, office.alice, office.bob)
    asked = talk.asks("INVITE", sdp(4000) + LARGE)
    office.goes(Transport.TCP)
    again = office.bob.request()
    assert again.via[0].transport == "TCP"
    office.bob.answers(again)
    assert office.alice.response("200 INVITE").cseq == asked.cseq
