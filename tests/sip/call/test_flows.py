"""Call flows of RFC 3665 §3, message by message, with the server between the two phones."""

from __future__ import annotations

import re

import pytest

from sip.call.ringing import Caller
from sip.call.story import EndedBy
from sip.message.sdp import parse_sdp
from sip.transport.flow import Transport
from tests.sip.call.phones import Everybody, OneByOne, Switchboard, called, calling, connected, sdp


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.mark.parametrize("transport", list(Transport))
def test_3_1_a_call_is_set_up_and_ended_by_who_answered(board, transport):
    alice, bob = board.phone("101", transport), board.phone("102", transport)
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 100)
    bob.says(incoming, 180)
    ringing = alice.response("180 INVITE")
    accepted = bob.answers(incoming)
    bob.takes("ACK")
    response = alice.response("200 INVITE")
    assert response.to.tag == ringing.to.tag
    talk = calling(alice, invite, response)
    talk.acks(invite)
    called(bob, incoming, accepted).asks("BYE")
    bob.takes("200 BYE")
    alice.says(alice.request("BYE"), 200)
    alice.assert_silence()
    bob.assert_silence()
    assert board.kinds() == ["CallBegan", "LegBegan", "LegRang", "CallAnswered", "CallEnded"]
    assert board.ended() == (EndedBy.CALLEE, 200)
    board.assert_nothing_is_left()


def test_the_caller_hangs_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    talk.asks("BYE", Reason='Q.850;cause=16;text="Normal"')
    alice.takes("200 BYE")
    bye = bob.request("BYE")
    assert [str(each) for each in bye.reason] == ['Q.850;cause=16;text="Normal"']
    bob.says(bye, 200)
    assert board.ended() == (EndedBy.CALLER, 200)
    board.assert_nothing_is_left()


