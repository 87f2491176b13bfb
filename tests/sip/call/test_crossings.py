"""What happens at once, twice, too late or not at all: every call ends, and nothing is left of it."""

from __future__ import annotations

import pytest

from sip.call.story import EndedBy
from sip.message.message import Request, Response
from sip.transport.flow import Transport
from tests.sip.call.phones import (
    Everybody,
    OneByOne,
    Switchboard,
    called,
    calling,
    connected,
    sdp,
)


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


# Who answers when nobody wants to know any more


def test_a_phone_that_answers_after_cancel_is_hung_up_on(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    alice.cancels(invite)
    bob.request("CANCEL")
    bob.answers(incoming)
    bob.takes("ACK")
    bob.says(bob.request("BYE"), 200)
    assert alice.lines() == ["180 INVITE", "200 CANCEL", "487 INVITE"]
    assert board.ended() == (EndedBy.CALLER, 487)
    board.assert_nothing_is_left()


def test_a_cancel_that_comes_after_the_answer_changes_nothing(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.answers(bob.request())
    response = alice.response("200 INVITE")
    alice.cancels(invite)
    alice.takes("200 CANCEL")
    talk = calling(alice, invite, response)
    talk.acks(invite)
    bob.takes("ACK")
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    board.assert_nothing_is_left()


def test_of_two_who_answer_at_once_the_first_has_the_call(board):
    board.routes["600"] = lambda: Everybody("102", "103")
    alice, bob, carol = board.phone("101"), board.phone("102"), board.phone("103")
    invite = alice.invite("600")
    to_bob, to_carol = bob.request(), carol.request()
    bob.says(to_bob, 180)
    carol.says(to_carol, 180)
    bob.answers(to_bob)
    bob.takes("ACK")
    (reason,) = carol.request("CANCEL").reason
    assert (reason.protocol, reason.cause, reason.text) == ("SIP", 200, "Call completed elsewhere")
    carol.answers(to_carol)
    carol.takes("ACK")
    carol.says(carol.request("BYE"), 200)
    talk = calling(alice, invite, alice.response_of("180 INVITE", "200 INVITE"))
    talk.acks(invite)
    alice.assert_silence()
    bob.assert_silence()
    talk.asks("BYE")
    bob.says(bob.request("BYE"), 200)
    board.assert_nothing_is_left()


def test_all_phones_of_a_line_ring_and_one_that_refuses_leaves_the_others_ringing(board):
    alice, desk, mobile = board.phone("101"), board.phone("102"), board.phone("102")
    invite = alice.invite("102")
    at_desk, at_mobile = desk.request(), mobile.request()
    assert at_desk.call_id != at_mobile.call_id
    desk.says(at_desk, 180)
    mobile.says(at_mobile, 180)
    assert alice.lines() == ["180 INVITE"]
    desk.says(at_desk, 486)
    desk.takes("ACK")
    alice.assert_silence()
    mobile.answers(at_mobile)
    mobile.takes("ACK")
    calling(alice, invite, alice.response("200 INVITE")).acks(invite)
    assert board.kinds() == ["CallBegan", "LegBegan", "LegRang", "CallAnswered"]


def test_who_declines_at_one_phone_has_declined_at_all(board):
    alice, desk, mobile = board.phone("101"), board.phone("102"), board.phone("102")
    alice.invite("102")
    at_mobile = mobile.request()
    mobile.says(at_mobile, 180)
    desk.says(desk.request(), 603)
    assert alice.lines() == ["180 INVITE", "603 INVITE"]
    mobile.says(mobile.request("CANCEL"), 200)
    mobile.says(at_mobile, 487)


def test_a_line_is_busy_where_one_phone_is_and_the_others_are_away(board):
    alice, desk, mobile = board.phone("101"), board.phone("102"), board.phone("102")
    alice.invite("102")
    desk.says(desk.request(), 486)
    mobile.says(mobile.request(), 480)
    assert alice.lines() == ["486 INVITE"]


def test_a_second_answer_behind_a_proxy_is_hung_up_on(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.answers(incoming)
    bob.takes("ACK")
    other = incoming.response(200, to_tag="another")
    other.contact = (bob.contact,)
    bob.sends(other)
    assert bob.request("ACK").to.tag == "another"
    bye = bob.request("BYE")
    assert bye.to.tag == "another"
    bob.says(bye, 200)
    calling(alice, invite, alice.response("200 INVITE")).acks(invite)
    bob.assert_silence()
    assert len(board.calls) == 1


# What is lost on the way


def test_an_answer_is_sent_again_until_its_ack_comes(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.answers(bob.request())
    board.passes(3.6)
    assert alice.lines() == ["200 INVITE"] * 4
    assert isinstance(alice.last, Response)
    talk = calling(alice, invite, alice.last)
    talk.acks(invite)
    board.passes(20)
    alice.assert_silence()


@pytest.mark.parametrize("transport", list(Transport))
def test_a_caller_who_never_acknowledges_is_hung_up_on(board, transport):
    alice, bob = board.phone("101", transport), board.phone("102", transport)
    alice.invite("102")
    bob.answers(bob.request())
    bob.takes("ACK")
    board.passes(33)
    assert alice.lines()[-1] == "BYE"
    bob.says(bob.request("BYE"), 200)
    assert board.ended() == (EndedBy.VANISHED, 200)
    board.assert_nothing_is_left()


def test_an_answer_that_comes_again_is_acknowledged_again(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    accepted = bob.answers(bob.request())
    first = bob.request("ACK")
    bob.sends(accepted)
    assert bytes(bob.request("ACK")) == bytes(first)
    assert alice.lines() == ["200 INVITE"]


def test_an_offer_that_comes_again_is_acknowledged_once_its_answer_is_there(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", b"")
    accepted = bob.says(bob.request(), 200, sdp(4010))
    bob.sends(accepted)
    bob.assert_silence()
    calling(alice, invite, alice.response("200 INVITE")).acks(invite, sdp(4000))
    first = bob.request("ACK")
    bob.sends(accepted)
    assert bytes(bob.request("ACK")) == bytes(first)


def test_an_ack_of_something_else_acknowledges_nothing(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.answers(bob.request())
    response = alice.response("200 INVITE")
    talk = calling(alice, invite, response)
    wrong = talk.dialog.ack(invite)
    wrong.headers.set("CSeq", "77 ACK")
    alice.asks(wrong)
    board.passes(0.6)
    assert alice.lines() == ["200 INVITE"]
    talk.acks(invite)
    board.passes(10)
    alice.assert_silence()


# Who vanishes


def test_a_phone_that_vanishes_while_it_rings_rings_until_the_caller_gives_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.says(bob.request(), 180)
    board.passes(30)
    alice.cancels(invite)
    board.passes(100)
    board.assert_nothing_is_left()
    assert board.ended() == (EndedBy.CALLER, 487)


def test_a_phone_that_has_vanished_does_not_answer_its_bye_and_is_forgotten(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    talk.asks("BYE")
    alice.takes("200 BYE")
    board.passes(40)
    board.assert_nothing_is_left()


def test_a_phone_that_does_not_know_its_call_any_more_has_ended_it(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    hold = talk.asks("INVITE", sdp(4000, "sendonly"))
    bob.says(bob.request(), 481)
    alice.acks_refusal(hold, alice.response("488 INVITE"))
    alice.says(alice.request("BYE"), 200)
    assert board.ended() == (EndedBy.VANISHED, 200)
    bob.takes("ACK", "BYE")
    board.assert_nothing_is_left()


def test_a_phone_whose_connection_is_gone_while_it_rings_is_out_of_reach(board):
    board.routes["600"] = lambda: OneByOne("102", "103")
    alice, bob = board.phone("101", Transport.TCP), board.phone("102", Transport.TCP)
    carol = board.phone("103")
    alice.invite("600")
    bob.says(bob.request(), 180)
    board.perform(board.transactions.closed(bob.way, board.now))
    carol.takes("INVITE")


def test_a_caller_whose_connection_is_gone_leaves_nobody_ringing(board):
    alice, bob = board.phone("101", Transport.TCP), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    board.perform(board.transactions.closed(alice.way, board.now))
    bob.takes("CANCEL")
    bob.says(incoming, 487)
    assert board.ended() == (EndedBy.VANISHED, 487)
    board.assert_nothing_is_left()


def test_a_phone_that_has_a_new_connection_is_reached_by_that(board):
    alice, bob = board.phone("101", Transport.TCP), board.phone("102", Transport.TCP)
    talk, _ = connected(board, alice, bob)
    bob.connects_anew()
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    board.assert_nothing_is_left()


# Who hangs up when


def test_both_hang_up_at_once(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, answered = connected(board, alice, bob)
    talk.asks("BYE")
    to_bob = bob.request("BYE")
    answered.asks("BYE")
    bob.takes("200 BYE")
    bob.says(to_bob, 200)
    assert alice.lines() == ["200 BYE"]
    assert board.ended() == (EndedBy.CALLER, 200)
    board.assert_nothing_is_left()


def test_who_answers_and_hangs_up_at_once_is_hung_up_when_the_caller_knows_of_the_call(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    accepted = bob.answers(incoming)
    bob.takes("ACK")
    called(bob, incoming, accepted).asks("BYE")
    bob.takes("200 BYE")
    # Before its ACK a caller is sent no BYE (RFC 3261 §15).
    response = alice.response("200 INVITE")
    alice.assert_silence()
    calling(alice, invite, response).acks(invite)
    alice.says(alice.request("BYE"), 200)
    board.assert_nothing_is_left()


def test_a_bye_that_overtakes_the_answer_ends_the_call(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    accepted = incoming.response(200, to_tag="at-102-198.51.100.2")
    accepted.contact = (bob.contact,)
    called(bob, incoming, accepted).asks("BYE")
    bob.takes("200 BYE", "CANCEL")
    assert alice.lines() == ["180 INVITE", "480 INVITE"]
    bob.answers(incoming)
    bob.takes("ACK")
    bob.says(bob.request("BYE"), 481)
    board.assert_nothing_is_left()


def test_a_caller_may_end_a_call_by_bye_before_it_is_answered(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    calling(alice, invite, alice.response("180 INVITE")).asks("BYE")
    assert alice.lines() == ["200 BYE", "487 INVITE"]
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    assert board.ended() == (EndedBy.CALLER, 487)
    bob.takes("ACK")
    board.assert_nothing_is_left()


def test_a_phone_that_hangs_up_while_its_session_is_changed(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, answered = connected(board, alice, bob)
    talk.asks("INVITE", sdp(4000, "sendonly"))
    to_bob = bob.request()
    answered.asks("BYE")
    bob.takes("200 BYE")
    assert alice.lines() == ["487 INVITE", "BYE"]
    assert isinstance(alice.last, Request)
    alice.says(alice.last, 200)
    # It answers what had come before its own BYE.
    bob.says(to_bob, 487)
    bob.takes("ACK")
    board.assert_nothing_is_left()


def test_a_phone_that_changes_the_session_and_hangs_up_at_once(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    talk.asks("INVITE", sdp(4000, "sendonly"))
    to_bob = bob.request()
    talk.asks("BYE")
    assert alice.lines() == ["200 BYE", "487 INVITE"]
    bye = bob.request("BYE")
    bob.answers(to_bob)
    bob.takes("ACK")
    bob.says(bye, 200)
    board.assert_nothing_is_left()


def test_a_request_of_a_call_that_is_over_finds_nothing(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    talk.asks("INVITE", sdp(4000))
    alice.takes("481 INVITE")


def test_a_stranger_who_knows_half_of_a_dialog_is_told_nothing(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    mallory = board.phone("666")
    bye = talk.dialog.request("BYE")
    bye.from_ = bye.from_.with_tag("guessed")
    mallory.asks(bye)
    mallory.takes("481 BYE")
    assert len(board.calls) == 1


def test_what_was_overtaken_is_refused(board):
    alice, bob = board.phone("101"), board.phone("102")
    talk, _ = connected(board, alice, bob)
    early, late = talk.dialog.request("INFO"), talk.dialog.request("OPTIONS")
    alice.asks(late)
    alice.asks(early)
    assert alice.lines() == ["200 OPTIONS", "500 INFO"]
    assert len(board.calls) == 1


@pytest.mark.parametrize("header", ["Allow: a b", "Session_Expires: x", "Require: a b", "RSeq: x"])
def test_what_a_phone_answers_counts_though_a_header_of_it_can_not_be_read(board, header):
    alice, bob = board.phone("101"), board.phone("102")
    name, _, value = header.partition(": ")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180, **{name: value})
    alice.takes("180 INVITE")
    bob.says(incoming, 200, sdp(bob.port), **{name: value})
    bob.takes("ACK")
    calling(alice, invite, alice.response("200 INVITE")).acks(invite)
    assert len(board.calls) == 1
