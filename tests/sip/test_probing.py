"""Who is asked when whether it answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from sip.binding import Binding, Change, ChangeKind
from sip.probing import Probe, Probes
from sip.transport.flow import Transport
from tests.sip.registering import AOR, NOW, PHONE, SERVER

DESK = Binding("sip:101@192.0.2.20", "one", 1, Transport.UDP, PHONE, SERVER, NOW, NOW, NOW + 3600)
PROBE = Probe(AOR, DESK.key)


def chances(seed: int) -> Callable[[], float]:
    """The same ones in each run."""
    return random.Random(seed).random  # noqa: S311


def came(aor: str = AOR, at: float = NOW) -> Change:
    return Change(ChangeKind.REGISTERED, aor, DESK, at)


def run(probes: Probes, start: float, until: float) -> list[tuple[float, Probe]]:
    """Everything that is asked, each with its time, by one who comes when the plan says so."""
    asked: list[tuple[float, Probe]] = []
    now = start
    while probes.deadline is not None and (now := max(now, probes.deadline)) < until:
        asked += [(now, probe) for probe in probes.take(now)]
    return asked


def test_who_has_just_come_is_asked_soon_and_then_once_in_a_while():
    probes = Probes(lambda: 0.5, every_s=60, soon_s=2)
    assert probes.deadline is None
    probes.note(came())
    assert [at - NOW for at, _ in run(probes, NOW, NOW + 200)] == [1, 61, 121, 181]


def test_each_time_is_a_little_different():
    probes = Probes(chances(1), every_s=60, jitter=0.1)
    probes.note(came())
    times = [at for at, _ in run(probes, NOW, NOW + 6000)]
    gaps = [round(after - before, 6) for before, after in pairwise(times)]
    assert len(set(gaps)) > len(gaps) / 2
    assert all(54 <= gap <= 66 for gap in gaps)


def test_who_has_gone_is_asked_no_more():
    for kind in (ChangeKind.UNREGISTERED, ChangeKind.EXPIRED, ChangeKind.DISPLACED):
        probes = Probes(lambda: 0.5)
        probes.note(came())
        probes.note(Change(kind, AOR, DESK, NOW))
        assert (len(probes), run(probes, NOW, NOW + 1000)) == (0, [])


def test_who_has_moved_is_asked_where_it_is_now():
    probes = Probes(lambda: 0.5, every_s=60)
    probes.note(came())
    there = replace(DESK, contact="sip:101@192.0.2.99")
    probes.note(Change(ChangeKind.MOVED, AOR, there, NOW + 30, before=DESK))
    assert {probe.key for _, probe in run(probes, NOW + 30, NOW + 100)} == {there.key}


def test_a_refresh_changes_nothing():
    probes = Probes(lambda: 0.5, every_s=60)
    probes.note(came())
    before = probes.deadline
    probes.note(Change(ChangeKind.REFRESHED, AOR, DESK, NOW + 1, before=DESK))
    assert probes.deadline == before


def test_who_left_one_unanswered_is_asked_again_sooner():
    probes = Probes(lambda: 0.5, every_s=60)
    probes.note(came())
    run(probes, NOW, NOW + 2)
    probes.again(PROBE, NOW + 12)
    probes.again(PROBE, NOW + 5000)
    probes.again(Probe("gone", DESK.key), NOW + 3)
    assert [at - NOW for at, _ in run(probes, NOW + 2, NOW + 100)] == [12, 72]


def test_many_that_come_at_once_are_asked_no_faster_than_the_rate_allows():
    probes = Probes(chances(2), every_s=60, rate=50, soon_s=2)
    for aor in range(1_000):
        probes.note(came(str(aor)))
    asked = run(probes, NOW, NOW + 30)
    assert len({probe for _, probe in asked}) == 1_000
    for second in range(30):
        in_it = [at for at, _ in asked if second <= at - NOW < second + 1]
        assert len(in_it) <= 50 * 1.1 + 1
    assert asked[-1][0] - NOW < 1_000 / 50 + 2
    assert len({at for at, _ in asked}) <= 20 * 11, "the plan asks to be woken ten times a second at most"


def test_many_that_were_there_before_are_spread_evenly():
    probes = Probes(chances(3), every_s=60, rate=1_000)
    probes.restore([(str(aor), DESK) for aor in range(6_000)], NOW)
    seconds = Counter(int(at - NOW) for at, _ in run(probes, NOW, NOW + 60))
    assert sum(seconds.values()) >= 5_700
    assert max(seconds.values()) < 160
    assert min(seconds[i] for i in range(50)) > 50


def test_more_than_the_rate_can_ask_in_time_are_asked_in_turn():
    probes = Probes(chances(4), every_s=10, rate=20, jitter=0)
    probes.restore([(str(aor), DESK) for aor in range(1_000)], NOW)
    times = Counter(probe.aor for _, probe in run(probes, NOW, NOW + 100))
    assert len(times) == 1_000
    assert set(times.values()) <= {1, 2, 3}


def test_coming_and_going_leaves_nothing_behind():
    probes = Probes(lambda: 0.5)
    for i in range(20_000):
        probes.note(came(at=NOW + i / 1000))
        probes.note(Change(ChangeKind.UNREGISTERED, AOR, DESK, NOW + i / 1000))
    assert len(probes._heap) <= 1_002
