"""Phones that are gone without a word are noticed, and those that are there are asked (RFC 4028)."""

from __future__ import annotations

import pytest

from sip.call.story import EndedBy
from sip.message.sdp import parse_sdp
from tests.sip.call.phones import Switchboard, Talk, called, calling, connected, sdp


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_phones_that_know_nothing_of_it_are_asked_by_us(board):
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    board.passes(899)
    alice.assert_silence()
    board.passes(1.2)
    for phone in (alice, bob):
        refresh = phone.request("INVITE")
        assert str(refresh.session_expires) == "1800;refresher=uac"
        other = bob if phone is alice else alice
        # The same session once more: nothing changes.
        assert parse_sdp(refresh.body).media[0].port == other.port
        phone.says(refresh, 200, sdp(phone.port))
        phone.takes("ACK")
    board.passes(895)
    alice.assert_silence()
    assert len(board.calls) == 1


def test_a_phone_that_takes_updates_is_asked_by_one(board):
    alice, bob = board.phone("101"), board.phone("102")
    bob.allow = "INVITE, ACK, BYE, UPDATE"
    connected(board, alice, bob)
    board.passes(900.2)
    update = bob.request("UPDATE")
    assert not update.body
    bob.says(update, 200)
    alice.answers(alice.request())
    board.passes(40)
    bob.assert_silence()


def test_phones_that_are_gone_have_hung_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    board.passes(900 + 33)
    assert board.ended() == (EndedBy.VANISHED, 200)
    board.assert_nothing_is_left()


def test_a_phone_that_does_not_know_the_call_any_more_has_hung_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    board.passes(900.2)
    bob.says(bob.request("INVITE"), 481)
    assert board.ended() == (EndedBy.VANISHED, 200)


def test_a_phone_that_thinks_nothing_of_the_question_is_there(board):
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    board.passes(900.2)
    alice.answers(alice.request())
    refresh = bob.request()
    bob.says(refresh, 491)
    bob.takes("ACK")
    board.passes(3)
    bob.answers(bob.request())
    bob.takes("ACK")
    assert len(board.calls) == 1


def callers_timer(board: Switchboard, asked: str) -> tuple[Talk, str]:
    """A call whose caller knows of session timers, and what it was told."""
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Supported="timer", Session_Expires=asked)
    bob.says(bob.request(), 200, sdp(bob.port), Session_Expires="1800;refresher=uas", Require="timer")
    response = alice.response("200 INVITE")
    talk = calling(alice, invite, response)
    talk.acks(invite)
    bob.takes("ACK")
    assert response.require == (("timer",) if "uac" in str(response.session_expires) else ())
    return talk, str(response.session_expires)


def test_a_caller_who_asks_for_it_refreshes_itself(board):
    talk, told = callers_timer(board, "600")
    assert told == "600;refresher=uac"
    for _ in range(3):
        board.passes(300)
        refresh = talk.asks("UPDATE", Supported="timer", Session_Expires="600;refresher=uac")
        accepted = talk.phone.response("200 UPDATE")
        assert (refresh.cseq, str(accepted.session_expires)) == (accepted.cseq, "600;refresher=uac")
    assert len(board.calls) == 1
    board.passes(567)
    talk.phone.assert_silence()
    board.passes(1.2)
    assert talk.phone.lines() == ["BYE"]
    assert board.ended() == (EndedBy.VANISHED, 200)


def test_a_caller_may_leave_it_to_us(board):
    talk, told = callers_timer(board, "600;refresher=uas")
    assert told == "600;refresher=uas"
    board.passes(300.2)
    talk.phone.answers(talk.phone.request())
    talk.phone.takes("ACK")
    board.passes(295)
    talk.phone.assert_silence()
    board.passes(5.2)
    talk.phone.takes("INVITE")


def test_nobody_may_ask_too_often(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102", Supported="timer", Session_Expires="60")
    refused = alice.response("422 INVITE")
    assert refused.min_se is not None
    assert refused.min_se.interval_s == 90
    bob.assert_silence()
    assert (board.story, board.calls.legs) == ([], 0)


def test_a_callee_that_says_that_it_refreshes_and_does_not_is_gone(board):
    alice, bob = board.phone("101"), board.phone("102")
    bob_s = "600;refresher=uas"
    invite = alice.invite("102")
    incoming = bob.request()
    assert str(incoming.session_expires) == "1800"
    assert "timer" in incoming.supported
    accepted = bob.says(incoming, 200, sdp(bob.port), Session_Expires=bob_s, Require="timer")
    talk = calling(alice, invite, alice.response("200 INVITE"))
    talk.acks(invite)
    bob.takes("ACK")
    board.passes(300)
    refresh = called(bob, incoming, accepted)
    refresh.asks("UPDATE", Supported="timer", Session_Expires=bob_s.replace("uas", "uac"))
    bob.takes("200 UPDATE")
    board.passes(567)
    bob.assert_silence()
    board.passes(1.2)
    assert bob.lines() == ["BYE"]
