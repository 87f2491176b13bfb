"""Who is told when. Time is an argument."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.centrex.devices import ResyncWindow
from provisioner.centrex.quiet import QuietHours
from provisioner.operations.resyncs import Cause, Job, Kind
from provisioner.pbx.telling import (
    Done,
    Effect,
    Outcome,
    Pace,
    Tell,
    Telling,
    Waits,
    Why,
)
from sip.checksync import Heard

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIET = QuietHours(ResyncWindow("02:00", "05:00"), "Europe/Warsaw")
TOLD, FETCHED, REFUSED, TIMEOUT = "told", Outcome.FETCHED, Outcome.REFUSED, Outcome.TIMEOUT


@dataclass
class Site:
    """Phones that are there or not, and a clock that the test turns on."""

    pace: Pace = field(default_factory=Pace)
    now: float = 1000.0
    absent: set[int] = field(default_factory=set)
    in_call: set[int] = field(default_factory=set)
    effects: list[tuple[float, Effect]] = field(default_factory=list)
    jobs: int = 0

    def __post_init__(self) -> None:
        self.telling = Telling(
            self.pace,
            Random(1).random,  # noqa: S311
            lambda job: job.device_id not in self.absent,
            lambda device_id: device_id not in self.in_call,
        )

    @property
    def at(self) -> datetime:
        return NOON + timedelta(seconds=self.now - 1000.0)

    def wants(self, device_id: int, cause: Cause = Cause.CHANGE, **more: object) -> Job:
        self.jobs += 1
        job = Job(self.jobs, device_id, Kind.RESYNC, cause, self.at)
        job = replace(job, **more)  # type: ignore[arg-type]
        self.note(self.telling.add(job, self.now, self.at))
        return job

    def note(self, effects: list[Effect]) -> None:
        self.effects += [(self.now, effect) for effect in effects]

    def answers(self, job: Job, heard: Heard = Heard.ACCEPTED) -> None:
        self.note(self.telling.answered(job.id, heard, self.now))

    def runs(self, seconds: float) -> None:
        """The clock goes on; the timer is called when it is due and at no other time."""
        end = self.now + seconds
        while (deadline := self.telling.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.note(self.telling.timer(self.now, self.at))
        self.now = end

    def of(self, job: Job) -> list[object]:
        """What became of a job."""
        return [
            effect.outcome if isinstance(effect, Done) else effect.why if isinstance(effect, Waits) else TOLD
            for _, effect in self.effects
            if effect.job.id == job.id
        ]

    def told_at(self) -> list[float]:
        return [now for now, effect in self.effects if isinstance(effect, Tell)]


def test_a_phone_is_told_and_followed_until_it_has_fetched():
    site = Site()
    job = site.wants(7)
    site.runs(0)
    site.answers(job)
    site.runs(30)
    site.note(site.telling.fetched(job.id))
    assert site.of(job) == [TOLD, FETCHED]
    assert (len(site.telling), site.telling.deadline) == (0, None)


def test_a_phone_that_has_fetched_before_its_turn_is_not_told():
    site = Site()
    job = site.wants(7)
    site.note(site.telling.fetched(job.id))
    site.runs(1000)
    assert site.of(job) == [FETCHED]


def test_three_thousand_phones_are_spread_and_none_is_left_out():
    site = Site(Pace(per_s=20.0, asking=10_000))
    jobs = [site.wants(device) for device in range(3000)]
    site.runs(200)
    told = site.told_at()
    assert Counter(effect.job.id for _, effect in site.effects) == Counter(job.id for job in jobs)
    assert 130 < told[-1] - told[0] < 170, "3 000 at 20 a second"
    assert max(Counter(int(at) for at in told).values()) <= 40
    gaps = {round(later - sooner, 6) for sooner, later in pairwise(told)}
    assert len(gaps) > 1000, "no beat that other clocks could fall into"


def test_so_many_answers_are_awaited_and_no_more():
    site = Site(Pace(per_s=1000.0, asking=50))
    jobs = [site.wants(device) for device in range(80)]
    site.runs(60)
    assert len(site.told_at()) == 50
    assert site.telling.deadline is None, "nothing to do until one answers"
    for job in jobs[:30]:
        site.answers(job)
    site.runs(60)
    assert len(site.told_at()) == 80


def test_a_person_who_asks_does_not_wait_behind_thousands():
    site = Site()
    for device in range(3000):
        site.wants(device)
    site.runs(1)
    job = site.wants(2999, Cause.ASKED)
    site.runs(0)
    assert site.of(job) == [TOLD]


def test_a_phone_that_is_away_takes_no_turn_and_is_told_when_it_is_back():
    site = Site(absent={7})
    job, other = site.wants(7), site.wants(8)
    site.runs(0)
    assert site.of(job) == [Why.NOT_REGISTERED]
    assert site.of(other) == [TOLD]
    site.runs(3600)
    site.absent.clear()
    site.telling.registered(7, site.now)
    site.runs(4.9)
    assert site.of(job) == [Why.NOT_REGISTERED], "what it fetched at its start has to be heard of first"
    site.runs(5.1)
    assert site.of(job) == [Why.NOT_REGISTERED, TOLD]


def test_who_may_have_come_while_nobody_could_count_is_looked_for_once():
    site = Site(absent={7, 8})
    here, away = site.wants(7), site.wants(8)
    site.runs(100)
    site.absent.remove(7)
    site.telling.anybody_may_have_registered(site.now)
    site.runs(100)
    assert site.of(here) == [Why.NOT_REGISTERED, TOLD]
    assert site.of(away) == [Why.NOT_REGISTERED] * 2


def test_a_phone_that_never_comes_back_is_given_up_after_a_week():
    site = Site(absent={7})
    job = site.wants(7, asked_at=NOON - timedelta(days=6))
    site.runs(24 * 3600 - 1)
    assert site.of(job) == [Why.NOT_REGISTERED]
    site.runs(1)
    assert site.of(job) == [Why.NOT_REGISTERED, Outcome.UNREGISTERED]


def test_a_phone_that_goes_while_it_is_told_is_waited_for():
    site = Site()
    job = site.wants(7)
    site.runs(0)
    site.note(site.telling.absent(job.id, site.now))
    site.runs(100)
    site.telling.registered(7, site.now)
    site.runs(20)
    assert site.of(job) == [TOLD, Why.NOT_REGISTERED, TOLD]


def test_silence_is_told_again_later_each_time_and_given_up_in_the_end():
    site = Site()
    job = site.wants(7)
    for _ in range(4):
        site.runs(0)
        site.answers(job, Heard.UNHEARD)
        deadline = site.telling.deadline
        if deadline is not None:
            site.runs(deadline - site.now)
    assert site.of(job) == [TOLD] * 4 + [TIMEOUT]
    first, second, third, last = site.told_at()
    assert 30 <= second - first <= 90
    assert 60 <= third - second <= 180
    assert 120 <= last - third <= 360


def test_a_phone_that_answers_and_does_not_fetch_is_told_again_then_given_up():
    site = Site()
    job = site.wants(7)
    for _ in range(4):
        site.runs(0)
        site.answers(job)
        site.runs(600)
        if (deadline := site.telling.deadline) is not None:
            site.runs(deadline - site.now)
    assert site.of(job) == [TOLD] * 4 + [TIMEOUT]


def test_who_does_not_know_the_event_is_not_told_again():
    site = Site()
    job = site.wants(7)
    site.runs(0)
    site.answers(job, Heard.REFUSED)
    site.runs(10_000)
    assert site.of(job) == [TOLD, REFUSED]


def test_a_newer_change_takes_the_place_of_a_waiting_one():
    site = Site(absent={7})
    old = site.wants(7)
    site.runs(10)
    new = site.wants(7)
    site.absent.clear()
    site.telling.registered(7, site.now)
    site.runs(20)
    assert site.of(old) == [Why.NOT_REGISTERED, Outcome.SUPERSEDED]
    assert site.of(new) == [TOLD]


def test_a_job_that_is_found_twice_is_one_job():
    site = Site()
    job = site.wants(7)
    site.note(site.telling.add(job, site.now, site.at))
    site.runs(100)
    assert site.of(job) == [TOLD]


def test_a_newer_change_takes_the_place_of_one_that_was_told():
    site = Site()
    old = site.wants(7)
    site.runs(0)
    new = site.wants(7)
    site.answers(old)
    site.runs(1)
    site.answers(new)
    assert site.of(old) == [TOLD, Outcome.SUPERSEDED]
    assert site.of(new) == [TOLD]
    assert len(site.telling) == 1


def test_what_a_person_asks_and_what_a_change_wants_go_their_own_ways():
    site = Site(absent={7})
    change, asked = site.wants(7), site.wants(7, Cause.ASKED, kind=Kind.REBOOT)
    site.absent.clear()
    site.runs(0)
    assert (site.of(change), site.of(asked)) == ([TOLD], [TOLD])


def test_firmware_that_would_start_anew_is_told_in_quiet_hours_only():
    site = Site()
    job = site.wants(7, quiet=QUIET)
    site.runs(12 * 3600)  # 13:00 in Warsaw is 12:00 UTC; quiet begins at 01:00 UTC
    assert TOLD not in site.of(job)
    site.runs(3600 + 900)
    assert site.of(job)[-1] == TOLD
    (told,) = site.told_at()
    assert QUIET.wait_s(NOON + timedelta(seconds=told - 1000.0)) == 0


def test_firmware_that_would_start_anew_is_told_when_it_is_in_no_call():
    site = Site(in_call={7}, now=1000.0 + 14 * 3600)
    job = site.wants(7, quiet=QUIET)
    site.runs(600)
    assert set(site.of(job)) == {Why.IN_CALL}
    site.in_call.clear()
    site.runs(60)
    assert site.of(job)[-1] == TOLD


def test_other_firmware_is_told_by_day_and_in_a_call():
    site = Site(in_call={7})
    job = site.wants(7)
    site.runs(0)
    assert site.of(job) == [TOLD]


def test_what_was_told_before_a_restart_is_not_told_at_once_again():
    site = Site()
    job = site.wants(7, was_told=True)
    site.runs(599)
    assert site.of(job) == []
    site.runs(200)
    assert site.of(job) == [TOLD]


def test_a_phone_that_comes_and_goes_for_days_costs_no_memory():
    site = Site()
    job = site.wants(7)
    site.absent.add(7)
    for _ in range(2000):
        site.runs(12)
        site.telling.registered(7, site.now)
    queues = (site.telling._turns, site.telling._times)
    assert max(len(queue._entries) for queue in queues) < 100
    assert set(site.of(job)) == {Why.NOT_REGISTERED}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["change", "ask", "leave", "come", "accept", "refuse", "silence", "gone", "fetch", "run"]
        ),
        st.integers(0, 3),
        st.floats(0, 2000),
    ),
    max_size=60,
)


@given(STEPS)
@pytest.mark.filterwarnings("error")
def test_whatever_happens_each_job_ends_once_and_nothing_goes_on_for_ever(
    steps: list[tuple[str, int, float]],
):
    site = Site(Pace(asking=2))
    asking: list[Job] = []
    seen = 0
    for what, device, seconds in steps:
        match what:
            case "change":
                site.wants(device)
            case "ask":
                site.wants(device, Cause.ASKED)
            case "leave":
                site.absent.add(device)
            case "come":
                site.absent.discard(device)
                site.telling.registered(device, site.now)
            case "accept" | "refuse" | "silence" if asking:
                heard = {"accept": Heard.ACCEPTED, "refuse": Heard.REFUSED, "silence": Heard.UNHEARD}
                site.answers(asking.pop(0), heard[what])
            case "gone" if asking:
                site.note(site.telling.absent(asking.pop(0).id, site.now))
            case "fetch" if site.jobs:
                site.note(site.telling.fetched(1 + device % site.jobs))
            case _:
                site.runs(seconds)
        for _, effect in site.effects[seen:]:
            if isinstance(effect, Tell):
                asking.append(effect.job)
        seen = len(site.effects)
    for _ in range(100):
        for _, effect in site.effects[seen:]:
            if isinstance(effect, Tell):
                asking.append(effect.job)
        seen = len(site.effects)
        while asking:
            site.answers(asking.pop())
        site.runs(24 * 3600)
    assert len(site.telling) == 0
    ends = Counter(effect.job.id for _, effect in site.effects if isinstance(effect, Done))
    assert ends == Counter(range(1, site.jobs + 1))
