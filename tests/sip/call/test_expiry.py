"""A caller who says for how long it wants to wait (RFC 3261 §13.3.1, §20.19)."""

from __future__ import annotations

import pytest

from sip.call.story import EndedBy
from tests.sip.call.phones import Switchboard, calling, connected


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_who_rings_does_so_for_as_long_as_the_caller_waits(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Expires="20")
    incoming = bob.request()
    bob.says(incoming, 180)
    alice.takes("180 INVITE")
    board.passes(19.9)
    alice.assert_silence()
    bob.assert_silence()
    board.passes(0.2)
    alice.acks_refusal(invite, alice.response("487 INVITE"))
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    assert board.ended() == (EndedBy.CALLER, 487)
    board.assert_nothing_is_left()


def test_whoever_has_answered_by_then_stays(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Expires="20")
    incoming = bob.request()
    bob.says(incoming, 180)
    board.passes(19.9)
    bob.answers(incoming)
    bob.takes("ACK")
    talk = calling(alice, invite, alice.response_of("180 INVITE", "200 INVITE"))
    talk.acks(invite)
    board.passes(60)
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    board.assert_nothing_is_left()


@pytest.mark.parametrize("expires", ["4294967295", "soon", ""])
def test_who_says_nothing_of_use_is_waited_for_as_any_other(board, expires):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Expires=expires)
    incoming = bob.request()
    bob.says(incoming, 180)
    board.passes(59)
    alice.takes("180 INVITE")
    board.passes(500)
    assert set(alice.lines()) == {"180 INVITE"}
    bob.says(incoming, 486)
    bob.takes("ACK")
    alice.acks_refusal(invite, alice.response("486 INVITE"))
    board.assert_nothing_is_left()


def test_who_does_not_want_to_wait_at_all_rings_nobody(board):
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102", Expires="0")
    alice.acks_refusal(invite, alice.response("487 INVITE"))
    bob.assert_silence()
    assert board.kinds() == []
    board.assert_nothing_is_left()


def test_who_takes_over_a_call_is_waited_for_no_longer_either(board):
    """What it wanted to take over goes on as it was."""
    alice, bob, carol = (board.phone(number) for number in ("101", "102", "103"))
    talk, _ = connected(board, alice, bob)
    dialog = talk.dialog
    said = f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"
    invite = carol.invite("101", Replaces=said, Expires="5")
    asked = bob.request()
    bob.says(asked, 100)
    board.passes(5.1)
    carol.acks_refusal(invite, carol.response_of("100 INVITE", "487 INVITE"))
    bob.says(asked, 488)
    bob.takes("ACK")
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    board.assert_nothing_is_left()
