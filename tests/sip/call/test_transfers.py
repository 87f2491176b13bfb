"""Passing on, blind and attended (RFC 5589, RFC 5359 §2.4 and §2.5), message by message."""

from __future__ import annotations

import pytest

from sip.call.ringing import Caller
from sip.call.story import CallBegan, CallEnded, EndedBy
from sip.message.message import Request
from sip.message.sdp import parse_sdp
from tests.sip.call.phones import Everybody, Phone, Switchboard, Talk, called, connected, replaces, sdp
from tests.sip.call.story import assert_is_whole


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def three(board) -> tuple[Phone, Phone, Phone]:
    return board.phone("101"), board.phone("102"), board.phone("103")


def told(phone: Phone) -> str:
    """What the phone is told of its transfer, which it has thanked for."""
    notify = phone.request("NOTIFY")
    phone.says(notify, 200)
    assert str(notify.event) == "refer"
    assert str(notify.content_type) == "message/sipfrag;version=2.0"
    assert notify.subscription_state is not None
    return f"{notify.subscription_state.state}: {notify.body.decode().strip()}"


def reasons(board: Switchboard) -> list[EndedBy]:
    return [event.by for event in board.story if isinstance(event, CallEnded)]


def is_connected_to(board: Switchboard, one: Phone, other: Phone) -> tuple[Talk, Talk]:
    """`other`, which rings, answers; each is told where the media of the other are."""
    incoming = other.request()
    assert not incoming.body
    other.says(incoming, 180)
    accepted = other.answers(incoming)
    offered = one.request("INVITE")
    assert parse_sdp(offered.body).media[0].port == other.port
    answer = one.answers(offered)
    one.takes("ACK")
    assert parse_sdp(other.request("ACK").body).media[0].port == one.port
    return called(one, offered, answer), called(other, incoming, accepted)


