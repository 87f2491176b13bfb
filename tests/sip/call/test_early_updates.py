"""What was agreed upon while it rings is changed before anybody answers (RFC 3311 §5)."""

from __future__ import annotations

import pytest

from sip.message.message import Request, Response
from tests.sip.call.early import agrees_early, hangs_up, port, pracks, says_reliably
from tests.sip.call.phones import Phone, Switchboard, Talk, called, calling, sdp

UPDATES = "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_an_update_changes_what_was_agreed_upon_while_it_rings(board):
    alice, bob = board.phone("101"), board.phone("102")
    bob.allow = UPDATES
    invite, incoming, early = agrees_early(alice, bob)
    talk = calling(alice, invite, early)
    pracks(alice, talk, early)
    alice.takes("200 PRACK")
    talk.asks("UPDATE", sdp(5000))
    update = bob.request("UPDATE")
    assert port(update) == 5000
    # One after the other.
    talk.asks("UPDATE", sdp(5001))
    assert alice.response("500 UPDATE").retry_after is not None
    bob.says(update, 200, sdp(5010))
    assert port(alice.response("200 UPDATE")) == 5010
    talk.asks("UPDATE", sdp(5002))
    bob.says(bob.request("UPDATE"), 488)
    alice.takes("488 UPDATE")
    bob.says(incoming, 200)
    bob.takes("ACK")
    assert not alice.response("200 INVITE").body
    talk.acks(invite)
    hangs_up(board, talk, bob)


def test_nothing_is_changed_before_it_is_agreed_upon(board):
    """Whoever has not answered yet is not asked for more (RFC 3311 §5.2)."""
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Supported="100rel")
    incoming = bob.request()
    early = says_reliably(bob, incoming, 180, 1)
    bob.takes("PRACK")
    called(bob, incoming, early).asks("UPDATE", sdp(5000))
    bob.takes("491 UPDATE")
    talk = calling(alice, invite, alice.response("180 INVITE"))
    talk.asks("UPDATE", sdp(5000))
    assert alice.response("500 UPDATE").retry_after is not None