def test_nothing_of_one_side_passes_to_the_other_but_what_is_meant_to(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite(
        "102", Subject="secret", X_Mine="1", Record_Route="<sip:192.0.2.7;lr>", User_Agent="phone",
        P_Asserted_Identity="<sip:boss@192.0.2.1>", Alert_Info="<x>", Supported="x", Organization="us",
    )  # fmt: skip
    incoming = bob.request()
    assert incoming.call_id != invite.call_id
    assert incoming.from_.tag != invite.from_.tag
    assert len(incoming.via) == 1
    assert str(incoming.contact[0].uri) == "sip:192.0.2.1:5060"
    assert incoming.uri == bob.contact.uri
    assert {name for name, _ in incoming.headers} == {
        "Via", "Max-Forwards", "From", "P-Asserted-Identity", "Remote-Party-ID", "To", "Call-ID", "CSeq",
        "Contact", "Allow", "Supported", "Session-Expires", "Min-SE", "Content-Type",
    }  # fmt: skip
    assert incoming.max_forwards == 69


def test_a_caller_is_shown_in_all_three_headers(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    assert str(incoming.from_.with_tag("x")) == '"Recepcja" <sip:101@192.0.2.1:5060>;tag=x'
    assert [str(each) for each in incoming.p_asserted_identity] == ['"Recepcja" <sip:101@192.0.2.1:5060>']
    (shown,) = incoming.remote_party_id
    assert (str(shown.uri), shown.display_name) == ("sip:101@192.0.2.1:5060", "Recepcja")
    assert incoming.privacy == ()


def test_of_a_caller_who_hides_nothing_is_said(board):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja", is_hidden=True))
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    assert not re.search(rb"\b101\b", bytes(incoming).partition(b"\r\n\r\n")[0])
    assert b"Recepcja" not in bytes(incoming)
    assert incoming.privacy == ("id",)


def test_media_go_directly_and_each_side_sees_one_session_of_ours(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", sdp(4000, host="198.51.100.1"))
    incoming = bob.request()
    offered = parse_sdp(incoming.body)
    assert offered.media[0].port == 4000
    assert str(offered.connection) == "IN IP4 198.51.100.1"
    assert offered.origin != parse_sdp(invite.body).origin
    bob.says(incoming, 200, sdp(4010, host="198.51.100.2"))
    answered = parse_sdp(alice.response("200 INVITE").body)
    assert answered.media[0].port == 4010
    assert answered.origin.session_id != offered.origin.session_id


def test_3_8_a_caller_gives_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    alice.takes("180 INVITE")
    alice.cancels(invite)
    alice.acks_refusal(invite, alice.response_of("200 CANCEL", "487 INVITE"))
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    bob.takes("ACK")
    assert board.ended() == (EndedBy.CALLER, 487)
    assert board.kinds() == ["CallBegan", "LegBegan", "LegRang", "LegEnded", "CallEnded"]
    board.assert_nothing_is_left()


def test_a_caller_gives_up_before_the_phone_has_said_anything(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    alice.cancels(invite)
    alice.acks_refusal(invite, alice.response_of("200 CANCEL", "487 INVITE"))
    # Nothing may overtake the INVITE (RFC 3261 §9.1).
    bob.assert_silence()
    bob.says(incoming, 180)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    bob.takes("ACK")
    board.assert_nothing_is_left()


def test_what_a_forking_caller_says_of_the_call_reaches_the_phone_that_rings(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.says(bob.request(), 180)
    alice.cancels(invite, 'SIP;cause=200;text="Call completed elsewhere"')
    (reason,) = bob.request("CANCEL").reason
    assert (reason.cause, reason.text) == (200, "Call completed elsewhere")


@pytest.mark.parametrize(
    ("said", "told"), [(486, 486), (600, 486), (603, 603), (480, 480), (404, 480), (503, 480), (488, 488)]
)
def test_3_9_a_phone_that_refuses_ends_the_call(board, said, told):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, said)
    bob.takes("ACK")
    alice.acks_refusal(invite, alice.response(f"{told} INVITE"))
    assert board.ended() == (EndedBy.NOBODY, told)
    board.assert_nothing_is_left()


def test_a_number_without_phones_is_out_of_reach_at_once(board):
    alice = board.phone("101")
    invite = alice.invite("102")
    alice.acks_refusal(invite, alice.response("480 INVITE"))
    assert board.kinds() == ["CallBegan", "LegBegan", "LegEnded", "CallEnded"]
    board.assert_nothing_is_left()


def test_3_10_a_phone_that_says_nothing_is_out_of_reach_after_some_seconds(board):
    board.routes["600"] = lambda: OneByOne("102", "103")
    alice, _, carol = board.phone("101"), board.phone("102"), board.phone("103")
    alice.invite("600")
    board.passes(4.9)
    carol.assert_silence()
    board.passes(0.2)
    carol.says(carol.request(), 180)
    assert "180 INVITE" in alice.lines()


def test_a_phone_that_wakes_up_late_is_told_that_it_is_too_late(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    board.passes(5.5)
    assert "480 INVITE" in alice.lines()
    bob.inbox.clear()
    bob.says(incoming, 180)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    bob.takes("ACK")
    board.assert_nothing_is_left()


def test_a_caller_is_told_again_and_again_that_it_still_rings(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    bob.says(bob.request(), 180)
    board.passes(125)
    assert alice.lines() == ["180 INVITE"] * 3


def test_nobody_rings_for_ever(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    bob.says(bob.request(), 180)
    board.passes(601)
    assert alice.lines()[-1].startswith("480")
    bob.takes("CANCEL")


def test_a_call_without_an_offer_gets_one_and_its_answer_comes_with_the_ack(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", b"")
    incoming = bob.request()
    assert not incoming.body
    bob.says(incoming, 200, sdp(4010))
    response = alice.response("200 INVITE")
    assert parse_sdp(response.body).media[0].port == 4010
    # What it answers is not known yet.
    bob.assert_silence()
    calling(alice, invite, response).acks(invite, sdp(4000))
    assert parse_sdp(bob.request("ACK").body).media[0].port == 4000
    assert board.kinds()[-1] == "CallAnswered"


def test_an_ack_that_owes_an_answer_and_has_none_ends_the_call(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", b"")
    bob.says(bob.request(), 200, sdp(4010))
    calling(alice, invite, alice.response("200 INVITE")).acks(invite)
    alice.says(alice.request("BYE"), 200)
    bob.takes("ACK")
    bob.says(bob.request("BYE"), 200)
    assert board.ended() == (EndedBy.FAILED, 200)
    board.assert_nothing_is_left()


def test_a_phone_that_answers_without_a_session_is_hung_up_on(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    bob.says(bob.request(), 200)
    bob.takes("ACK")
    bob.says(bob.request("BYE"), 200)
    alice.takes("488 INVITE")


def test_a_phone_that_does_not_say_where_it_is_has_not_answered(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    bob.says(bob.request(), 200, sdp(4010), Contact="*")
    bob.assert_silence()
    alice.takes("502 INVITE")
    board.assert_nothing_is_left()


def test_when_the_call_is_over_a_2xx_that_comes_again_has_its_ack_and_another_phone_is_hung_up_on(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    answer = bob.answers(incoming)
    talk = calling(alice, invite, alice.response("200 INVITE"))
    talk.acks(invite)
    ack = bob.takes("ACK")
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    bob.sends(answer)
    assert bytes(bob.takes("ACK")) == bytes(ack)
    answer.to = answer.to.with_tag("behind-the-same-proxy")
    bob.sends(answer)
    assert bob.takes("ACK").to.tag == "behind-the-same-proxy"
    bye = bob.request("BYE")
    assert (bye.to.tag, bye.cseq.number) == ("behind-the-same-proxy", incoming.cseq.number + 1)
    bob.says(bye, 200)
    board.assert_nothing_is_left()


def test_a_body_that_is_no_session_is_refused(board):
    alice = board.phone("101")
    alice.invite("102", b"hello", Content_Encoding="gzip")
    assert alice.response("415 INVITE").headers.get("Accept") == "application/sdp"
    alice.invite("102", b"hello")
    alice.takes("400 INVITE")
    assert board.story == []
    assert board.calls.legs == 0


def test_a_call_that_has_come_too_far_is_refused(board):
    alice = board.phone("101")
    alice.invite("102", hops=0)
    alice.takes("483 INVITE")


def test_early_media_are_heard_where_one_phone_alone_rings(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 183, sdp(4010))
    early = alice.response("183 INVITE")
    assert parse_sdp(early.body).media[0].port == 4010
    bob.answers(incoming)
    response = alice.response("200 INVITE")
    assert response.to.tag == early.to.tag
    calling(alice, invite, response).acks(invite)
    assert board.kinds()[-1] == "CallAnswered"


def test_what_another_phone_answers_than_was_heard_early_is_another_dialog(board):
    board.routes["600"] = lambda: OneByOne("102", "103")
    alice, bob, carol = board.phone("101"), board.phone("102"), board.phone("103")
    invite = alice.invite("600")
    ringing = bob.request()
    bob.says(ringing, 183, sdp(4010))
    early = alice.response("183 INVITE")
    bob.says(ringing, 486)
    carol.answers(carol.request())
    response = alice.response("200 INVITE")
    assert response.to.tag != early.to.tag
    talk = calling(alice, invite, response)
    talk.acks(invite)
    carol.takes("ACK")
    talk.asks("BYE")
    alice.takes("200 BYE")
    carol.says(carol.request("BYE"), 200)
    bob.inbox.clear()
    board.assert_nothing_is_left()


def test_of_several_that_ring_none_is_heard_early(board):
    board.routes["600"] = lambda: Everybody("102", "103")
    alice, bob, carol = board.phone("101"), board.phone("102"), board.phone("103")
    alice.invite("600")
    bob.says(bob.request(), 183, sdp(4010))
    carol.says(carol.request(), 180)
    assert alice.lines() == ["180 INVITE"]


def test_an_operator_ends_a_call(board):
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    (call,) = board.calls.live
    board.perform(board.calls.hang_up(call.id, board.now))
    alice.says(alice.request("BYE"), 200)
    bob.says(bob.request("BYE"), 200)
    assert board.ended() == (EndedBy.OPERATOR, 200)
    board.perform(board.calls.hang_up(call.id, board.now))
    board.assert_nothing_is_left()
