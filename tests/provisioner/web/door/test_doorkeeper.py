"""Who may stay and who goes first; the clock is the test's."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.settings import Limits
from provisioner.web.doorkeeper import Doorkeeper, Place

LIMITS = Limits.model_construct(
    connections=4, connections_per_source=3, header_s=10, handshakes=2, handshake_s=5, idle_s=20, stalled_s=60
)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hall:
    """A doorkeeper, and who was sent out."""

    limits: Limits = LIMITS
    clock: Clock = field(default_factory=Clock)
    out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = Doorkeeper(self.limits, self.clock)

    def enter(self, name: str, source: str | None = None) -> Place:
        place = self.try_to_enter(name, source)
        assert place is not None
        return place

    def try_to_enter(self, name: str, source: str | None = None) -> Place | None:
        source = source or f"192.0.2.{len(name)}{ord(name[-1])}"
        return self.keeper.enter(source, lambda: self.out.append(name))

    def sweep_at(self, now: float) -> list[str]:
        self.clock.now = 1000.0 + now
        self.keeper.sweep()
        return self.out


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_who_sends_no_whole_header_is_dropped_after_ten_seconds(hall: Hall):
    hall.enter("a")
    assert hall.sweep_at(9.9) == []
    assert hall.sweep_at(10) == ["a"]
    assert hall.keeper.taken == 0


def test_the_header_of_each_following_request_has_its_own_ten_seconds(hall: Hall):
    place = hall.enter("a")
    hall.keeper.request_begins(place)
    hall.keeper.request_ends(place)
    hall.clock.now += 15
    hall.keeper.header_begins(place)
    assert hall.sweep_at(24.9) == []
    assert hall.sweep_at(25) == ["a"]


def test_who_stands_idle_is_dropped_after_the_idle_time(hall: Hall):
    place = hall.enter("a")
    hall.keeper.request_begins(place)
    hall.clock.now += 5
    hall.keeper.request_ends(place)
    assert hall.sweep_at(24.9) == []
    assert hall.sweep_at(25) == ["a"]


def test_who_waits_for_us_is_never_dropped(hall: Hall):
    place = hall.enter("a")
    hall.keeper.request_begins(place)
    assert hall.sweep_at(100_000) == []


def test_a_handshake_has_a_deadline_of_its_own(hall: Hall):
    place = hall.enter("a")
    hall.clock.now += 8
    assert hall.keeper.handshake_begins(place)
    assert hall.sweep_at(12.9) == []
    assert hall.sweep_at(13) == ["a"]


def test_when_all_places_are_taken_the_oldest_without_a_header_gives_way(hall: Hall):
    for name in "abc":
        hall.enter(name)
    answered = hall.enter("d")
    hall.keeper.request_begins(answered)
    hall.enter("e")
    assert hall.out == ["a"]
    hall.enter("f")
    assert hall.out == ["a", "b"]
    assert hall.keeper.taken == 4


def test_after_them_the_longest_idle_gives_way(hall: Hall):
    places = [hall.enter(name) for name in "abcd"]
    for place in places:
        hall.keeper.request_begins(place)
    for place in (places[2], places[0]):
        hall.keeper.request_ends(place)
    hall.keeper.request_begins(hall.enter("e"))
    hall.keeper.request_begins(hall.enter("f"))
    assert hall.out == ["c", "a"]


def test_who_is_being_answered_never_gives_way(hall: Hall):
    for name in "abcd":
        hall.keeper.request_begins(hall.enter(name))
    assert hall.try_to_enter("e") is None
    assert hall.out == []
    assert hall.keeper.turned_away == 1


def test_one_source_can_take_no_place_of_others(hall: Hall):
    hall.enter("other")
    for name in "abc":
        hall.enter(name, "198.51.100.1")
    hall.enter("d", "198.51.100.1")
    assert hall.out == ["a"], "its own oldest gave way"
    for place in [hall.enter(name, "198.51.100.1") for name in "efg"]:
        hall.keeper.request_begins(place)
    assert hall.try_to_enter("h", "198.51.100.1") is None
    assert "other" not in hall.out


def test_addresses_of_one_ipv6_network_count_as_one_source(hall: Hall):
    for number in range(3):
        hall.keeper.request_begins(hall.enter(str(number), f"2001:db8::{number}%eth0"))
    assert hall.try_to_enter("more", "2001:db8::ffff") is None
    assert hall.try_to_enter("other", "2001:db8:0:1::1") is not None


def test_handshakes_wait_for_others_to_end_and_old_ones_give_way_to_them(hall: Hall):
    places = [hall.enter(name) for name in "abc"]
    assert hall.keeper.handshake_begins(places[0])
    hall.clock.now += 1
    assert hall.keeper.handshake_begins(places[1])
    assert not hall.keeper.handshake_begins(places[2])
    hall.clock.now += 1.5
    assert hall.keeper.handshake_begins(places[2])
    assert hall.out == ["a"]


def test_who_is_gone_is_gone_once_and_comes_back_into_no_queue(hall: Hall):
    place = hall.enter("a")
    hall.keeper.request_begins(place)
    hall.keeper.leave(place)
    hall.keeper.leave(place)
    hall.keeper.request_ends(place)
    assert hall.keeper.taken == 0
    assert hall.sweep_at(1000) == []


WHAT = ["enter", "begin", "end", "header", "shake", "leave", "wait"]
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 9)))


@given(STEPS)
def test_whatever_happens_places_are_counted_right_and_never_too_many(steps: list[tuple[str, int]]):
    hall = Hall()
    inside: dict[str, Place] = {}
    for number, (what, which) in enumerate(steps):
        name = f"{number}"
        if what == "enter":
            place = hall.try_to_enter(name, f"192.0.2.{which % 3}")
            if place is not None:
                inside[name] = place
        elif what == "wait":
            hall.sweep_at(hall.clock.now - 1000 + which)
        elif inside:
            chosen = list(inside)[which % len(inside)]
            keeper, place = hall.keeper, inside[chosen]
            if what == "leave":
                keeper.leave(place)
                hall.out.append(chosen)
            else:
                actions = {"begin": keeper.request_begins, "end": keeper.request_ends}
                actions |= {"header": keeper.header_begins, "shake": keeper.handshake_begins}
                actions[what](place)
        for gone in hall.out:
            inside.pop(gone, None)
        assert hall.keeper.taken == len(inside) <= LIMITS.connections
        sources = [place.source for place in inside.values()]
        assert all(sources.count(each) <= LIMITS.connections_per_source for each in sources)
