"""Each node of a tree by itself, and any of them together."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.call.ringing import Ending, GivenUp, Outcome, Ring, Skip, Step, Stop, Target, Why
from sip.call.tree.fallback import Fallback
from sip.call.tree.in_order import InOrder
from sip.call.tree.limited import Limited
from sip.call.tree.node import Node, Tried
from sip.call.tree.phone import Phone, Refusal
from sip.call.tree.together import Together
from sip.message.uri import Uri, parse_uri
from tests.sip.call.ringing import (
    ANSWERS,
    BUSY,
    CALLER,
    DECLINES,
    Played,
    Script,
    free,
    made,
    member,
    phone,
    play,
)

PROVE = bool(os.environ.get("CENTRALKA_PROVE"))


def in_order(*aors: str, ring_s: float = 15, tried: Tried | None = None) -> InOrder:
    tried = tried or Tried(free)
    return InOrder(tried, [member(made(Limited(phone(tried, aor), ring_s))) for aor in aors])


def together(*aors: str, ring_s: float = 15) -> Together:
    tried = Tried(free)
    return Together(tried, [member(made(Limited(phone(tried, aor), ring_s))) for aor in aors])


def gone(*aors: str) -> Tried:
    """Nothing is registered for these."""
    return Tried(lambda aor: Outcome.UNREACHABLE if aor in aors else None)


# A phone


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (Ending(Outcome.BUSY, 486), 486),
        (Ending(Outcome.BUSY, 600), 486),
        (Ending(Outcome.DECLINED, 603), 603),
        (Ending(Outcome.NO_ANSWER, 408), 480),
        (Ending(Outcome.UNREACHABLE), 480),
        (Ending(Outcome.REFUSED, 488), 488),
        (Ending(Outcome.REFUSED, 415), 415),
        (Ending(Outcome.REFUSED, 401), 480),
        (Ending(Outcome.REFUSED, 500), 480),
        (Ending(Outcome.MOVED, 302), 480),
    ],
)
def test_a_caller_is_told_what_concerns_the_caller(ending: Ending, status: int):
    one = phone(Tried(free), "101")
    (ring,) = one.start(0)
    assert isinstance(ring, Ring)
    assert one.ended(ring.id, ending, 1) == [GivenUp(ending.outcome, status)]


def test_who_cannot_ring_is_passed_over_and_it_is_told():
    one = phone(gone("101"), "101")
    target = Target("101", CALLER, "101")
    assert one.start(0) == [Skip(target, Outcome.UNREACHABLE), GivenUp(Outcome.UNREACHABLE, 480)]


def test_a_phone_that_sends_the_call_on_is_followed_by_whoever_that_is():
    tried = Tried(free)

    def onward(contacts: tuple[Uri, ...]) -> Node | None:
        return phone(tried, "102") if str(contacts[0]) == "sip:102@pbx" else None

    one = Phone(tried, Target("101", CALLER), onward)
    moved = Script(1, Ending(Outcome.MOVED, 302, (parse_uri("sip:102@pbx"),)))
    assert play(one, {"101": moved, "102": ANSWERS}).answered == "102"


def test_a_phone_that_sends_the_call_to_where_it_may_not_go_has_ended():
    one = Phone(Tried(free), Target("101", CALLER), lambda _: None)
    played = play(one, {"101": Script(1, Ending(Outcome.MOVED, 302, (parse_uri("sip:x@y"),)))})
    assert played.refused == GivenUp(Outcome.MOVED, 480)


def test_what_comes_from_a_phone_after_it_was_stopped_changes_nothing():
    one = Limited(phone(Tried(free), "101"), 10)
    (ring,) = one.start(0)
    assert isinstance(ring, Ring)
    assert one.timer(10) == [Stop(ring.id, Why.NO_ANSWER), GivenUp(Outcome.NO_ANSWER, 480)]
    assert one.ended(ring.id, Ending(Outcome.NO_ANSWER, 487), 10.1) == []


# In order


def test_the_next_member_rings_when_the_one_before_has_had_its_time():
    played = play(in_order("101", "102", "103"))
    assert played.times == [(0, "101"), (15, "102"), (30, "103")]
    assert played.refused == GivenUp(Outcome.NO_ANSWER, 480)
    assert played.ended_at == 45


def test_whoever_answers_is_the_last_that_rings():
    assert play(in_order("101", "102", "103"), {"102": ANSWERS}).rang == ["101", "102"]


def test_busy_members_are_passed_over_as_soon_as_they_say_so():
    assert play(in_order("101", "102"), {"101": BUSY}).times == [(0, "101"), (0.1, "102")]


def test_members_that_are_not_registered_are_passed_over_at_once():
    played = play(in_order("101", "102", "103", tried=gone("101", "102")))
    assert played.times == [(0, "103")]
    assert played.skipped == [("101", Outcome.UNREACHABLE), ("102", Outcome.UNREACHABLE)]


def test_a_ring_delay_is_waited_before_its_member():
    tried = Tried(free)
    members = [
        member(made(Limited(phone(tried, aor), 15)), delay_s) for aor, delay_s in (("101", 2), ("102", 5))
    ]
    assert play(InOrder(tried, members)).times == [(2, "101"), (22, "102")]


def test_nobody_is_waited_for_who_would_not_ring():
    tried = gone("101")
    members = [member(made(phone(tried, "101")), 30), member(made(Limited(phone(tried, "102"), 15)))]
    assert play(InOrder(tried, members)).times == [(0, "102")]


def test_after_a_member_that_stops_here_nobody_is_tried():
    tried = Tried(free)
    members = [
        member(made(Limited(phone(tried, "101"), 15))),
        member(made(Limited(phone(tried, "102"), 15)), is_last=True),
        member(made(Limited(phone(tried, "103"), 15))),
    ]
    assert play(InOrder(tried, members), {"102": DECLINES}).rang == ["101", "102"]


def test_a_group_in_a_group_rings_in_its_turn_and_for_its_time():
    tried = Tried(free)
    inner = in_order("201", "202", "203", tried=tried)
    outer = InOrder(
        tried,
        [
            member(made(Limited(phone(tried, "101"), 10))),
            member(made(Limited(inner, 20))),
            member(made(Limited(phone(tried, "102"), 10))),
        ],
    )
    assert play(outer).times == [(0, "101"), (10, "201"), (25, "202"), (30, "102")]


def test_a_group_of_nobody_is_given_up_at_once():
    assert play(in_order()).refused == GivenUp(Outcome.UNREACHABLE, 480)


def test_of_groups_that_hold_each_other_a_hundredfold_only_so_many_members_are_tried():
    tried = Tried(lambda _: Outcome.BUSY, most=50)

    def deep(levels: int) -> Node:
        if levels == 0:
            return phone(tried, "101")
        return InOrder(tried, [member(lambda: deep(levels - 1))] * 10)

    played = play(deep(8))
    assert len(played.skipped) <= 50
    assert played.refused is not None


# Together


def test_together_all_ring_at_once_and_each_for_its_own_time():
    tried = Tried(free)
    node = Together(
        tried, [member(made(Limited(phone(tried, str(ring_s)), ring_s))) for ring_s in (5, 15, 10)]
    )
    played = play(node)
    assert played.times == [(0, "5"), (0, "15"), (0, "10")]
    stops = [at for at, step in played.steps if isinstance(step, Stop)]
    assert stops == [5, 10, 15]
    assert played.ended_at == 15


def test_together_ring_delays_count_from_the_arrival_of_the_call():
    tried = Tried(free)
    members = [
        member(made(Limited(phone(tried, str(delay)), 15)), delay) for delay in (10, 0, 5)
    ]
    assert play(Together(tried, members)).times == [(0, "0"), (5, "5"), (10, "10")]


def test_together_one_that_turns_the_call_down_leaves_the_others_ringing():
    assert play(together("101", "102"), {"101": DECLINES, "102": ANSWERS}).answered == "102"


def test_together_it_is_given_up_when_the_last_has_failed():
    played = play(together("101", "102"), {"101": BUSY, "102": DECLINES})
    assert played.refused == GivenUp(Outcome.DECLINED, 480)
    assert played.ended_at == 2


def test_nobody_rings_twice_at_a_time_for_one_call():
    tried = Tried(free)
    node = Together(tried, [member(made(Limited(phone(tried, "101"), 15))) for _ in range(2)])
    played = play(node)
    assert played.rang == ["101"]
    assert played.skipped == [("101", Outcome.BUSY)]


# What follows


def test_what_follows_goes_by_how_it_has_failed():
    def follows(ending: Ending) -> Played:
        tried = Tried(free)
        after = {Outcome.BUSY: lambda: Limited(phone(tried, "busy"), 9)}
        node = Fallback(Limited(phone(tried, "101"), 20), after)
        return play(node, {"101": Script(1, ending)})

    assert follows(Ending(Outcome.BUSY, 486)).rang == ["101", "busy"]
    assert follows(Ending(Outcome.UNREACHABLE)).rang == ["101"]


def test_where_what_follows_leads_in_a_circle_the_first_failure_stands():
    node = Fallback(phone(Tried(free), "101"), {Outcome.BUSY: lambda: None})
    assert play(node, {"101": BUSY}).refused == GivenUp(Outcome.BUSY, 486)


def test_what_follows_is_followed_by_nothing():
    tried = Tried(free)
    node = Fallback(phone(tried, "101"), {Outcome.BUSY: lambda: phone(tried, "102")})
    assert play(node, {"101": BUSY, "102": BUSY}).rang == ["101", "102"]


# Any tree


@st.composite
def trees(draw: st.DrawFn, tried: Tried, depth: int = 3) -> Node:
    kinds = ["phone", "refusal"] if depth == 0 else ["phone", "order", "together", "fallback", "refusal"]
    match draw(st.sampled_from(kinds)):
        case "phone":
            return Limited(phone(tried, draw(st.sampled_from("abcdefgh"))), draw(st.integers(1, 60)))
        case "refusal":
            return Refusal(draw(st.sampled_from(list(Outcome))), 480)
        case "fallback":
            after = draw(trees(tried, depth - 1))
            cases = draw(st.lists(st.sampled_from(list(Outcome)), unique=True))
            return Fallback(draw(trees(tried, depth - 1)), dict.fromkeys(cases, lambda: after))
        case kind:
            members = [
                member(
                    made(Limited(draw(trees(tried, depth - 1)), draw(st.integers(1, 60)))),
                    draw(st.sampled_from([0, 0, 1, 7.5])),
                    is_last=draw(st.booleans()) and draw(st.booleans()),
                )
                for _ in range(draw(st.integers(0, 4)))
            ]
            return InOrder(tried, members) if kind == "order" else Together(tried, members)


ENDINGS = st.builds(
    Script,
    st.sampled_from([0.0, 0.1, 5.0, 15.0, 90.0]),
    st.one_of(st.none(), st.builds(Ending, st.sampled_from(list(Outcome)))),
)


@settings(max_examples=2_000 if PROVE else 60)
@given(st.data())
def test_every_tree_ends_and_says_nothing_impossible(data: st.DataObject):
    out = data.draw(st.sets(st.sampled_from("abcdefgh")))
    tree = data.draw(trees(Tried(lambda aor: Outcome.UNREACHABLE if aor in out else None)))
    scripts = data.draw(st.dictionaries(st.sampled_from("abcdefgh"), ENDINGS))
    # `play` asserts what must hold.
    played = play(tree, scripts)
    assert (played.answered is None) != (played.refused is None)
    assert not out & set(played.rang)


@settings(max_examples=500 if PROVE else 30)
@given(st.data())
def test_a_tree_that_is_stopped_lets_nobody_ring_on(data: st.DataObject):
    tree = data.draw(trees(Tried(free)))
    steps: list[Step] = tree.start(0)
    for _ in range(data.draw(st.integers(0, 6))):
        if tree.deadline is None or any(isinstance(step, GivenUp) for step in steps):
            break
        steps += tree.timer(tree.deadline)
    if not any(isinstance(step, GivenUp) for step in steps):
        steps += tree.stop(Why.NO_ANSWER)
    rung = {step.id for step in steps if isinstance(step, Ring)}
    assert rung == {step.id for step in steps if isinstance(step, Stop)}
