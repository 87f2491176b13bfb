"""Whoever is connected with somebody else is told with whom, as far as it may see that (RFC 3325)."""

from __future__ import annotations

import pytest

from sip.call.ringing import Caller
from sip.message.message import Message
from tests.sip.call.phones import Everybody, Phone, Switchboard, calling, connected, replaces, sdp
from tests.sip.call.test_replacing import named, rung


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def three(board) -> tuple[Phone, Phone, Phone]:
    return board.phone("101"), board.phone("102"), board.phone("103")


def shown(message: Message) -> str:
    """Who a phone is told that it talks to: the same in both headers."""
    (asserted,) = message.p_asserted_identity
    if message.privacy:
        assert message.privacy == ("id",)
        assert not message.remote_party_id
    else:
        (remote,) = message.remote_party_id
        assert (remote.uri, remote.display_name) == (asserted.uri, asserted.display_name)
    user = getattr(asserted.uri, "user", None)
    return f"{asserted.display_name or ''} {user}".strip()


def test_a_call_that_goes_as_it_was_dialled_says_nothing_of_that(board, three):
    alice, bob, _ = three
    talk, _ = connected(board, alice, bob)
    talk.asks("INVITE", sdp(5000))
    asked = bob.request("INVITE")
    assert not asked.p_asserted_identity
    assert not asked.remote_party_id


def test_whoever_is_passed_on_is_told_to_whom(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    carol.answers(carol.request())
    offered = alice.request("INVITE")
    assert shown(offered) == "Magazyn 103"
    # Only that: a phone knows the dialog by these.
    assert str(offered.from_.uri) == "sip:102@192.0.2.1"


def test_whoever_answers_for_the_number_is_named_not_the_number(board, three):
    alice, bob, _ = three
    dave = board.phone("104")
    board.routes["103"] = lambda: Everybody("104")
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    dave.answers(dave.request())
    assert shown(alice.request("INVITE")) == "104"


def test_two_who_are_connected_are_told_of_each_other(board, three):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja"))
    board.routes["103"] = lambda: Everybody("103", caller=Caller("102", "Biuro"))
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    second, _ = connected(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    asked = alice.request("INVITE")
    assert shown(asked) == "Magazyn 103"
    alice.says(asked, 200, sdp(alice.port))
    assert shown(carol.request("INVITE")) == "Recepcja 101"


def test_who_is_no_colleague_sees_the_number_of_the_line_and_is_seen_so(board, three):
    _, bob, carol = three
    board.may = lambda line, target: True
    outside = board.phone("48601")
    board.routes["102"] = lambda: Everybody("102", caller=Caller("4848601"))
    _, answered = connected(board, outside, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    incoming = carol.request()
    assert str(incoming.from_.uri) == "sip:4848601@192.0.2.1:5060"
    carol.answers(incoming)
    assert shown(outside.request("INVITE")) == "48103"


def test_who_hides_stays_hidden_wherever_he_is_passed_on_to(board, three):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja", is_hidden=True))
    board.routes["103"] = lambda: Everybody("103", caller=Caller("102", "Biuro"))
    alice, bob, carol = three
    dave = board.phone("104")
    _, answered = connected(board, alice, bob)
    second, at_carol = connected(board, bob, carol)
    answered.asks("REFER", Refer_To=f"<sip:103@192.0.2.1?Replaces={replaces(second)}>")
    alice.says(alice.request("INVITE"), 200, sdp(alice.port))
    offered = carol.request("INVITE")
    assert shown(offered) == "Anonymous anonymous"
    carol.answers(offered)
    carol.takes("ACK")
    board.passes(40)
    carol.lines()
    # Also by who got it passed on.
    at_carol.asks("REFER", Refer_To="<sip:104@192.0.2.1>")
    ringing = dave.request()
    assert str(ringing.from_.uri) == "sip:anonymous@anonymous.invalid"
    assert ringing.privacy == ("id",)


def test_who_speaks_for_a_group_goes_on_to_do_so(board, three):
    alice, bob, carol = three
    board.routes["102"] = lambda: Everybody("102", caller=Caller("600", "Infolinia"))
    _, answered = connected(board, alice, bob)
    answered.asks("REFER", Refer_To="<sip:103@192.0.2.1>")
    from_ = carol.request().from_
    assert (from_.display_name, from_.uri.user) == ("Infolinia", "600")


def test_who_takes_a_call_over_and_whom_he_gets_are_told_of_each_other(board, three):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja"))
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered))
    offered = alice.request("INVITE")
    assert shown(offered) == "Magazyn 103"
    alice.answers(offered)
    assert shown(carol.response("200 INVITE")) == "Recepcja 101"


def test_who_takes_a_call_over_may_hide(board, three):
    alice, bob, carol = three
    _, answered = connected(board, alice, bob)
    carol.invite("102", Replaces=named(answered), Privacy="id")
    assert shown(alice.request("INVITE")) == "Anonymous anonymous"


def test_who_picks_up_and_who_calls_are_told_of_each_other(board, three):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja"))
    alice, bob, carol = three
    alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    invite = carol.invite("102", b"", Replaces=rung(incoming, ringing))
    offered = carol.response("200 INVITE")
    assert shown(offered) == "Recepcja 101"
    calling(carol, invite, offered).acks(invite, sdp(carol.port))
    assert shown(alice.response_of("180 INVITE", "200 INVITE")) == "Magazyn 103"


def test_who_picks_up_sees_no_caller_who_hides(board, three):
    board.routes["102"] = lambda: Everybody("102", caller=Caller("101", "Recepcja", is_hidden=True))
    alice, bob, carol = three
    alice.invite("102")
    incoming = bob.request()
    ringing = bob.says(incoming, 180)
    carol.invite("102", b"", Replaces=rung(incoming, ringing))
    assert shown(carol.response("200 INVITE")) == "Anonymous anonymous"
