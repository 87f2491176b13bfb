"""Provisional responses that arrive for certain (RFC 3262), message by message, on both sides."""

from __future__ import annotations

import pytest

from sip.call.story import EndedBy
from sip.message.values import CSeq, RAck
from tests.sip.call.early import agrees_early, hangs_up, port, pracks, says_reliably
from tests.sip.call.phones import Everybody, OneByOne, Switchboard, called, calling, sdp
from tests.sip.call.story import assert_is_whole


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_a_caller_who_requires_it_is_told_so_until_it_has_thanked(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Require="100rel")
    incoming = bob.request()
    bob.says(incoming, 180)
    ringing = alice.response("180 INVITE")
    assert ringing.require == ("100rel",)
    assert 1 <= (ringing.rseq or 0) < 2**31
    # Twice as long each time (§3).
    sent = []
    for tenth in range(1, 160):
        board.passes(0.1)
        if alice.inbox:
            sent.append(tenth)
            assert alice.response("180 INVITE").rseq == ringing.rseq
    assert sent == [5, 15, 35, 75, 155]
    talk = calling(alice, invite, ringing)
    pracks(alice, talk, ringing)
    alice.takes("200 PRACK")
    board.passes(30)
    alice.assert_silence()
    bob.answers(incoming)
    bob.takes("ACK")
    # Nothing was said of the session before.
    assert port(alice.response("200 INVITE")) == bob.port
    talk.acks(invite)
    hangs_up(board, talk, bob)


def test_what_a_phone_says_reliably_it_is_thanked_for_and_the_caller_is_told_reliably(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Supported="timer, 100rel")
    incoming = bob.request()
    assert "100rel" in incoming.supported
    progress = says_reliably(bob, incoming, 183, 7, sdp(bob.port))
    prack = bob.request("PRACK")
    assert str(prack.rack) == f"7 {incoming.cseq.number} INVITE"
    assert (prack.to.tag, prack.from_.tag, prack.call_id) == (
        progress.to.tag, incoming.from_.tag, incoming.call_id
    )  # fmt: skip
    assert prack.cseq == CSeq(incoming.cseq.number + 1, "PRACK")
    assert not prack.body
    bob.says(prack, 200)
    early = alice.response("183 INVITE")
    assert early.require == ("100rel",)
    assert port(early) == bob.port
    talk = calling(alice, invite, early)
    pracks(alice, talk, early)
    alice.takes("200 PRACK")
    # All is agreed upon: nobody says it once more (RFC 6337 §3.1.1).
    accepted = bob.says(incoming, 200)
    assert not bob.request("ACK").body
    assert not alice.response("200 INVITE").body
    talk.acks(invite)
    at_bob = called(bob, incoming, accepted)
    hold = at_bob.asks("INVITE", sdp(bob.port, "sendonly"))
    alice.answers(alice.request())
    alice.takes("ACK")
    bob.takes("200 INVITE")
    at_bob.acks(hold)
    hangs_up(board, talk, bob)
    assert bob.last.cseq == CSeq(prack.cseq.number + 1, "BYE")


