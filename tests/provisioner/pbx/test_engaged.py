"""Who is in a call, and who answered for a group last, by what calls tell of themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from provisioner.centrex.exchange import SiteLimit
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.live import Company
from sip.call.ringing import Caller, Ending, Membership, Outcome, Target, Why
from sip.call.story import CallAnswered, CallBegan, CallEnded, EndedBy, LegBegan, LegEnded
from tests.provisioner.pbx.switchboards import exchange, line_of

CALLER = Caller("105")


def began(engaged: Engaged, line: str = "A") -> UUID:
    call = uuid4()
    engaged.hear(CallBegan(call, line, "600", "x@phone", 1.0))
    return call


def rung(engaged: Engaged, call: UUID, line: str, *memberships: Membership) -> UUID:
    leg = uuid4()
    engaged.hear(LegBegan(call, leg, Target(line, CALLER, memberships=memberships), 1, 2.0))
    return leg


def test_both_ends_of_a_call_are_in_it_until_it_ends():
    engaged = Engaged()
    call = began(engaged)
    leg = rung(engaged, call, "B")
    assert (engaged.calls_of("A"), engaged.calls_of("B")) == (1, 1)
    engaged.hear(CallAnswered(call, leg, 3.0))
    assert (engaged.calls_of("A"), engaged.calls_of("B")) == (1, 1)
    engaged.hear(CallEnded(call, EndedBy.CALLER, 200, 9.0))
    assert (engaged.calls_of("A"), engaged.calls_of("B")) == (0, 0)


def test_who_rings_no_longer_is_free():
    engaged = Engaged()
    call = began(engaged)
    leg = rung(engaged, call, "B")
    engaged.hear(LegEnded(call, leg, Why.NO_ANSWER, 5.0))
    assert engaged.calls_of("B") == 0
    leg = rung(engaged, call, "C")
    engaged.hear(LegEnded(call, leg, Ending(Outcome.BUSY, 486), 5.0))
    assert engaged.calls_of("C") == 0


def test_a_line_may_be_in_several_calls():
    engaged = Engaged()
    first, second = began(engaged), began(engaged)
    assert engaged.calls_of("A") == 2
    engaged.hear(CallEnded(first, EndedBy.NOBODY, 486, 5.0))
    assert engaged.calls_of("A") == 1
    engaged.hear(CallEnded(second, EndedBy.CALLER, 487, 5.0))
    assert engaged.calls_of("A") == 0


def test_who_answers_for_a_group_in_a_group_has_answered_for_both():
    engaged = Engaged()
    call = began(engaged)
    loser = rung(engaged, call, "B", Membership("600", "102"))
    winner = rung(engaged, call, "C", Membership("600", "601"), Membership("601", "103"))
    engaged.hear(LegEnded(call, loser, Why.ELSEWHERE, 3.0))
    engaged.hear(CallAnswered(call, winner, 4.0))
    assert engaged.last_answered("600", "C") == engaged.last_answered("601", "C") == 4.0
    assert engaged.last_answered("600", "B") is None


def test_lines_are_together_in_a_call_once_whoever_of_them_is_in_it():
    engaged = Engaged()
    inside, coming = began(engaged, "A"), began(engaged, "X")
    first = rung(engaged, inside, "B")
    rung(engaged, coming, "B")
    last = rung(engaged, coming, "C")
    began(engaged, "Y")
    here = {"A", "B", "C", "D"}
    assert engaged.calls_among(here) == 2
    assert engaged.calls_among(here, (coming,)) == 1
    assert engaged.calls_among({"D"}) == 0
    engaged.hear(LegEnded(coming, last, Why.NO_ANSWER, 3.0))
    assert engaged.calls_among({"C"}) == 0
    engaged.hear(LegEnded(inside, first, Why.GIVEN_UP, 4.0))
    engaged.hear(CallEnded(inside, EndedBy.CALLER, 487, 4.0))
    assert engaged.calls_among(here) == 1


def test_people_at_a_full_site_are_engaged_and_no_live_test_rings_them():
    engaged, unused = Engaged(), Any
    lines = frozenset(map(line_of, ("101", "102")))
    here = exchange(at=("101", "102"), sites={"Hala": SiteLimit(1, lines)})
    company = Company(here, unused, engaged, unused, unused, unused)  # type: ignore[arg-type]
    assert not company.is_engaged(line_of("101"))
    began(engaged, line_of("102"))
    assert company.is_engaged(line_of("101"))
    assert not company.is_engaged(line_of("103"))


def test_nothing_of_a_thousand_calls_is_kept_but_who_answered():
    engaged = Engaged()
    for number in range(1_000):
        call = began(engaged, f"caller{number}")
        leg = rung(engaged, call, "B", Membership("600", "102"))
        engaged.hear(CallAnswered(call, leg, float(number)))
        engaged.hear(CallEnded(call, EndedBy.CALLEE, 200, number + 1.0))
    held = (engaged._calls, engaged._callers, engaged._callees, engaged._rung)
    assert [len(each) for each in held] == [0, 0, 0, 0]
    assert engaged.last_answered("600", "B") == 999.0


def test_a_line_is_in_no_further_call_by_ringing_for_one_that_it_is_in_already():
    engaged = Engaged()
    call, other = began(engaged), began(engaged)
    first = rung(engaged, call, "B")
    rung(engaged, call, "B")
    rung(engaged, other, "B")
    assert engaged.calls_of("B") == 2
    assert engaged.calls_of("B", (call,)) == 1
    engaged.hear(LegEnded(call, first, Why.NO_ANSWER, 5.0))
    assert engaged.calls_of("B") == 2
