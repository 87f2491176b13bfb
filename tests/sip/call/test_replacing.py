"""A phone takes over the dialog of another by itself (RFC 3891), message by message."""

from __future__ import annotations

import pytest

from sip.call.story import CallBegan, CallEnded, EndedBy, LegBegan, LegRang
from sip.message.message import Message, Request, Response
from sip.message.sdp import parse_sdp
from tests.sip.call.phones import Everybody, Phone, Switchboard, Talk, calling, connected, replaces, sdp
from tests.sip.call.story import assert_is_whole

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def three(board) -> tuple[Phone, Phone, Phone]:
    return board.phone("101"), board.phone("102"), board.phone("103")


def named(talk: Talk, more: str = "") -> str:
    """The dialog of a talk, as its own phone tells others of it."""
    dialog = talk.dialog
    return f"{dialog.call_id};to-tag={dialog.local.tag};from-tag={dialog.remote.tag}{more}"


def named_by_us(talk: Talk) -> str:
    """The same as we know it."""
    dialog = talk.dialog
    return f"{dialog.call_id};to-tag={dialog.remote.tag};from-tag={dialog.local.tag}"


def rung(invite: Request, response: Response) -> str:
    """The dialog of a phone that rings."""
    return f"{invite.call_id};to-tag={response.to.tag};from-tag={invite.from_.tag}"


def reasons(board: Switchboard) -> list[EndedBy]:
    return [event.by for event in board.story if isinstance(event, CallEnded)]


def port(message: Message) -> int:
    return parse_sdp(message.body).media[0].port


def hangs_up(board: Switchboard, talk: Talk, other: Phone) -> None:
    talk.asks("BYE")
    talk.phone.takes("200 BYE")
    other.says(other.request("BYE"), 200)
    board.passes(40)
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


@pytest.mark.parametrize("name", [named, named_by_us])
def test_an_answered_call_is_taken_over(board, three, name):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    invite = carol.invite("102", Replaces=name(answered), Require="replaces")
    # Alice is offered what Carol has.
    offered = alice.request("INVITE")
    assert port(offered) == carol.port
    bob.assert_silence()
    alice.answers(offered)
    alice.takes("ACK")
    accepted = carol.response("200 INVITE")
    assert port(accepted) == alice.port
    at_carol = calling(carol, invite, accepted)
    at_carol.acks(invite)
    bye = bob.request("BYE")
    assert [str(each) for each in bye.reason] == [ELSEWHERE]
    bob.says(bye, 200)
    began = [(each.aor, each.dialled) for each in board.story if isinstance(each, CallBegan)]
    assert began == [("101", "102"), ("103", "102")]
    assert reasons(board) == [EndedBy.TRANSFERRED]
    # It is a call like any other now.
    hold = talk.asks("INVITE", sdp(alice.port, "sendonly"))
    carol.answers(carol.request())
    carol.takes("ACK")
    alice.takes("200 INVITE")
    talk.acks(hold)
    hangs_up(board, at_carol, alice)


@pytest.mark.parametrize("is_answered", [False, True])
def test_whose_line_has_too_many_calls_takes_none_over(board, three, is_answered):
    alice, bob, carol = three
    board.is_full = True
    if is_answered:
        _, answered = connected(board, alice, bob)
        value = named(answered)
    else:
        alice.invite("102")
        incoming = bob.request()
        value = rung(incoming, bob.says(incoming, 180))
    carol.invite("102", Replaces=value)
    carol.takes("486 INVITE")
    # From one phone of a line to another one it is the same call.
    board.phone("102").invite("101", Replaces=value)
    assert alice.lines()[-1] == ("INVITE" if is_answered else "180 INVITE")


def test_the_caller_is_replaced_by_a_phone_that_offers_nothing(board, three):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    invite = carol.invite("102", b"", Replaces=named(talk))
    asked = bob.request("INVITE")
    assert not asked.body
    bob.says(asked, 200, sdp(bob.port))
    accepted = carol.response("200 INVITE")
    assert port(accepted) == bob.port
    bob.assert_silence()
    calling(carol, invite, accepted).acks(invite, sdp(carol.port))
    assert port(bob.request("ACK")) == carol.port
    alice.says(alice.request("BYE"), 200)
    hangs_up(board, answered, carol)


def test_a_call_that_rings_is_picked_up(board, three):
    alice, bob, carol = three
    invite = alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    alice.takes("180 INVITE")
    (told,) = [event.dialog for event in board.story if isinstance(event, LegRang)]
    assert told == (incoming.call_id, incoming.from_.tag, ringing.to.tag)
    own = carol.invite("102", Replaces=rung(incoming, ringing))
    cancel = bob.request("CANCEL")
    assert [str(each) for each in cancel.reason] == [ELSEWHERE]
    bob.says(cancel, 200)
    bob.says(incoming, 487)
    # Carol's own offer is put off, and then she is offered what Alice has.
    put_off = carol.response("200 INVITE")
    assert parse_sdp(put_off.body).is_on_hold
    assert port(put_off) != 0
    alice.assert_silence()
    at_carol = calling(carol, own, put_off)
    at_carol.acks(own)
    offered = carol.request("INVITE")
    assert port(offered) == alice.port
    carol.answers(offered)
    carol.takes("ACK")
    accepted = alice.response("200 INVITE")
    assert port(accepted) == carol.port
    calling(alice, invite, accepted).acks(invite)
    bob.takes("ACK")
    assert board.kinds() == ["CallBegan", "LegBegan", "LegRang", "LegEnded", "LegBegan", "CallAnswered"]
    assert [each.target.aor for each in board.story if isinstance(each, LegBegan)] == ["102", "103"]
    hangs_up(board, at_carol, alice)