def test_an_answer_waits_until_the_caller_has_thanked_for_what_it_was_told_of_the_session(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite, incoming, early = agrees_early(alice, bob)
    bob.answers(incoming)
    bob.takes("ACK")
    alice.assert_silence()
    board.passes(0.6)
    assert alice.response("183 INVITE").rseq == early.rseq
    talk = calling(alice, invite, early)
    pracks(alice, talk, early)
    alice.takes("200 PRACK", "200 INVITE")
    talk.acks(invite)
    hangs_up(board, talk, bob)


def test_an_answer_does_not_wait_for_thanks_for_a_mere_180(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Require="100rel")
    incoming = bob.request()
    bob.says(incoming, 180)
    ringing = alice.response("180 INVITE")
    bob.answers(incoming)
    accepted = alice.response("200 INVITE")
    talk = calling(alice, invite, accepted)
    # It may come late, and is right all the same (§3).
    pracks(alice, talk, ringing)
    alice.takes("200 PRACK")
    talk.acks(invite)
    board.passes(5)
    alice.assert_silence()
    bob.takes("ACK")
    hangs_up(board, talk, bob)


def test_a_caller_who_knows_nothing_of_it_is_told_as_ever(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    says_reliably(bob, incoming, 183, 1, sdp(bob.port))
    bob.says(bob.request("PRACK"), 200)
    early = alice.response("183 INVITE")
    assert (early.rseq, early.require) == (None, ())
    # The phone has said all of its session.
    bob.says(incoming, 200)
    bob.takes("ACK")
    accepted = alice.response("200 INVITE")
    assert port(accepted) == bob.port
    talk = calling(alice, invite, accepted)
    talk.acks(invite)
    hangs_up(board, talk, bob)


def test_a_caller_who_knows_it_is_told_as_ever_what_a_phone_says_so(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102", Supported="100rel")
    bob.says(bob.request(), 180)
    assert alice.response("180 INVITE").rseq is None


def test_what_comes_again_or_too_early_is_passed_over(board):
    alice, bob = board.phone("101"), board.phone("102")
    alice.invite("102")
    incoming = bob.request()
    ringing = says_reliably(bob, incoming, 180, 5)
    bob.says(bob.request("PRACK"), 200)
    alice.takes("180 INVITE")
    bob.sends(ringing)
    says_reliably(bob, incoming, 183, 7, sdp(bob.port))
    bob.assert_silence()
    alice.assert_silence()
    says_reliably(bob, incoming, 182, 6)
    assert str(bob.request("PRACK").rack) == f"6 {incoming.cseq.number} INVITE"
    says_reliably(bob, incoming, 183, 7, sdp(bob.port))
    bob.takes("PRACK")
    alice.takes("183 INVITE")


@pytest.mark.parametrize("wrong", ["rseq", "cseq", "method", "none", "twice", "stranger"])
def test_a_prack_of_nothing_is_refused(board, wrong):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Require="100rel")
    bob.says(bob.request(), 180)
    ringing = alice.response("180 INVITE")
    talk = calling(alice, invite, ringing)
    assert ringing.rseq is not None
    rseq, number = ringing.rseq, invite.cseq.number
    match wrong:
        case "rseq":
            pracks(alice, talk, ringing, rack=RAck(rseq + 1, CSeq(number, "INVITE")))
        case "cseq":
            pracks(alice, talk, ringing, rack=RAck(rseq, CSeq(number + 1, "INVITE")))
        case "method":
            pracks(alice, talk, ringing, rack=RAck(rseq, CSeq(number, "UPDATE")))
        case "none":
            talk.asks("PRACK")
        case "twice":
            pracks(alice, talk, ringing)
            alice.takes("200 PRACK")
            pracks(alice, talk, ringing)
        case "stranger":
            talk.dialog.local = talk.dialog.local.with_tag("another")
            pracks(alice, talk, ringing)
    alice.takes("481 PRACK")


def test_a_caller_who_never_thanks_is_refused(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Require="100rel")
    incoming = bob.request()
    bob.says(incoming, 180)
    board.passes(31.9)
    assert set(alice.lines()) == {"180 INVITE"}
    board.passes(0.2)
    alice.acks_refusal(invite, alice.response("504 INVITE"))
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    assert board.ended() == (EndedBy.VANISHED, 504)
    bob.takes("ACK")
    board.assert_nothing_is_left()


def test_a_caller_who_offers_nothing_answers_what_a_phone_offers_while_it_rings(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", b"", Require="100rel")
    incoming = bob.request()
    assert not incoming.body
    assert "100rel" in incoming.supported
    # Nothing can be said reliably before there is an offer (§5).
    bob.says(incoming, 180)
    alice.assert_silence()
    says_reliably(bob, incoming, 183, 1, sdp(bob.port))
    bob.assert_silence()
    offered = alice.response("183 INVITE")
    assert port(offered) == bob.port
    talk = calling(alice, invite, offered)
    pracks(alice, talk, offered, sdp(alice.port))
    alice.takes("200 PRACK")
    prack = bob.request("PRACK")
    assert port(prack) == alice.port
    bob.says(prack, 200)
    bob.says(incoming, 200)
    assert not bob.request("ACK").body
    assert not alice.response("200 INVITE").body
    talk.acks(invite)
    assert board.kinds()[-1] == "CallAnswered"
    hangs_up(board, talk, bob)


def test_phones_that_ring_together_are_not_asked_for_an_offer_before_they_answer(board):
    board.routes["600"] = lambda: Everybody("102", "103")
    alice, bob, carol = board.phone("101"), board.phone("102"), board.phone("103")
    alice.invite("600", b"", Supported="100rel")
    assert "100rel" in bob.request().supported
    assert "100rel" not in carol.request().supported


def test_another_offer_in_a_prack_is_passed_on_and_answered(board):
    alice, bob = board.phone("101"), board.phone("102")
    bob.allow = "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"
    invite, incoming, early = agrees_early(alice, bob)
    talk = calling(alice, invite, early)
    pracks(alice, talk, early, sdp(5000))
    update = bob.request("UPDATE")
    assert port(update) == 5000
    alice.assert_silence()
    bob.says(update, 200, sdp(5010))
    answered = alice.response("200 PRACK")
    assert port(answered) == 5010
    assert answered.session_expires is None
    bob.says(incoming, 200)
    assert bob.request("ACK").cseq.number == incoming.cseq.number
    assert not alice.response("200 INVITE").body
    talk.acks(invite)
    hangs_up(board, talk, bob)


def test_another_offer_that_a_phone_does_not_take_changes_nothing(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Supported="100rel")
    incoming = bob.request()
    says_reliably(bob, incoming, 183, 1, sdp(bob.port))
    bob.takes("PRACK")
    early = alice.response("183 INVITE")
    talk = calling(alice, invite, early)
    pracks(alice, talk, early, sdp(5000))
    alice.takes("488 PRACK")
    bob.says(incoming, 200)
    alice.takes("200 INVITE")


def test_the_next_phone_is_heard_in_a_dialog_of_its_own(board):
    board.routes["600"] = lambda: OneByOne("102", "103")
    alice, bob, carol = board.phone("101"), board.phone("102"), board.phone("103")
    invite = alice.invite("600", Supported="100rel")
    first = bob.request()
    says_reliably(bob, first, 183, 1, sdp(bob.port))
    bob.takes("PRACK")
    heard = alice.response("183 INVITE")
    bob.says(first, 486)
    bob.takes("ACK")
    second = carol.request()
    says_reliably(carol, second, 183, 90, sdp(carol.port))
    carol.takes("PRACK")
    # One after another: what was said before has no thanks yet.
    alice.assert_silence()
    pracks(alice, calling(alice, invite, heard), heard)
    alice.takes("200 PRACK")
    other = alice.response("183 INVITE")
    assert other.to.tag != heard.to.tag
    assert (other.rseq or 0) == (heard.rseq or 0) + 1
    talk = calling(alice, invite, other)
    pracks(alice, talk, other)
    alice.takes("200 PRACK")
    carol.says(second, 200)
    assert alice.response("200 INVITE").to.tag == other.to.tag
    carol.takes("ACK")
    talk.acks(invite)
    hangs_up(board, talk, carol)


def test_a_caller_may_give_up_before_it_has_thanked(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite, incoming, _ = agrees_early(alice, bob)
    accepted = bob.answers(incoming)
    alice.cancels(invite)
    alice.acks_refusal(invite, alice.response_of("200 CANCEL", "487 INVITE"))
    bob.takes("ACK")
    bob.says(bob.request("BYE"), 200)
    assert called(bob, incoming, accepted).dialog.call_id == incoming.call_id
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_a_phone_that_has_told_its_session_and_then_refuses_is_forgotten(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite, incoming, _ = agrees_early(alice, bob)
    bob.says(incoming, 486)
    bob.takes("ACK")
    alice.acks_refusal(invite, alice.response("486 INVITE"))
    board.assert_nothing_is_left()


def test_who_holds_the_line_for_long_hears_of_it_each_minute_under_another_number(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Require="100rel")
    bob.says(bob.request(), 180)
    seen = []
    for _ in range(4):
        ringing = alice.response("180 INVITE")
        pracks(alice, calling(alice, invite, ringing), ringing)
        alice.takes("200 PRACK")
        seen.append(ringing.rseq or 0)
        board.passes(60.1)
    assert seen == list(range(seen[0], seen[0] + 4))
