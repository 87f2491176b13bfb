"""Hunt groups: whom they ring, in which order, and what a member has a say in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations

import pytest

from provisioner.centrex.customer import Forwardings, HuntStrategy, Member
from sip.call.ringing import GivenUp, Membership, Outcome, Ring, Stop
from tests.provisioner.pbx.switchboards import Office, exchange, group, line_of, rang, seeded, to, when
from tests.sip.call.ringing import ANSWERS, BUSY

CALLS = 1_000
FOUR = ("101", "102", "103", "104")
_CHI_SQUARE_23 = 49.7
"Of 23 degrees of freedom: one fair run in a thousand is above it; the seed is fixed."


def test_in_order_it_is_the_same_order_for_every_call():
    office = Office(exchange(group("600", *FOUR)))
    for _ in range(CALLS):
        assert when(office.call("600")) == [(0, "101"), (15, "102"), (30, "103"), (45, "104")]


def test_at_random_every_order_is_equally_likely():
    office = Office(exchange(group("600", *FOUR, strategy=HuntStrategy.RANDOM)), random=seeded(5))
    orders = Counter(tuple(rang(office.call("600"))) for _ in range(CALLS))
    assert set(orders) <= set(permutations(FOUR))
    expected = CALLS / 24
    chi_square = sum((orders[each] - expected) ** 2 / expected for each in permutations(FOUR))
    assert chi_square < _CHI_SQUARE_23


def test_simultaneously_all_ring_at_once_in_every_call():
    office = Office(exchange(group("600", *FOUR, strategy=HuntStrategy.SIMULTANEOUS)))
    for _ in range(CALLS):
        assert when(office.call("600")) == [(0, each) for each in FOUR]


@pytest.mark.parametrize("restarts", [False, True])
def test_least_used_never_rings_a_fresher_member_before_an_older_one(restarts: bool):
    random = seeded(3)
    office = Office(exchange(group("600", *FOUR, strategy=HuntStrategy.LEAST_USED)))
    answered_at: dict[str, int] = {}
    for call in range(1, CALLS + 1):
        winner = random.choice(FOUR)
        others = {number: BUSY for number in FOUR if number != winner}
        played = office.call("600", scripts={**others, winner: ANSWERS})
        order = [answered_at.get(number, 0) for number in rang(played)]
        assert order == sorted(order)
        assert played.answered == line_of(winner)
        answered_at[winner] = call
        if restarts and call % 10 == 0:
            # What was seen is forgotten, and what was stored is the order of the last answers.
            stored = sorted(answered_at, key=lambda number: answered_at[number])
            used = {("600", line_of(number)): rank for rank, number in enumerate(stored, start=1)}
            office.exchange, office.answered = replace(office.exchange, used=used), {}
        else:
            office.answered["600", line_of(winner)] = float(call)


def test_least_used_has_those_who_never_answered_first_and_ties_by_the_list():
    here = exchange(group("600", *FOUR, strategy=HuntStrategy.LEAST_USED))
    here = replace(here, used={("600", line_of("101")): 2, ("600", line_of("103")): 1})
    assert rang(Office(here).call("600")) == ["102", "104", "103", "101"]


def test_a_call_of_another_group_is_no_use_of_this_one():
    here = exchange(group("600", *FOUR, strategy=HuntStrategy.LEAST_USED), group("601", "101"))
    assert rang(Office(here, answered={("601", line_of("101")): 5.0}).call("600")) == list(FOUR)


def test_a_group_in_a_group_was_used_when_one_of_its_members_answered():
    outer = group("600", Member(group="601"), "103", strategy=HuntStrategy.LEAST_USED)
    here = exchange(outer, group("601", "101", "102"))
    assert rang(Office(here, answered={("601", line_of("102")): 5.0}).call("600"))[0] == "103"


def test_ring_delay_and_ring_time_are_each_members_own():
    members = (Member("101", ring_delay=3, ring_time=10), Member("102", ring_delay=5, ring_time=20))
    assert when(Office(exchange(group("600", *members))).call("600")) == [(3, "101"), (18, "102")]
    together = group("600", *members, strategy=HuntStrategy.SIMULTANEOUS)
    played = Office(exchange(together)).call("600")
    assert when(played) == [(3, "101"), (5, "102")]
    assert [at for at, step in played.steps if isinstance(step, Stop)] == [13, 25]


def test_after_stop_here_nobody_is_tried():
    here = exchange(group("600", "101", Member("102", stop=True), "103"))
    played = Office(here).call("600", scripts={"102": BUSY})
    assert rang(played) == ["101", "102"]
    assert played.refused == GivenUp(Outcome.NO_ANSWER, 480)


def test_busy_and_unregistered_members_are_passed_over_at_once():
    here = exchange(group("600", *FOUR), dnd=("102",))
    played = Office(here, out={"101"}).call("600", scripts={"103": BUSY})
    assert when(played) == [(0, "103"), (0.1, "104")]
    assert played.skipped == [(line_of("101"), Outcome.UNREACHABLE), (line_of("102"), Outcome.BUSY)]


def test_who_calls_the_group_is_not_rung_by_it():
    assert rang(Office(exchange(group("600", "101", "102"))).call("600", caller="101")) == ["102"]


def test_who_is_logged_out_is_not_there_and_stops_nothing():
    here = exchange(group("600", Member("101", stop=True, logged_in=False), "102"))
    assert rang(Office(here).call("600")) == ["102"]


def test_a_members_forwarding_is_followed_within_its_ring_time():
    here = exchange(
        group("600", Member("101", ring_time=15), "102"),
        forwarding={"101": Forwardings(no_answer=to("103", after=10))},
    )
    assert when(Office(here).call("600")) == [(0, "101"), (10, "103"), (15, "102")]


def test_a_members_forwarding_is_not_followed_where_the_group_says_so():
    says = {"101": Forwardings(always=to("103")), "102": Forwardings(busy=to("103"))}
    members = (Member("101", skip_forwarding=True), Member("102", skip_forwarding=True), "104")
    here = exchange(group("600", *members), forwarding=says)
    assert rang(Office(here).call("600", scripts={"102": BUSY})) == ["101", "102", "104"]


def test_a_member_that_forwards_in_a_circle_is_passed_over():
    here = exchange(group("600", "101", "102"), forwarding={"101": Forwardings(always=to("600"))})
    assert rang(Office(here).call("600")) == ["102"]


def test_a_group_in_a_group_rings_by_its_own_strategy_for_the_members_time():
    inner = group("601", "102", "103", strategy=HuntStrategy.SIMULTANEOUS)
    outer = group("600", "101", Member(group="601", ring_time=20), "104")
    played = Office(exchange(inner, outer)).call("600")
    assert when(played) == [(0, "101"), (15, "102"), (15, "103"), (30, "104")]
    memberships = [step.target.memberships for _, step in played.steps if isinstance(step, Ring)]
    assert memberships[:2] == [
        (Membership("600", "101"),),
        (Membership("600", "601"), Membership("601", "102")),
    ]


def test_a_group_in_a_group_has_the_members_time_and_no_more_like_any_other_member():
    inner = group("601", "102", "103", "105")
    outer = group("600", Member(group="601", ring_time=20), "104")
    played = Office(exchange(inner, outer)).call("600", caller="101")
    assert when(played) == [(0, "102"), (15, "103"), (20, "104")]


def test_groups_that_hold_each_other_ring_each_member_once():
    here = exchange(group("600", "101", Member(group="601")), group("601", "102", Member(group="600")))
    assert rang(Office(here).call("600")) == ["101", "102"]


def test_a_call_that_nobody_answers_goes_to_the_overflow():
    here = exchange(group("600", "101", "102", overflow="104"))
    assert when(Office(here).call("600")) == [(0, "101"), (15, "102"), (30, "104")]


@pytest.mark.parametrize("out", [set(), {"101", "102"}])
def test_without_an_overflow_the_caller_is_told_that_nobody_answers(out: set[str]):
    refused = Office(exchange(group("600", "101", "102")), out=out).call("600").refused
    assert refused is not None
    assert refused.status == 480


def test_an_overflow_is_taken_whatever_became_of_the_members():
    here = exchange(group("600", "101", "102", overflow="104"))
    assert rang(Office(here, out={"101", "102"}).call("600")) == ["104"]
    assert rang(Office(here).call("600", scripts={"101": BUSY, "102": BUSY})) == ["101", "102", "104"]


def test_overflows_in_a_circle_have_an_end():
    here = exchange(group("600", "101", overflow="601"), group("601", "102", overflow="600"))
    assert rang(Office(here).call("600")) == ["101", "102"]
