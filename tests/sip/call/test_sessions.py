"""Changes of a call that is answered: hold and resume (RFC 5359 §2.1), UPDATE, INFO, glare (RFC 3261 §14)."""

from __future__ import annotations

import pytest

from sip.call.session import on_hold
from sip.call.story import EndedBy
from sip.message.sdp import Direction, parse_sdp
from sip.message.values import MediaType
from tests.sip.call.phones import Switchboard, calling, connected, sdp


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def talking(board):
    alice, bob = board.phone("101"), board.phone("102")
    return alice, bob, *connected(board, alice, bob)


def test_a_phone_holds_and_resumes(board, talking):
    alice, bob, talk, answered = talking
    hold = talk.asks("INVITE", sdp(4000, "sendonly"))
    to_bob = bob.request()
    offered = parse_sdp(to_bob.body)
    assert offered.is_on_hold
    bob.says(to_bob, 200, sdp(4010, "recvonly"))
    bob.takes("ACK")
    held = alice.response("200 INVITE")
    answer = parse_sdp(held.body)
    assert answer.direction_of(answer.media[0]) is Direction.RECVONLY
    talk.acks(hold)
    resume = talk.asks("INVITE", sdp(4000))
    to_bob = bob.request()
    resumed = parse_sdp(to_bob.body)
    # The same session in another version (RFC 3264 §8).
    assert resumed.origin.session_id == offered.origin.session_id
    assert int(resumed.origin.version) == int(offered.origin.version) + 1
    bob.answers(to_bob)
    bob.takes("ACK")
    alice.takes("200 INVITE")
    talk.acks(resume)
    # And the other one holds, too.
    hold = answered.asks("INVITE", sdp(4010, "sendonly"))
    alice.answers(alice.request())
    alice.takes("ACK")
    bob.takes("200 INVITE")
    answered.acks(hold)
    board.passes(30)
    alice.assert_silence()
    bob.assert_silence()


def test_the_same_said_again_is_the_same_version(board, talking):
    _, bob, talk, _ = talking
    first = talk.asks("INVITE", sdp(4000))
    one = bob.request()
    bob.answers(one)
    talk.acks(first)
    talk.asks("INVITE", sdp(4000))
    two = bob.request_of("ACK", "INVITE")
    assert parse_sdp(one.body).origin == parse_sdp(two.body).origin


def test_a_change_that_is_refused_leaves_the_call_as_it_was(board, talking):
    alice, bob, talk, _ = talking
    asked = talk.asks("INVITE", sdp(4000, "inactive"))
    bob.says(bob.request(), 488)
    bob.takes("ACK")
    alice.acks_refusal(asked, alice.response("488 INVITE"))
    board.passes(40)
    assert len(board.calls) == 1
    talk.asks("BYE")
    assert alice.lines() == ["200 BYE"]


def test_an_offer_is_asked_for_and_answered_with_the_ack(board, talking):
    alice, bob, talk, _ = talking
    asked = talk.asks("INVITE")
    to_bob = bob.request()
    assert not to_bob.body
    bob.answers(to_bob)
    alice.takes("200 INVITE")
    bob.assert_silence()
    talk.acks(asked, sdp(4004))
    assert parse_sdp(bob.request("ACK").body).media[0].port == 4004


def test_both_change_the_session_at_once_and_both_are_told_to_wait(board, talking):
    alice, bob, talk, answered = talking
    by_alice = talk.asks("INVITE", sdp(4000, "sendonly"))
    to_bob = bob.request()
    by_bob = answered.asks("INVITE", sdp(4010, "sendonly"))
    bob.acks_refusal(by_bob, bob.response("491 INVITE"))
    bob.says(to_bob, 491)
    bob.takes("ACK")
    alice.acks_refusal(by_alice, alice.response("491 INVITE"))
    # One of them comes again.
    again = talk.asks("INVITE", sdp(4000, "sendonly"))
    bob.answers(bob.request())
    bob.takes("ACK")
    alice.takes("200 INVITE")
    talk.acks(again)
    assert len(board.calls) == 1


def test_a_second_change_before_the_first_is_answered_is_told_to_wait(board, talking):
    alice, bob, talk, _ = talking
    talk.asks("INVITE", sdp(4000, "sendonly"))
    talk.asks("INVITE", sdp(4000))
    refused = alice.response("500 INVITE")
    assert refused.retry_after is not None
    bob.takes("INVITE")
    bob.assert_silence()


def test_an_update_without_a_session_is_answered_here(board, talking):
    alice, bob, talk, _ = talking
    talk.asks("UPDATE")
    alice.takes("200 UPDATE")
    bob.assert_silence()


