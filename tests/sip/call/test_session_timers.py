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


def test_a_phone_that_wants_to_be_asked_less_often_is_rung_so(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    first = bob.request()
    bob.says(first, 422, Min_SE="3600")
    bob.takes("ACK")
    again = bob.request()
    assert (str(again.session_expires), str(again.min_se)) == ("3600", "3600")
    assert again.cseq.number == first.cseq.number + 1
    assert (again.call_id, again.from_.tag, again.to.tag) == (first.call_id, first.from_.tag, None)
    assert parse_sdp(again.body) == parse_sdp(first.body)
    bob.says(again, 200, sdp(bob.port), Session_Expires="3600;refresher=uac")
    bob.takes("ACK")
    talk = calling(alice, invite, alice.response("200 INVITE"))
    talk.acks(invite)
    # The caller's interval is another.
    board.passes(900.2)
    alice.answers(alice.request())
    bob.assert_silence()
    board.passes(900)
    assert str(bob.request().session_expires) == "3600;refresher=uac"


@pytest.mark.parametrize("said", ["", "1800", "90", "90000", "x"])
def test_a_phone_that_says_nothing_that_would_help_has_refused(board, said):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    bob.says(bob.request(), 422, **({"Min_SE": said} if said else {}))
    bob.takes("ACK")
    bob.assert_silence()
    assert alice.lines() == ["422 INVITE"]
    board.assert_nothing_is_left()


def test_a_phone_that_always_wants_more_is_given_up(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    asked = 0
    for interval in range(2_000, 200_000, 2_000):
        if not bob.inbox:
            break
        bob.says(bob.request(), 422, Min_SE=str(interval))
        bob.takes("ACK")
        asked += 1
    assert asked < 6
    assert len(alice.lines()) == 1


def test_a_phone_that_wants_more_after_it_was_given_up_is_left_alone(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    alice.cancels(invite)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 422, Min_SE="3600")
    bob.takes("ACK")
    bob.assert_silence()


@pytest.mark.parametrize("allow", ["INVITE", "INVITE, UPDATE"])
def test_another_session_is_asked_for_once_more_where_it_would_be_asked_too_often(board, allow):
    alice, bob = board.phone("101"), board.phone("102")
    bob.allow = allow
    talk, _ = connected(board, alice, bob)
    method = "UPDATE" if "UPDATE" in allow else "INVITE"
    asked = talk.asks(method, sdp(5000))
    first = bob.request(method)
    bob.says(first, 422, Min_SE="2400")
    if method == "INVITE":
        bob.takes("ACK")
    again = bob.request(method)
    assert str(again.session_expires).startswith("2400")
    assert again.body == first.body
    bob.answers(again)
    assert alice.response(f"200 {method}").cseq == asked.cseq


def test_an_interval_is_not_made_shorter_than_the_caller_bears(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102", Supported="timer", Session_Expires="7200", Min_SE="3600")
    bob.answers(bob.request())
    assert str(alice.response("200 INVITE").session_expires) == "3600;refresher=uac"