def test_a_call_that_rings_is_picked_up_by_a_phone_that_offers_nothing(board, three):
    alice, bob, carol = three
    invite = alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    own = carol.invite("102", b"", Replaces=rung(incoming, ringing))
    offered = carol.response("200 INVITE")
    assert port(offered) == alice.port
    at_carol = calling(carol, own, offered)
    at_carol.acks(own, sdp(carol.port))
    accepted = alice.response_of("180 INVITE", "200 INVITE")
    assert port(accepted) == carol.port
    calling(alice, invite, accepted).acks(invite)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    hangs_up(board, at_carol, alice)


def test_a_caller_who_offers_nothing_answers_who_has_picked_up(board, three):
    alice, bob, carol = three
    invite = alice.invite("102", b"")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    own = carol.invite("102", Replaces=rung(incoming, ringing))
    carol.assert_silence()
    offered = alice.response_of("180 INVITE", "200 INVITE")
    assert port(offered) == carol.port
    calling(alice, invite, offered).acks(invite, sdp(alice.port))
    accepted = carol.response("200 INVITE")
    assert port(accepted) == alice.port
    at_carol = calling(carol, own, accepted)
    at_carol.acks(own)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    hangs_up(board, at_carol, alice)


def test_one_of_many_who_ring_is_enough_for_all_of_them(board, three):
    board.routes["600"] = lambda: Everybody("102", "104")
    alice, bob, carol = three
    dave = board.phone("104")
    alice.invite("600")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    dave.says(dave.request(), 180)
    carol.invite("600", b"", Replaces=rung(incoming, ringing))
    for phone in (bob, dave):
        assert [str(each) for each in phone.request("CANCEL").reason] == [ELSEWHERE]


@pytest.mark.parametrize("wrong", ["call", "to", "from", "stranger", "over", "early"])
def test_a_dialog_that_is_not_there_and_one_that_is_nobodys_to_take_look_alike(board, three, wrong):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    value = named(answered)
    match wrong:
        case "call":
            value = "x" + value
        case "to":
            value = value.replace("to-tag=", "to-tag=x")
        case "from":
            value = value.replace("from-tag=", "from-tag=x")
        case "stranger":
            board.may = lambda line, target: False
        case "over":
            answered.asks("BYE")
            bob.takes("200 BYE")
            alice.says(alice.request("BYE"), 200)
        case "early":
            # The caller's own dialog, which nobody has answered yet (§3).
            invite = alice.invite("103")
            carol.says(carol.request(), 180)
            response = alice.response("180 INVITE")
            value = f"{invite.call_id};to-tag={response.to.tag};from-tag={invite.from_.tag}"
    dave = board.phone("104")
    dave.invite("102", Replaces=value)
    answer = dave.response("481 INVITE")
    assert {name for name, _ in answer.headers} == {"Via", "From", "To", "Call-ID", "CSeq"}
    alice.assert_silence()
    bob.assert_silence()
    assert board.calls.legs == len(board.calls) * 2


def test_whoever_wants_it_only_while_it_rings_is_told_that_it_was_answered(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered, ";early-only"))
    carol.takes("486 INVITE")
    alice.assert_silence()
    bob.assert_silence()


def test_whoever_wants_it_while_it_rings_gets_it_while_it_rings(board, three):
    alice, bob, carol = three
    alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    carol.invite("102", b"", Replaces=rung(incoming, ringing) + ";early-only")
    carol.takes("200 INVITE")


@pytest.mark.parametrize("status", [488, 480])
def test_what_the_other_end_does_not_take_changes_nothing(board, three, status):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered))
    alice.says(alice.request("INVITE"), status)
    carol.takes("488 INVITE")
    bob.assert_silence()
    alice.takes("ACK")
    talk.asks("BYE")
    alice.takes("200 BYE")
    bob.says(bob.request("BYE"), 200)
    carol.lines()
    board.assert_nothing_is_left()


def test_two_can_not_take_over_the_same_at_once(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered))
    dave = board.phone("104")
    dave.invite("102", Replaces=named(answered))
    dave.takes("491 INVITE")