def test_an_update_reaches_a_phone_that_takes_it(board):
    alice, bob = board.phone("101"), board.phone("102")
    bob.allow = "INVITE, ACK, BYE, CANCEL, UPDATE"
    talk, _ = connected(board, alice, bob)
    talk.asks("UPDATE", sdp(4000, "sendonly"))
    update = bob.request("UPDATE")
    assert parse_sdp(update.body).is_on_hold
    bob.says(update, 200, sdp(4010, "recvonly"))
    response = alice.response("200 UPDATE")
    assert parse_sdp(response.body).media[0].port == 4010
    assert response.contact
    bob.assert_silence()


def test_an_update_reaches_a_phone_that_takes_none_as_an_invite(board, talking):
    alice, bob, talk, _ = talking
    talk.asks("UPDATE", sdp(4000, "sendonly"))
    bob.says(bob.request("INVITE"), 200, sdp(4010, "recvonly"))
    bob.takes("ACK")
    assert parse_sdp(alice.response("200 UPDATE").body).media[0].port == 4010


def test_an_update_before_anybody_has_answered_comes_too_early(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    bob.says(bob.request(), 180)
    talk = calling(alice, invite, alice.response("180 INVITE"))
    talk.asks("UPDATE", sdp(4000, "sendonly"))
    assert alice.response("500 UPDATE").retry_after is not None
    talk.asks("UPDATE")
    alice.takes("200 UPDATE")


def test_options_in_a_call_are_answered_here(board, talking):
    alice, bob, talk, _ = talking
    talk.asks("OPTIONS")
    assert "INVITE" in alice.response("200 OPTIONS").allow
    bob.assert_silence()


def test_key_presses_reach_the_other_side(board, talking):
    alice, bob, talk, _ = talking
    info = talk.dialog.request("INFO")
    info.content_type, info.body = MediaType("application", "dtmf-relay"), b"Signal=5\r\nDuration=160\r\n"
    alice.asks(info)
    passed = bob.request("INFO")
    assert passed.body == b"Signal=5\r\nDuration=160\r\n"
    assert str(passed.content_type) == "application/dtmf-relay"
    bob.says(passed, 200)
    alice.takes("200 INFO")


def test_other_bodies_of_info_are_refused(board, talking):
    alice, bob, talk, _ = talking
    info = talk.dialog.request("INFO")
    info.content_type, info.body = MediaType("text", "html"), b"<p>"
    alice.asks(info)
    assert alice.response("415 INFO").accept
    talk.asks("INFO", Info_Package="x")
    alice.takes("469 INFO")
    bob.assert_silence()


def test_methods_that_mean_nothing_in_a_call_are_refused(board, talking):
    alice, _, talk, _ = talking
    talk.asks("MESSAGE")
    assert "BYE" in alice.response("405 MESSAGE").allow
    assert len(board.calls) == 1


def test_a_phone_that_does_not_acknowledge_a_change_is_hung_up_on(board, talking):
    alice, bob, talk, _ = talking
    talk.asks("INVITE", sdp(4000, "sendonly"))
    bob.answers(bob.request())
    bob.takes("ACK")
    board.passes(33)
    assert alice.lines()[-1] == "BYE"
    assert set(bob.lines()) == {"BYE"}
    assert board.ended() == (EndedBy.VANISHED, 200)


def test_a_phone_that_moves_is_found_where_it_is_now(board, talking):
    alice, bob, talk, answered = talking
    moved = answered.dialog.request("INVITE")
    bob.contact = bob.contact_at("198.51.100.77")
    bob.asks(moved, sdp(4010))
    alice.answers(alice.request())
    alice.takes("ACK")
    bob.takes("200 INVITE")
    answered.acks(moved)
    talk.asks("BYE")
    alice.takes("200 BYE")
    assert str(bob.request("BYE").uri) == "sip:102@198.51.100.77:5060"


def test_what_is_put_off_is_neither_refused_nor_heard():
    offered = parse_sdp(
        sdp(4000) + b"a=crypto:1 x\r\nm=video 0 RTP/AVP 99\r\nm=audio 4002 RTP/SAVP 8\r\na=crypto:1 x\r\n"
    )
    audio, video, secret = on_hold(offered).media
    assert (audio.port, audio.formats, audio.direction) == (9, ("8", "101"), Direction.INACTIVE)
    assert [line.value for line in audio.lines] == ["rtpmap:101 telephone-event/8000", "inactive"]
    # A stream that is refused, and one that nobody has a key for.
    assert (video.port, secret.port) == (0, 0)
