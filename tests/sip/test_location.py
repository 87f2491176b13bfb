"""Where the phones are, whether they answer, and who is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sip.binding import Binding, Change, ChangeKind
from sip.flapping import Flapping
from sip.location import Location, Reachability, Registered
from sip.registrar_contact import Limits
from sip.registrar_errors import RegisterRefused
from sip.transport.flow import Address, Transport
from sip.watch import Watch
from tests.sip.registering import AOR, NOW, PHONE, SERVER, Registrar, a_register

MANY = settings(max_examples=2_000 if os.environ.get("CENTRALKA_PROVE") else 40, stateful_step_count=40)


def binding(
    contact: str = "sip:101@192.0.2.20:5062", *, expires_at: float = NOW + 600, at: float = NOW
) -> Binding:
    return Binding(contact, "one@phone", 1, Transport.UDP, PHONE, SERVER, at, at, expires_at)


def change(kind: ChangeKind, of: Binding, aor: str = AOR, before: Binding | None = None) -> Change:
    return Change(kind, aor, of, of.refreshed_at, before)


def registered(of: Binding, aor: str = AOR) -> Change:
    return change(ChangeKind.REGISTERED, of, aor)


def refreshed(of: Binding, at: float, expires_at: float) -> Change:
    new = replace(of, refreshed_at=at, expires_at=expires_at, refreshes=of.refreshes + 1)
    return change(ChangeKind.REFRESHED, new, before=of)


def watching(location: Location, aor: str | None = None, pending: int = 100) -> tuple[Watch, list[int]]:
    """A watch, and how often it was woken."""
    woken: list[int] = []
    return location.subscribe(aor, lambda: woken.append(1), pending=pending), woken


def told(watch: Watch) -> list[tuple[ChangeKind, str]]:
    return [(each.kind, each.aor) for each in watch.take().changes]


DESK, CELL = binding(), binding("sip:101@192.0.2.30", expires_at=NOW + 60)


def test_what_is_registered_is_found_until_it_lapses():
    location = Location()
    location.apply([registered(DESK), registered(CELL)])
    assert location.bindings(AOR, NOW) == (DESK, CELL)
    assert location.bindings(AOR, NOW + 59.999) == (DESK, CELL)
    assert location.bindings(AOR, NOW + 60) == (DESK,)
    assert location.bindings("other", NOW) == ()


def test_what_has_lapsed_is_told_once():
    location = Location()
    watch, _ = watching(location)
    location.apply([registered(DESK), registered(CELL)])
    assert location.deadline == NOW + 60
    assert location.expire(NOW + 59) == []
    assert [(each.kind, each.binding) for each in location.expire(NOW + 60)] == [(ChangeKind.EXPIRED, CELL)]
    assert location.expire(NOW + 61) == []
    assert location.deadline == NOW + 600
    assert [each.binding for each in location.expire(NOW + 1000)] == [DESK]
    assert (len(location), location.deadline) == (0, None)
    assert [kind for kind, _ in told(watch)] == [ChangeKind.REGISTERED] * 2 + [ChangeKind.EXPIRED] * 2


def test_a_refresh_puts_the_end_off():
    location = Location()
    location.apply([registered(DESK)])
    again = refreshed(DESK, NOW + 300, NOW + 900)
    location.apply([again])
    assert location.expire(NOW + 600) == []
    assert location.bindings(AOR, NOW + 600) == (again.binding,)
    assert len(location.expire(NOW + 900)) == 1


def test_a_refresh_may_bring_the_end_nearer():
    location = Location()
    location.apply([registered(DESK), refreshed(DESK, NOW + 1, NOW + 61)])
    assert len(location.expire(NOW + 61)) == 1


def test_what_moves_keeps_its_place_and_is_to_be_asked_anew_whether_it_answers():
    location = Location()
    location.apply([registered(DESK), registered(CELL)])
    location.heard(AOR, DESK.key, NOW + 1, rtt_s=0.02)
    moved = replace(DESK, contact="sip:101@192.0.2.99", refreshed_at=NOW + 5)
    location.apply([change(ChangeKind.MOVED, moved, before=DESK)])
    assert location.bindings(AOR, NOW + 5) == (moved, CELL)
    assert location.registered(AOR, NOW + 5)[0].reachability == Reachability(NOW + 5)


@pytest.mark.parametrize("kind", [ChangeKind.UNREGISTERED, ChangeKind.DISPLACED, ChangeKind.EXPIRED])
def test_what_ends_is_gone_and_ends_once(kind):
    location = Location()
    watch, _ = watching(location)
    location.apply([registered(DESK), change(kind, DESK), change(kind, DESK)])
    assert location.bindings(AOR, NOW) == ()
    assert [each for each, _ in told(watch)] == [ChangeKind.REGISTERED, kind]


def test_what_lapses_while_its_refresh_is_stored_is_back_after_it():
    location = Location()
    location.apply([registered(CELL)])
    location.expire(NOW + 60)
    location.apply([refreshed(CELL, NOW + 59.9, NOW + 120)])
    assert len(location.bindings(AOR, NOW + 61)) == 1


def test_many_that_lapse_at_once_are_dropped_in_portions():
    location = Location()
    location.apply([registered(DESK, str(aor)) for aor in range(250)])
    counts = []
    while location.deadline is not None and location.deadline <= NOW + 600:
        counts.append(len(location.expire(NOW + 600, most=100)))
    assert counts == [100, 100, 50]


def test_coming_and_going_leaves_nothing_behind():
    location = Location()
    for i in range(20_000):
        new = binding(at=NOW + i, expires_at=NOW + i + 3600)
        location.apply([registered(new), change(ChangeKind.UNREGISTERED, new)])
    assert len(location) == 0
    assert len(location._deadlines) < 1_100


def test_what_was_stored_is_taken_over_in_silence():
    location = Location()
    watch, _ = watching(location)
    known = Reachability(NOW - 10, True, 0.031)
    location.restore([Registered(AOR, DESK, known), Registered("x", CELL, Reachability(NOW))])
    assert told(watch) == []
    assert location.registered(AOR, NOW) == (Registered(AOR, DESK, known),)
    assert len(location.snapshot(NOW)) == 2
    assert [each.aor for each in location.snapshot(NOW + 60)] == [AOR]
    assert [each.kind for each in location.expire(NOW + 60)] == [ChangeKind.EXPIRED]


# Reachability


def test_a_phone_that_answers_is_reachable_and_that_is_told_once():
    location = Location()
    location.apply([registered(DESK)])
    assert location.registered(AOR, NOW)[0].reachability == Reachability(NOW, None)
    (first,) = location.heard(AOR, DESK.key, NOW + 1, rtt_s=0.02)
    assert (first.kind, first.rtt_s, first.at) == (ChangeKind.REACHABLE, 0.02, NOW + 1)
    assert location.heard(AOR, DESK.key, NOW + 2, rtt_s=0.03) == []
    assert location.registered(AOR, NOW + 2)[0].reachability == Reachability(NOW + 2, True, 0.03)


def test_a_phone_that_leaves_several_unanswered_is_out_of_reach_and_comes_back():
    location = Location(unanswered=3)
    location.apply([registered(DESK)])
    location.heard(AOR, DESK.key, NOW, rtt_s=0.02)
    assert location.unanswered(AOR, DESK.key, NOW + 60) == []
    assert location.unanswered(AOR, DESK.key, NOW + 70) == []
    (gone,) = location.unanswered(AOR, DESK.key, NOW + 80)
    assert gone.kind is ChangeKind.UNREACHABLE
    assert location.unanswered(AOR, DESK.key, NOW + 90) == []
    assert location.dead(AOR) == [DESK.key]
    assert location.bindings(AOR, NOW + 90) == (DESK,), "it is registered all the same"
    (back,) = location.heard(AOR, DESK.key, NOW + 120, rtt_s=0.02)
    assert back.kind is ChangeKind.REACHABLE
    assert location.dead(AOR) == []


def test_a_refresh_is_a_sign_of_life_but_does_not_show_that_a_request_arrives():
    location = Location(unanswered=1)
    location.apply([registered(DESK)])
    location.unanswered(AOR, DESK.key, NOW + 10)
    location.apply([refreshed(DESK, NOW + 20, NOW + 700)])
    assert location.heard(AOR, DESK.key, NOW + 30) == []
    assert location.registered(AOR, NOW + 30)[0].reachability == Reachability(NOW + 30, False, None, 1)


def test_a_connection_that_is_gone_needs_no_further_proof():
    location = Location(unanswered=3)
    location.apply([registered(DESK)])
    assert location.unanswered(AOR, DESK.key, NOW, is_lost=True)[0].kind is ChangeKind.UNREACHABLE


def test_of_a_phone_that_is_gone_nothing_is_noted():
    location = Location(unanswered=1)
    assert location.heard(AOR, DESK.key, NOW, rtt_s=0.1) == []
    assert location.unanswered(AOR, DESK.key, NOW) == []
    assert location.dead(AOR) == ()


# Watching


def test_changes_are_told_in_order_to_who_watches_all_or_that_aor():
    location = Location()
    everything, _ = watching(location)
    one, _ = watching(location, "101")
    ended = change(ChangeKind.UNREGISTERED, DESK, "102")
    location.apply([registered(DESK, "102"), registered(DESK, "101"), ended])
    assert told(one) == [(ChangeKind.REGISTERED, "101")]
    assert told(everything) == [
        (ChangeKind.REGISTERED, "102"),
        (ChangeKind.REGISTERED, "101"),
        (ChangeKind.UNREGISTERED, "102"),
    ]


def test_a_watch_is_woken_when_there_is_something_to_take_and_not_again_before_it_took():
    location = Location()
    watch, woken = watching(location)
    location.apply([registered(DESK), registered(CELL)])
    assert len(woken) == 1
    watch.take()
    location.apply([refreshed(DESK, NOW + 1, NOW + 700)])
    assert len(woken) == 2


def test_a_slow_watch_is_told_how_much_it_lost():
    location = Location()
    watch, _ = watching(location, pending=3)
    location.apply([registered(DESK, str(aor)) for aor in range(5)])
    news = watch.take()
    assert ([each.aor for each in news.changes], news.lost) == (["2", "3", "4"], 2)
    assert (watch.take().changes, watch.take().lost) == ((), 0)


def test_who_wants_no_refreshes_gets_none():
    location = Location()
    watch = location.subscribe(None, lambda: None, frozenset(ChangeKind) - {ChangeKind.REFRESHED})
    location.apply([registered(DESK), refreshed(DESK, NOW + 1, NOW + 700)])
    assert told(watch) == [(ChangeKind.REGISTERED, AOR)]


def test_a_closed_watch_is_told_nothing():
    location = Location()
    watch, woken = watching(location)
    other, _ = watching(location)
    watch.close()
    watch.close()
    location.apply([registered(DESK)])
    assert (told(watch), woken) == ([], [])
    assert len(told(other)) == 1


# Flapping


def flap(location: Location, times: int, start: float, apart_s: float) -> list[float]:
    """A phone comes and goes; returns when it was called flapping."""
    said = []
    for i in range(times):
        new = binding(at=start + i * apart_s, expires_at=start + 10_000)
        kind = ChangeKind.UNREGISTERED if i % 2 else ChangeKind.REGISTERED
        said += [each.at - start for each in location.apply([change(kind, new)])]
    return said


def test_a_phone_that_comes_and_goes_is_flapping_and_that_is_said_once_until_it_is_calm():
    location = Location(flapping=Flapping(changes=6, window_s=300))
    watch, _ = watching(location)
    assert flap(location, 40, NOW, 10) == [50]
    kinds = [kind for kind, _ in told(watch)]
    assert kinds[5:7] == [ChangeKind.UNREGISTERED, ChangeKind.FLAPPING]
    assert len(kinds) == 41, "all that happens is told beside"
    assert flap(location, 40, NOW + 1000, 10) == [50]


def test_a_phone_that_comes_and_goes_now_and_then_is_not_flapping():
    assert flap(Location(flapping=Flapping(changes=6, window_s=300)), 40, NOW, 61) == []


def test_phones_of_one_line_flap_apart():
    location = Location(flapping=Flapping(changes=3, window_s=300))
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        new = replace(DESK, remote=Address(host, 5060), contact=f"sip:1@{host}")
        assert location.apply([registered(new), change(ChangeKind.UNREGISTERED, new)]) == []


def test_no_number_of_phones_fills_the_memory_of_who_flaps():
    flapping = Flapping(phones=10)
    for i in range(100):
        flapping.notes(registered(DESK, str(i)))
    assert len(flapping._times) == 10


# For all inputs


def some_contacts() -> st.SearchStrategy[str]:
    return st.sampled_from([f"<sip:{user}@192.0.2.{host}>" for user in "ab" for host in "123"])


class AgainstAModel(RuleBasedStateMachine):
    """A location that a registrar changes, beside a dictionary that means the same."""

    def __init__(self) -> None:
        super().__init__()
        self.location = Location()
        self.watch = self.location.subscribe(None, lambda: None)
        self.model: dict[tuple[str, str], Binding] = {}
        self.seen: dict[tuple[str, str], Binding] = {}
        "What one who watches believes."
        self.now = NOW
        self.cseq = 0

    @rule(aor=st.sampled_from("xy"), contact=some_contacts(), expires=st.sampled_from([0, 60, 61, 300]))
    def register(self, aor: str, contact: str, expires: int) -> None:
        self.cseq += 1
        registrar = Registrar(Limits(min_s=1, jitter=0, bindings=3), now=self.now)
        registrar.bindings = self.location.bindings(aor, self.now)
        try:
            decision = registrar.take(a_register(contact, expires=str(expires), cseq=self.cseq))
        except RegisterRefused:
            return
        self.location.apply([replace(each, aor=aor) for each in decision.changes])
        for key in [key for key in self.model if key[0] == aor]:
            del self.model[key]
        self.model |= {(aor, each.contact): each for each in decision.bindings}

    @rule(by=st.sampled_from([0.5, 30.0, 60.0, 200.0]))
    def time_passes(self, by: float) -> None:
        self.now += by

    @precondition(lambda self: self.location.deadline is not None)
    @rule()
    def expire(self) -> None:
        assert all(each.binding.expires_at <= self.now for each in self.location.expire(self.now))

    @invariant()
    def is_as_the_model(self) -> None:
        live = {key: each for key, each in self.model.items() if each.expires_at > self.now}
        found = {(each.aor, each.binding.contact): each.binding for each in self.location.snapshot(self.now)}
        assert found == live
        for aor in "xy":
            bindings = self.location.bindings(aor, self.now)
            assert all(each.expires_at > self.now for each in bindings)
            assert {(aor, each.contact) for each in bindings} == {key for key in live if key[0] == aor}
        if live:
            assert self.location.deadline is not None
            assert self.location.deadline <= min(each.expires_at for each in live.values())

    @invariant()
    def who_watches_knows_the_same(self) -> None:
        for each in self.watch.take().changes:
            key = (each.aor, each.binding.contact)
            if each.before is not None:
                self.seen.pop((each.aor, each.before.contact), None)
            if each.kind in (ChangeKind.REGISTERED, ChangeKind.REFRESHED, ChangeKind.MOVED):
                self.seen[key] = each.binding
            elif each.kind is not ChangeKind.FLAPPING:
                del self.seen[key]
        held = {(each.aor, each.binding.contact): each.binding for each in self.location.snapshot(0.0)}
        assert self.seen == held


TestAgainstAModel: Callable[..., object] = AgainstAModel.TestCase
AgainstAModel.TestCase.settings = MANY


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_changes_are_told_in_the_order_in_which_they_were_applied(aors):
    location = Location()
    watch = location.subscribe(None, lambda: None, frozenset(ChangeKind) - {ChangeKind.FLAPPING})
    changes = [registered(binding(f"sip:{i}@h"), aor) for i, aor in enumerate(aors)]
    for i in range(0, len(changes), 3):
        location.apply(changes[i : i + 3])
    assert list(watch.take().changes) == changes
