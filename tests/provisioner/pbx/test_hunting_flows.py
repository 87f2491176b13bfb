"""Calls through the engine as the rules have them, message by message, in virtual time.

The flows of RFC 5359 that forward and find: there a proxy does it, here a back-to-back user agent, so that
each phone has a dialog of its own with us.
"""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.centrex.customer import CallerPresentation, Forwardings, HuntStrategy, Member
from sip.call.story import EndedBy
from sip.message.message import Request
from tests.provisioner.pbx.switchboards import NAMES, Office, exchange, group, line_of, to
from tests.sip.call.phones import Phone, Switchboard, calling


class Floor:
    """An office with an engine in it, and a phone for each extension. The last one calls."""

    def __init__(self, office: Office) -> None:
        self.board = Switchboard()
        self.phones = {number: self.board.phone(line_of(number)) for number in NAMES}
        self.office = office
        self.board.hear = office.engaged.hear

    def __getitem__(self, extension: str) -> Phone:
        return self.phones[extension]

    def dials(self, number: str, caller: str = "105") -> tuple[Phone, Request]:
        """The caller's phone, and its INVITE."""
        routed: Any = lambda: self.office.routing(caller, call=self.board.call).to(number)  # noqa: E731
        self.board.routes[number] = routed
        return self[caller], self[caller].invite(number)

    def assert_nobody_else(self, *extensions: str) -> None:
        """No phone but these has got anything that was not looked at."""
        for number, phone in self.phones.items():
            if number not in extensions:
                phone.assert_silence()


def talks(floor: Floor, caller: Phone, invite: Request, callee: Phone, incoming: Request) -> None:
    """The phone that rings answers; they hang up, and nothing is left."""
    callee.answers(incoming)
    callee.takes("ACK")
    talk = calling(caller, invite, caller.response("200 INVITE"))
    talk.acks(invite)
    talk.asks("BYE")
    caller.takes("200 BYE")
    callee.says(callee.request("BYE"), 200)
    assert floor.board.ended() == (EndedBy.CALLER, 200)
    floor.assert_nobody_else()
    floor.board.assert_nothing_is_left()


def turned_down(floor: Floor, caller: Phone, invite: Request, status: int) -> None:
    """The caller is told so, and nothing is left."""
    response = caller.response(f"{status} INVITE")
    caller.acks_refusal(invite, response)
    assert floor.board.ended() == (EndedBy.NOBODY, status)
    floor.board.assert_nothing_is_left()


def test_2_8_call_forwarding_unconditional():
    floor = Floor(Office(exchange(forwarding={"101": Forwardings(always=to("102"))})))
    caller, invite = floor.dials("101")
    incoming = floor["102"].request()
    floor["102"].says(incoming, 180)
    caller.takes("180 INVITE")
    talks(floor, caller, invite, floor["102"], incoming)


@pytest.mark.parametrize("status", [486, 600, 603])
def test_2_9_call_forwarding_busy(status: int):
    floor = Floor(Office(exchange(forwarding={"101": Forwardings(busy=to("102"))})))
    caller, invite = floor.dials("101")
    floor["101"].says(floor["101"].request(), status)
    floor["101"].takes("ACK")
    incoming = floor["102"].request()
    floor["102"].says(incoming, 180)
    caller.takes("180 INVITE")
    talks(floor, caller, invite, floor["102"], incoming)


def test_2_10_call_forwarding_no_answer():
    floor = Floor(Office(exchange(forwarding={"101": Forwardings(no_answer=to("102", after=12))})))
    caller, invite = floor.dials("101")
    first = floor["101"].request()
    floor["101"].says(first, 180)
    caller.takes("180 INVITE")
    floor.board.passes(12)
    cancel = floor["101"].request("CANCEL")
    # This one has missed a call.
    assert "Reason" not in cancel.headers
    floor["101"].says(cancel, 200)
    floor["101"].says(first, 487)
    floor["101"].takes("ACK")
    incoming = floor["102"].request()
    floor["102"].says(incoming, 180)
    # One 180 whoever rings.
    caller.assert_silence()
    talks(floor, caller, invite, floor["102"], incoming)