def test_the_callee_passes_the_caller_on(board, three):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    assert bob.response("202 REFER").contact
    assert told(bob) == "active: SIP/2.0 100 Trying"
    _, at_carol = is_connected_to(board, alice, carol)
    assert told(bob) == "active: SIP/2.0 180 Ringing"
    assert told(bob) == "terminated: SIP/2.0 200 OK"
    bob.says(bob.request("BYE"), 200)
    assert reasons(board) == [EndedBy.TRANSFERRED]
    began = [event for event in board.story if isinstance(event, CallBegan)]
    assert [(each.aor, each.dialled) for each in began] == [("101", "102"), ("101", "103")]
    at_carol.asks("BYE")
    carol.takes("200 BYE")
    alice.says(alice.request("BYE"), 200)
    assert talk.phone is alice
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_the_caller_passes_the_callee_on_and_hangs_up_at_once(board, three):
    alice, bob, carol = three
    talk, _ = connected(board, alice, bob)
    talk.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    alice.takes("202 REFER")
    told(alice)
    talk.asks("BYE")
    alice.takes("200 BYE")
    assert reasons(board) == [EndedBy.TRANSFERRED]
    # Whoever is passed on hears nothing of it until somebody answers.
    bob.assert_silence()
    at_bob, _ = is_connected_to(board, bob, carol)
    alice.assert_silence()
    at_bob.asks("BYE")
    bob.takes("200 BYE")
    carol.says(carol.request("BYE"), 200)
    assert reasons(board) == [EndedBy.TRANSFERRED, EndedBy.CALLER]
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_whoever_is_passed_on_is_shown_to_the_third(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    board.routes["103"] = lambda: Everybody("103", caller=Caller("102", "Biuro"))
    shown = carol.request().from_
    assert (shown.display_name, str(shown.uri)) == ("Recepcja", "sip:101@192.0.2.1:5060")


@pytest.mark.parametrize("status", [486, 603])
def test_a_transfer_that_fails_leaves_everything_as_it_was(board, three, status):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    bob.takes("202 REFER")
    told(bob)
    carol.says(carol.request(), status)
    assert told(bob).startswith(f"terminated: SIP/2.0 {status}")
    # It may be tried once more.
    hold = answered.asks("INVITE", sdp(bob.port))
    alice.answers(alice.request())
    alice.takes("ACK")
    bob.takes("200 INVITE")
    answered.acks(hold)
    answered.asks("REFER", Refer_To="<sip:404@192.0.2.1>")
    bob.takes("202 REFER")
    assert told(bob) == "active: SIP/2.0 100 Trying"
    assert told(bob) == "terminated: SIP/2.0 404 Not Found"
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    carol.inbox.clear()
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_whoever_is_left_alone_by_a_transfer_that_fails_is_hung_up(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    bob.takes("202 REFER")
    told(bob)
    answered.asks("BYE")
    bob.takes("200 BYE")
    carol.says(carol.request(), 486)
    alice.says(alice.request("BYE"), 200)
    assert reasons(board) == [EndedBy.TRANSFERRED, EndedBy.NOBODY]
    bob.assert_silence()
    carol.takes("ACK")
    board.assert_nothing_is_left()


def test_whoever_does_not_want_to_be_passed_on_hangs_up(board, three):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    incoming = carol.request()
    carol.says(incoming, 180)
    bob.inbox.clear()
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    carol.says(carol.request("CANCEL"), 200)
    carol.says(incoming, 487)
    carol.takes("ACK")
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_whoever_does_not_take_the_new_session_stays_with_the_first(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    bob.inbox.clear()
    carol.answers(carol.request())
    alice.says(alice.request("INVITE"), 488)
    alice.takes("ACK")
    carol.takes("ACK")
    carol.says(carol.request("BYE"), 200)
    assert told(bob).startswith("terminated: SIP/2.0 487")
    assert len(board.calls) == 1
    answered.asks("BYE")
    alice.says(alice.request("BYE"), 200)
    bob.takes("200 BYE")
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def consults(board: Switchboard, phone: Phone, other: Phone) -> Talk:
    """A second call of `phone`, to ask whether the first may be passed on."""
    talk, _ = connected(board, phone, other)
    return talk


def test_whom_one_has_asked_first_the_other_is_connected_with(board, three):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    second = consults(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    bob.takes("202 REFER")
    told(bob)
    # Each offers its own: the first is asked for an offer, and the second answers it.
    asked = alice.request("INVITE")
    assert not asked.body
    alice.says(asked, 200, sdp(alice.port))
    offered = carol.request("INVITE")
    assert parse_sdp(offered.body).media[0].port == alice.port
    carol.says(offered, 200, sdp(carol.port))
    assert carol.takes("ACK")
    assert parse_sdp(alice.request("ACK").body).media[0].port == carol.port
    assert told(bob) == "terminated: SIP/2.0 200 OK"
    assert bob.lines() == ["BYE", "BYE"]
    assert reasons(board) == [EndedBy.TRANSFERRED] * 2
    talk.asks("BYE")
    assert alice.response("200 BYE")
    carol.says(carol.request("BYE"), 200)
    board.passes(40)
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_a_transfer_to_a_call_of_somebody_else_is_refused(board, three):
    alice, bob, carol = three
    dave = board.phone("104")
    _, answered = connected(board, alice, bob)
    others, _ = connected(board, carol, dave)
    answered.asks("REFER", Refer_To=f"<sip:104@192.0.2.1?Replaces={replaces(others)}>")
    bob.takes("202 REFER")
    told(bob)
    assert told(bob).startswith("terminated: SIP/2.0 481")
    for phone in (alice, bob, carol, dave):
        phone.assert_silence()
    assert len(board.calls) == 2


@pytest.mark.parametrize("who", [0, 1])
def test_two_who_cant_agree_stay_with_the_transferor(board, three, who):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    second = consults(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    bob.inbox.clear()
    if who == 0:
        alice.says(alice.request("INVITE"), 488)
    else:
        alice.says(alice.request("INVITE"), 200, sdp(alice.port))
        carol.says(carol.request("INVITE"), 488)
        # It gets an answer all the same, which takes nothing of what it has offered.
        assert parse_sdp(alice.request("ACK").body).media[0].port == 0
    assert told(bob).startswith("terminated: SIP/2.0 488")
    assert len(board.calls) == 2
    for call in list(board.calls.live):
        board.perform(board.calls.hang_up(call.id, board.now))
    board.passes(40)
    board.assert_nothing_is_left()


@pytest.mark.parametrize("who", ["101", "103"])
def test_whoever_hangs_up_while_two_are_being_connected(board, three, who):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    second, third = connected(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    bob.inbox.clear()
    alice.says(alice.request("INVITE"), 200, sdp(alice.port))
    carol.takes("INVITE")
    (talk if who == "101" else third).asks("BYE")
    bob.says(bob.request("BYE"), 200)
    if who == "103":
        assert told(bob).startswith("terminated: SIP/2.0 480")
    assert len(board.calls) == 1
    board.passes(40)
    for call in list(board.calls.live):
        board.perform(board.calls.hang_up(call.id, board.now))
    board.passes(40)
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_a_transferor_who_hangs_up_both_calls_while_the_two_are_being_connected(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    second = consults(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    bob.inbox.clear()
    answered.asks("BYE")
    second.asks("BYE")
    assert bob.lines() == ["200 BYE", "200 BYE"]
    alice.says(alice.request("INVITE"), 200, sdp(alice.port))
    carol.says(carol.request("INVITE"), 200, sdp(carol.port))
    carol.takes("ACK")
    alice.takes("ACK")
    assert len(board.calls) == 1
    board.passes(890)
    assert len(board.calls) == 1


def test_whoever_has_not_waited_for_the_third_to_answer(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    invite = bob.invite("103")
    ringing = carol.request()
    carol.says(ringing, 180)
    provisional = bob.response("180 INVITE")
    refer_to = f"{invite.call_id};to-tag={provisional.to.tag};from-tag={invite.from_.tag}"
    escaped = refer_to.replace("@", "%40").replace(";", "%3B").replace("=", "%3D")
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={escaped}>")
    assert "487 INVITE" in bob.lines()
    carol.says(carol.request("CANCEL"), 200)
    # It rings once more, for who is passed on.
    is_connected_to(board, alice, carol)
    carol.says(ringing, 487)
    carol.takes("ACK")
    assert EndedBy.TRANSFERRED in reasons(board)


def test_what_refers_to_nobody_is_refused(board, three):
    alice, bob, _ = three
    talk, _ = connected(board, alice, bob)
    talk.asks("REFER", Refer_To="<mailto:a@b>")
    alice.takes("403 REFER")
    talk.asks("REFER", Refer_To="<sip:103@192.0.2.1;method=BYE>")
    alice.takes("403 REFER")
    talk.asks("REFER")
    alice.takes("400 REFER")
    talk.asks("REFER", Refer_To="<sip:103@192.0.2.1?Replaces=x>")
    alice.takes("400 REFER")
    assert len(board.calls) == 1
    bob.assert_silence()


def test_one_transfer_at_a_time(board, three):
    alice, bob, _ = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    bob.inbox.clear()
    answered.asks("REFER", Refer_To="<sip:102@192.0.2.1>")
    assert bob.response("500 REFER").retry_after is not None


def test_who_wants_to_hear_nothing_of_it_is_told_nothing(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>", Refer_Sub="false")
    bob.takes("202 REFER")
    is_connected_to(board, alice, carol)
    bye = bob.request("BYE")
    assert isinstance(bye, Request)
    bob.assert_silence()
