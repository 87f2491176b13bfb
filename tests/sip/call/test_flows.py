"""Call flows of RFC 3665 §3, message by message, with the server between the two phones."""

from __future__ import annotations

from tests.sip.call.phones import Switchboard, called, calling, connected


def test_a_call_is_set_up_and_ended_by_who_answered():
    board = Switchboard()
    alice, bob = board.phone("101"), board.phone("102")
    invite = alice.invite("102")
    incoming = bob.request()
    bob.says(incoming, 100)
    bob.says(incoming, 180)
    alice.takes("180 INVITE")
    accepted = bob.answers(incoming)
    bob.takes("ACK")
    response = alice.response("200 INVITE")
    talk = calling(alice, invite, response)
    talk.acks(invite)
    called(bob, incoming, accepted).asks("BYE")
    bob.takes("200 BYE")
    bye = alice.request("BYE")
    alice.says(bye, 200)
    alice.assert_silence()
    bob.assert_silence()
    assert board.kinds() == ["CallBegan", "LegBegan", "LegRang", "CallAnswered", "CallEnded"]
    board.assert_nothing_is_left()


def test_each_is_told_where_the_media_of_the_other_are():
    board = Switchboard()
    alice, bob = board.phone("101"), board.phone("102")
    connected(board, alice, bob)
    assert board.kinds()[-1] == "CallAnswered"