def test_who_is_not_registered_forwards_without_a_message():
    floor = Floor(Office(exchange(forwarding={"101": Forwardings(unreachable=to("102"))}), out={"101"}))
    floor["101"].is_registered = False
    caller, invite = floor.dials("101")
    floor["101"].assert_silence()
    incoming = floor["102"].request()
    floor["102"].says(incoming, 180)
    caller.takes("180 INVITE")
    talks(floor, caller, invite, floor["102"], incoming)


def test_2_15_find_me_tries_one_place_after_another():
    floor = Floor(Office(exchange(group("600", "101", "102", "103"))))
    caller, invite = floor.dials("600")
    first = floor["101"].request()
    floor["101"].says(first, 180)
    caller.takes("180 INVITE")
    floor.board.passes(15)
    floor["101"].says(floor["101"].request("CANCEL"), 200)
    floor["101"].says(first, 487)
    floor["101"].takes("ACK")
    floor["102"].says(floor["102"].request(), 486)
    floor["102"].takes("ACK")
    incoming = floor["103"].request()
    floor["103"].says(incoming, 180)
    talks(floor, caller, invite, floor["103"], incoming)


def test_who_loses_in_a_group_has_no_missed_call():
    floor = Floor(Office(exchange(group("600", "101", "102", strategy=HuntStrategy.SIMULTANEOUS))))
    caller, invite = floor.dials("600")
    first, second = floor["101"].request(), floor["102"].request()
    floor["101"].says(first, 180)
    floor["102"].says(second, 180)
    caller.takes("180 INVITE")
    floor["102"].answers(second)
    floor["102"].takes("ACK")
    cancel = floor["101"].request("CANCEL")
    assert [str(each) for each in cancel.reason] == ['SIP;cause=200;text="Call completed elsewhere"']
    floor["101"].says(cancel, 200)
    floor["101"].says(first, 487)
    floor["101"].takes("ACK")
    talk = calling(caller, invite, caller.response("200 INVITE"))
    talk.acks(invite)
    talk.asks("BYE")
    floor["102"].says(floor["102"].request("BYE"), 200)
    floor.board.assert_nothing_is_left()


@pytest.mark.parametrize(
    ("presentation", "shown"),
    [
        (CallerPresentation.KEEP, '"Serwis" <sip:105@192.0.2.1:5060>'),
        (CallerPresentation.GROUP, '"Grupa 600" <sip:600@192.0.2.1:5060>'),
        (CallerPresentation.GROUP_NAME, '"Grupa 600" <sip:105@192.0.2.1:5060>'),
    ],
)
def test_each_header_that_a_phone_may_look_at_says_whom_the_group_shows(
    presentation: CallerPresentation, shown: str
):
    here = exchange(group("600", "101", caller_presentation=presentation), distinctive_ring=True)
    floor = Floor(Office(here))
    floor.dials("600")
    incoming = floor["101"].request()
    assert str(incoming.from_).startswith(shown)
    assert incoming.headers.all("P-Asserted-Identity") == [shown]
    assert incoming.headers.get("Remote-Party-ID") == f"{shown};party=calling;screen=yes;privacy=off"
    assert incoming.headers.all("Alert-Info") == ["<http://127.0.0.1>;info=internal"]


def test_a_phone_that_forwards_by_itself_is_followed_and_phones_in_a_circle_are_not():
    floor = Floor(Office(exchange()))
    caller, invite = floor.dials("101")
    floor["101"].says(floor["101"].request(), 302, Contact="<sip:102@pbx>")
    floor["101"].takes("ACK")
    floor["102"].says(floor["102"].request(), 302, Contact="<sip:103@pbx>;q=0.1, <sip:101@pbx>;q=0.9")
    floor["102"].takes("ACK")
    incoming = floor["103"].request()
    floor["103"].says(incoming, 302, Contact="<sip:101@pbx>")
    floor["103"].takes("ACK")
    turned_down(floor, caller, invite, 480)
    floor.assert_nobody_else()


def test_a_caller_hears_once_that_it_rings_wherever_the_call_goes():
    floor = Floor(Office(exchange()))
    caller, invite = floor.dials("101")
    first = floor["101"].request()
    floor["101"].says(first, 180)
    caller.takes("180 INVITE")
    floor["101"].says(first, 302, Contact="<sip:102@pbx>")
    floor["101"].takes("ACK")
    incoming = floor["102"].request()
    for _ in range(2):
        floor["102"].says(incoming, 180)
    caller.assert_silence()
    floor["102"].says(incoming, 486)
    floor["102"].takes("ACK")
    turned_down(floor, caller, invite, 486)