def test_who_is_offered_something_itself_answers_that_first(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", b"", Supported="100rel")
    incoming = bob.request()
    says_reliably(bob, incoming, 183, 1, sdp(bob.port))
    talk = calling(alice, invite, alice.response("183 INVITE"))
    talk.asks("UPDATE", sdp(5000))
    alice.takes("491 UPDATE")


def agree(
    alice: Phone, bob: Phone, **headers: str
) -> tuple[tuple[Request, Talk], tuple[Request, Talk], Response]:
    """They agree while it rings, and the caller has still to thank: the INVITE and the dialog of each."""
    invite = alice.invite(bob.line, **headers)
    incoming = bob.request()
    told = says_reliably(bob, incoming, 183, 1, sdp(bob.port))
    bob.says(bob.request("PRACK"), 200)
    early = alice.response("183 INVITE")
    return (invite, calling(alice, invite, early)), (incoming, called(bob, incoming, told)), early


def offer(alice: Phone, bob: Phone) -> tuple[tuple[Request, Talk], Request, Request]:
    """Who rings offers the caller, who has thanked, something else; both INVITEs, and the offer."""
    caller, (incoming, ringing), early = agree(alice, bob, Supported="100rel", Allow=UPDATES)
    pracks(alice, caller[1], early)
    alice.takes("200 PRACK")
    ringing.asks("UPDATE", sdp(6000))
    return caller, incoming, alice.request("UPDATE")


def test_who_rings_changes_what_was_agreed_upon(board):
    alice, bob = board.phone("101"), board.phone("102")
    (invite, talk), (incoming, ringing), early = agree(alice, bob, Supported="100rel", Allow=UPDATES)
    # The caller has not thanked yet: it can't be offered anything (§5.1).
    ringing.asks("UPDATE", sdp(6000))
    bob.takes("491 UPDATE")
    pracks(alice, talk, early)
    alice.takes("200 PRACK")
    ringing.asks("UPDATE", sdp(6000))
    offered = alice.request("UPDATE")
    assert (port(offered), offered.to.tag, offered.from_.tag) == (6000, invite.from_.tag, early.to.tag)
    assert offered.session_expires is None
    bob.assert_silence()
    # One after the other, and from one side at a time.
    ringing.asks("UPDATE", sdp(6001))
    assert bob.response("500 UPDATE").retry_after is not None
    talk.asks("UPDATE", sdp(5000))
    alice.takes("491 UPDATE")
    alice.says(offered, 200, sdp(5010))
    assert port(bob.response("200 UPDATE")) == 5010
    bob.says(incoming, 200)
    bob.takes("ACK")
    assert not alice.response("200 INVITE").body
    talk.acks(invite)
    hangs_up(board, talk, bob)


@pytest.mark.parametrize(("refused", "told"), [(491, 491), (488, 488), (481, 488), (200, 488)])
def test_what_the_caller_does_not_take_leaves_all_as_it_was(board, refused, told):
    alice, bob = board.phone("101"), board.phone("102")
    (_, talk), (incoming, ringing), early = agree(alice, bob, Supported="100rel", Allow=UPDATES)
    pracks(alice, talk, early)
    ringing.asks("UPDATE", sdp(6000))
    # A 200 says nothing of the session here.
    alice.says(alice.request_of("200 PRACK", "UPDATE"), refused)
    bob.takes(f"{told} UPDATE")
    ringing.asks("UPDATE", sdp(6001))
    alice.says(alice.request("UPDATE"), 200, sdp(5010))
    bob.takes("200 UPDATE")
    bob.says(incoming, 200)
    alice.takes("200 INVITE")


@pytest.mark.parametrize(
    "headers", [{"Supported": "100rel"}, {"Allow": UPDATES}], ids=["takes no UPDATE", "was not told reliably"]
)
def test_a_caller_who_can_not_be_asked_keeps_what_was_agreed_upon(board, headers):
    alice, bob = board.phone("101"), board.phone("102")
    (_, talk), (_, ringing), early = agree(alice, bob, **headers)
    if early.rseq is not None:
        pracks(alice, talk, early)
        alice.takes("200 PRACK")
    ringing.asks("UPDATE", sdp(6000))
    bob.takes("488 UPDATE")
    alice.assert_silence()


def test_who_rings_says_that_it_is_elsewhere_now(board):
    alice, bob = board.phone("101"), board.phone("102")
    _, (incoming, ringing), _ = agree(alice, bob)
    bob.contact = bob.contact_at("192.0.2.77")
    ringing.asks("UPDATE")
    assert bob.response("200 UPDATE").contact
    says_reliably(bob, incoming, 180, 2)
    assert str(bob.request("PRACK").uri) == str(bob.contact.uri)


def test_a_phone_that_was_stopped_offers_nothing_to_the_caller(board):
    alice, bob = board.phone("101"), board.phone("102")
    (invite, talk), (incoming, ringing), early = agree(alice, bob, Supported="100rel", Allow=UPDATES)
    pracks(alice, talk, early)
    alice.cancels(invite)
    alice.acks_refusal(invite, alice.response_of("200 PRACK", "200 CANCEL", "487 INVITE"))
    ringing.asks("UPDATE", sdp(6000))
    bob.says(bob.request("CANCEL"), 200)
    bob.takes("488 UPDATE")
    bob.says(incoming, 487)
    bob.takes("ACK")
    alice.assert_silence()
    board.assert_nothing_is_left()


def test_the_answer_may_come_when_the_call_is_answered_or_over(board):
    alice, bob = board.phone("101"), board.phone("102")
    (invite, talk), incoming, offered = offer(alice, bob)
    bob.says(incoming, 200)
    bob.takes("ACK")
    alice.takes("200 INVITE")
    talk.acks(invite)
    alice.says(offered, 200, sdp(5010))
    assert port(bob.response("200 UPDATE")) == 5010
    hangs_up(board, talk, bob)
    (invite, talk), incoming, offered = offer(alice, bob)
    bob.says(incoming, 486)
    bob.takes("ACK")
    alice.acks_refusal(invite, alice.response("486 INVITE"))
    alice.says(offered, 481)
    bob.takes("488 UPDATE")
    board.assert_nothing_is_left()