@pytest.mark.parametrize("body", [b"", None])
def test_whoever_gives_up_taking_over_leaves_the_two_as_they_were(board, three, body):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    invite = carol.invite("102", body, Replaces=named(answered))
    offered = alice.request("INVITE")
    carol.cancels(invite)
    carol.acks_refusal(invite, carol.response_of("200 CANCEL", "487 INVITE"))
    alice.says(offered, 200, sdp(alice.port))
    if body is None:
        alice.takes("ACK")
        again = alice.request("INVITE")
        assert port(again) == bob.port
        alice.answers(again)
        alice.takes("ACK")
    else:
        assert port(alice.request("ACK")) == bob.port
    hangs_up(board, talk, bob)


@pytest.mark.parametrize("who", ["101", "102"])
def test_whoever_hangs_up_meanwhile_leaves_nothing_to_take_over(board, three, who):
    alice, bob, carol = three
    talk, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered))
    offered = alice.request("INVITE")
    (talk if who == "101" else answered).asks("BYE")
    board.phones[(alice if who == "101" else bob).way.remote].takes("200 BYE")
    carol.takes("481 INVITE")
    alice.says(offered, 487 if who == "101" else 200, b"" if who == "101" else sdp(alice.port))
    board.passes(60)
    for phone in three:
        phone.lines()
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


@pytest.mark.parametrize("when", ["before", "put-off", "offered"])
def test_a_caller_who_gives_up_while_he_is_picked_up_leaves_nobody(board, three, when):
    alice, bob, carol = three
    invite = alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    own = carol.invite("102", Replaces=rung(incoming, ringing))
    if when != "before":
        calling(carol, own, carol.response("200 INVITE")).acks(own)
    alice.cancels(invite)
    alice.acks_refusal(invite, alice.response_of("180 INVITE", "200 CANCEL", "487 INVITE"))
    if when == "offered":
        carol.answers(carol.request("INVITE"))
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    board.passes(100)
    assert board.ended() == (EndedBy.CALLER, 487)
    carol.lines()
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


@pytest.mark.parametrize("how", ["bye", "silent", "refuses", "cancels"])
def test_whoever_picks_up_and_does_not_take_the_call_ends_it(board, three, how):
    alice, bob, carol = three
    body = b"" if how == "cancels" else None
    invite = alice.invite("102", body)
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    own = carol.invite("102", Replaces=rung(incoming, ringing))
    if how == "cancels":
        carol.cancels(own)
        carol.lines()
    elif how != "silent":
        talk = calling(carol, own, carol.response("200 INVITE"))
        talk.acks(own)
        if how == "bye":
            talk.asks("BYE")
        else:
            carol.says(carol.request("INVITE"), 488)
    bob.says(bob.request("CANCEL"), 200)
    bob.says(incoming, 487)
    board.passes(100)
    if how == "cancels":
        assert reasons(board) == [EndedBy.CALLEE]
        alice.takes("180 INVITE")
        assert set(alice.lines()) == {"200 INVITE", "BYE"}
    else:
        alice.acks_refusal(invite, alice.response_of("180 INVITE", "480 INVITE"))
        assert reasons(board) == [EndedBy.NOBODY]
    board.passes(100)
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)


def test_where_nobody_offers_anything_nobody_picks_up(board, three):
    alice, bob, carol = three
    alice.invite("102", b"")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    carol.invite("102", b"", Replaces=rung(incoming, ringing))
    carol.takes("488 INVITE")


def test_whom_a_transfer_rings_is_picked_up_for_who_is_passed_on(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    incoming = carol.request()
    ringing = carol.says(incoming, 180)
    dave = board.phone("104")
    own = dave.invite("103", Replaces=rung(incoming, ringing))
    offered = alice.request("INVITE")
    assert port(offered) == dave.port
    alice.answers(offered)
    alice.takes("ACK")
    accepted = dave.response("200 INVITE")
    assert port(accepted) == alice.port
    at_dave = calling(dave, own, accepted)
    at_dave.acks(own)
    carol.says(carol.request("CANCEL"), 200)
    carol.says(incoming, 487)
    bob.lines()
    board.passes(40)
    assert len(board.calls) == 1
    hangs_up(board, at_dave, alice)


def test_one_call_more_than_there_may_be_is_refused(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    board.calls._most = 1
    carol.invite("102", Replaces=named(answered))
    carol.takes("503 INVITE")


def test_a_call_that_is_being_taken_over_is_not_passed_on_as_well(board, three):
    alice, bob, carol = three
    dave = board.phone("104")
    _, answered = connected(board, alice, bob)
    second, at_carol = connected(board, bob, carol)
    invite = dave.invite("103", Replaces=named(at_carol))
    offered = bob.request("INVITE")
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    bob.takes("202 REFER", "NOTIFY")
    assert b"491" in bob.request("NOTIFY").body
    alice.assert_silence()
    bob.answers(offered)
    calling(dave, invite, dave.response("200 INVITE")).acks(invite)
    assert len(board.calls) == 2
    for call in list(board.calls.live):
        board.perform(board.calls.hang_up(call.id, board.now))
    board.passes(60)
    board.assert_nothing_is_left()
