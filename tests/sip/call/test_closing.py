"""A server that is stopped hangs up on everybody, and says so in its records."""

from __future__ import annotations

import pytest

from sip.call.story import CallEnded, EndedBy
from tests.sip.call.phones import Phone, Switchboard, calling, connected, sdp
from tests.sip.call.story import assert_is_whole


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def three(board) -> tuple[Phone, Phone, Phone]:
    return board.phone("101"), board.phone("102"), board.phone("103")


def closes(board: Switchboard) -> None:
    board.perform(board.calls.close(board.now))
    assert len(board.calls) == 0
    ends = [event for event in board.story if isinstance(event, CallEnded)]
    assert {each.by for each in ends} <= {EndedBy.STOPPED, EndedBy.TRANSFERRED}
    assert_is_whole(board.story, 0)


def test_two_who_talk_are_hung_up(board, three):
    alice, bob, _ = three
    connected(board, alice, bob)
    closes(board)
    alice.says(alice.request("BYE"), 200)
    assert board.calls.legs == 1
    bob.says(bob.request("BYE"), 200)
    assert board.calls.legs == 0
    assert board.ended() == (EndedBy.STOPPED, 200)
    board.assert_nothing_is_left()


def test_a_call_that_rings_is_refused_and_rings_no_longer(board, three):
    alice, bob, _ = three
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 180)
    closes(board)
    alice.acks_refusal(invite, alice.response_of("180 INVITE", "503 INVITE"))
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    assert board.ended() == (EndedBy.STOPPED, 503)
    board.assert_nothing_is_left()


def test_a_caller_whose_ack_is_still_missing_is_hung_up_all_the_same(board, three):
    """By the RFC its BYE waits for the ACK (§15), for which nobody will be there."""
    alice, bob, _ = three
    alice.invite("102")
    bob.says(bob.request(), 200, sdp(bob.port))
    bob.takes("ACK")
    alice.takes("200 INVITE")
    closes(board)
    alice.assert_silence()
    board.perform(board.calls.part(board.now))
    alice.says(alice.request("BYE"), 200)
    bob.says(bob.request("BYE"), 200)
    assert board.calls.legs == 0
    board.assert_nothing_is_left()


def test_a_phone_that_does_not_answer_is_forgotten_in_time(board, three):
    alice, bob, _ = three
    connected(board, alice, bob)
    closes(board)
    board.assert_nothing_is_left()


@pytest.mark.parametrize("transferor_is_gone", [False, True])
@pytest.mark.parametrize("rings", [False, True])
def test_whoever_is_being_passed_on_is_hung_up_as_well(board, three, transferor_is_gone, rings):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    if not rings:
        # Nobody knows yet whom it rings, and nobody will.
        board.transfers = []
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    if transferor_is_gone:
        answered.asks("BYE")
    closes(board)
    assert "BYE" in alice.lines()
    assert ("INVITE" in carol.lines()) is rings
    board.assert_nothing_is_left()


def test_whoever_takes_a_call_over_is_refused(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    dialog = answered.dialog
    value = f"{dialog.call_id};to-tag={dialog.local.tag};from-tag={dialog.remote.tag}"
    carol.invite("102", Replaces=value)
    closes(board)
    assert carol.lines() == ["481 INVITE"]
    assert {*alice.lines()} == {"INVITE", "BYE"}
    board.assert_nothing_is_left()


def test_whoever_picks_a_call_up_is_hung_up(board, three):
    alice, bob, carol = three
    alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    value = f"{incoming.call_id};to-tag={ringing.to.tag};from-tag={incoming.from_.tag}"
    own = carol.invite("102", Replaces=value)
    calling(carol, own, carol.response("200 INVITE")).acks(own)
    carol.says(carol.request("INVITE"), 180)
    closes(board)
    assert "BYE" in carol.lines()
    board.assert_nothing_is_left()