def test_a_caller_who_gives_up_ends_it_wherever_it_is():
    members = (Member("101", ring_time=10), Member("102", ring_delay=5))
    floor = Floor(Office(exchange(group("600", *members))))
    caller, invite = floor.dials("600")
    first = floor["101"].request()
    floor["101"].says(first, 180)
    caller.takes("180 INVITE")
    floor.board.passes(10)
    floor["101"].says(floor["101"].request("CANCEL"), 200)
    floor["101"].says(first, 487)
    floor["101"].takes("ACK")
    # Nobody rings now, and the next one would in five seconds.
    floor.board.passes(2)
    caller.cancels(invite)
    caller.takes("200 CANCEL")
    caller.acks_refusal(invite, caller.response("487 INVITE"))
    floor.board.passes(60)
    floor.assert_nobody_else()
    assert floor.board.ended() == (EndedBy.CALLER, 487)
    floor.board.assert_nothing_is_left()


def test_a_member_whose_phone_has_vanished_is_passed_over_before_its_ring_time():
    floor = Floor(Office(exchange(group("600", "101", "102"))))
    caller, invite = floor.dials("600")
    floor["101"].request()
    floor.board.passes(5)
    incoming = floor["102"].request()
    floor["102"].says(incoming, 180)
    caller.takes("100 INVITE", "180 INVITE")
    floor["102"].answers(incoming)
    floor["102"].takes("ACK")
    talk = calling(caller, invite, caller.response("200 INVITE"))
    talk.acks(invite)
    talk.asks("BYE")
    floor["102"].says(floor["102"].request("BYE"), 200)
    floor.board.assert_nothing_is_left()


@pytest.mark.parametrize("skip_forwarding", [False, True])
def test_a_member_rings_for_as_long_as_its_group_says_and_the_caller_hears_so_each_minute(
    skip_forwarding: bool,
):
    member = Member("101", ring_time=3600, skip_forwarding=skip_forwarding)
    floor = Floor(Office(exchange(group("600", member, Member("102", ring_time=3600)))))
    caller, invite = floor.dials("600")
    incoming = floor["101"].request()
    floor["101"].says(incoming, 180)
    caller.takes("180 INVITE")
    # A proxy on the way waits for three minutes (RFC 3261 §16.6, timer C).
    for _ in range(59):
        floor.board.passes(60)
        caller.takes("180 INVITE")
        floor["101"].assert_silence()
    floor.board.passes(60)
    floor["101"].says(floor["101"].request("CANCEL"), 200)
    floor["101"].says(incoming, 487)
    floor["101"].takes("ACK")
    second = floor["102"].request()
    floor["102"].says(second, 180)
    floor.board.passes(3599)
    assert set(caller.lines()) == {"180 INVITE"}
    talks(floor, caller, invite, floor["102"], second)


def test_who_waits_long_until_somebody_rings_hears_of_it_each_minute():
    floor = Floor(Office(exchange(group("600", Member("101", ring_time=30, ring_delay=3600)))))
    caller, invite = floor.dials("600")
    floor.board.passes(3600.1)
    assert caller.lines() == ["100 INVITE", *["183 INVITE"] * 60]
    assert not caller.last.body
    incoming = floor["101"].request()
    floor["101"].says(incoming, 180)
    caller.takes("180 INVITE")
    talks(floor, caller, invite, floor["101"], incoming)


def test_who_has_rung_for_a_group_rings_again_for_its_overflow_also_with_room_for_one_call():
    groups = group("600", "101", overflow="601"), group("601", "101", "102")
    here = exchange(*groups, no_waiting=("101",), calls_at_once={line_of("101"): 1})
    floor = Floor(Office(here))
    caller, invite = floor.dials("600")
    first = floor["101"].request()
    floor["101"].says(first, 180)
    caller.takes("180 INVITE")
    floor.board.passes(15)
    # Of this very call it is not busy; its phone is told of the second ringing before the first has ended.
    floor["101"].says(floor["101"].request("CANCEL"), 200)
    again = floor["101"].request()
    floor["101"].says(first, 487)
    floor["101"].takes("ACK")
    floor["101"].says(again, 180)
    talks(floor, caller, invite, floor["101"], again)
