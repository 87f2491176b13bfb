"""Which phone is told when to fetch its files: sans-I/O, `now` is loop time in seconds, `at` the wall clock.

A job is one phone that is to be told one thing. It waits until the phone is registered, until its turn comes
(thousands are told one after the other), and where telling it may start it anew until it is idle in quiet
hours. Told, it has some time to fetch; who has not heard is told again, a few times.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from itertools import count
from typing import TypeAlias

from provisioner.operations.resyncs import Cause, Job
from sip.checksync import Heard


class Outcome(StrEnum):
    """What came of it."""

    FETCHED = "fetched"
    UNREGISTERED = "unregistered"
    "It was not there for as long as anybody waits for it."
    REFUSED = "refused"
    TIMEOUT = "timeout"
    "It was told, several times, and did not fetch."
    SUPERSEDED = "superseded"
    "A newer job says the same to the same phone."


class Why(StrEnum):
    """What a job waits for."""

    NOT_REGISTERED = "not-registered"
    QUIET_HOURS = "quiet-hours"
    IN_CALL = "in-call"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, how long, how often."""

    per_s: float = 20.0
    "Phones that are told in a second, of those that nobody waits for."
    asking: int = 500
    "Phones whose answer is awaited at the same time."
    fetch_s: float = 600.0
    "How long a phone that has answered may take to fetch; one that starts anew takes minutes."
    again_s: float = 60.0
    "How long after a failure a phone is told again; twice as long after each further one."
    tries: int = 4
    settle_s: float = 5.0
    "A phone that has just registered has often just fetched: it is told after so long, or up to twice that."
    busy_s: float = 30.0
    "How long after a phone was found in a call it is looked at again."
    age_s: float = 7 * 24 * 3600.0
    "From when it was asked for; then a phone that never came back is given up."


@dataclass(frozen=True, slots=True)
class Tell:
    """The phone is to be told now; `answered` or `absent` says what came of it."""

    job: Job
    attempt: int
    "From 1."


@dataclass(frozen=True, slots=True)
class Waits:
    """The job goes on later."""

    job: Job
    why: Why


@dataclass(frozen=True, slots=True)
class Done:
    """The job is over."""

    job: Job
    outcome: Outcome


Effect: TypeAlias = Tell | Waits | Done


class _Phase(Enum):
    WAITING = auto()
    "For its time, then its turn."
    ABSENT = auto()
    "For the phone to register."
    ASKING = auto()
    "For the phone's answer."
    TOLD = auto()
    "For the phone to fetch."


@dataclass(slots=True)
class _State:
    job: Job
    give_up_at: float
    phase: _Phase = _Phase.WAITING
    due: float = 0.0
    "When something is to be done."
    ticket: int = 0
    "Of the entry of a queue that holds; 0: none does."
    attempts: int = 0


class _Queue:
    """Jobs by the time at which something is to be done."""

    def __init__(self, states: Mapping[int, _State]) -> None:
        self._states = states
        self._entries: list[tuple[float, int, int]] = []
        "Due time, ticket, job."

    def put(self, state: _State) -> None:
        """`state` is due; an entry that it had before, here or in another queue, holds no longer."""
        if len(self._entries) > 2 * len(self._states) + 64:
            self._entries = [each for each in self._entries if self._holds(each)]
            heapq.heapify(self._entries)
        heapq.heappush(self._entries, (state.due, state.ticket, state.job.id))

    def due(self) -> float | None:
        """When the first one is due."""
        while self._entries and not self._holds(self._entries[0]):
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def take(self, now: float) -> _State | None:
        """The first one that is due at `now`; it is in the queue no longer."""
        due = self.due()
        return self._states[heapq.heappop(self._entries)[2]] if due is not None and due <= now else None

    def _holds(self, entry: tuple[float, int, int]) -> bool:
        state = self._states.get(entry[2])
        return state is not None and state.ticket == entry[1]


class Telling:
    """All jobs that are under way."""

    def __init__(
        self,
        pace: Pace,
        chance: Callable[[], float],
        is_registered: Callable[[Job], bool],
        is_idle: Callable[[int], bool],
    ) -> None:
        """`chance` is uniform in [0, 1). `is_idle` says whether a device is in no call that is known."""
        self._pace = pace
        self._chance = chance
        self._is_registered = is_registered
        self._is_idle = is_idle
        self._states: dict[int, _State] = {}
        self._newest: dict[tuple[int, Cause], int] = {}
        self._of_device: dict[int, set[int]] = defaultdict(set)
        self._turns = _Queue(self._states)
        "Jobs that need a turn."
        self._times = _Queue(self._states)
        "Jobs that don't, deadlines, and ages."
        self._tickets = count(1)
        self._next_turn = float("-inf")
        self._asking = 0

    def __len__(self) -> int:
        return len(self._states)

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called, in loop time."""
        due, turn = self._times.due(), self._turns.due()
        if turn is None or self._asking >= self._pace.asking:
            return due
        turn = max(turn, self._next_turn)
        return turn if due is None else min(due, turn)

    def add(self, job: Job, now: float, at: datetime) -> list[Effect]:
        """A new job. An older one that says the same to the same phone is over.

        One that is known already is no news: it may have been found in the database as well.
        """
        if job.id in self._states:
            return []
        done: list[Effect] = []
        older = self._newest.get((job.device_id, job.cause))
        if older is not None:
            if older > job.id:
                return [Done(job, Outcome.SUPERSEDED)]
            done.append(self._end(self._states[older], Outcome.SUPERSEDED))
        age_s = (at - job.asked_at).total_seconds()
        state = _State(job, now + self._pace.age_s - max(0.0, age_s))
        self._states[job.id] = state
        self._newest[job.device_id, job.cause] = job.id
        self._of_device[job.device_id].add(job.id)
        if job.was_told:
            state.attempts = 1
            self._wait(state, now + self._pace.fetch_s, _Phase.TOLD)
        else:
            self._wait(state, now)
        return done

    def registered(self, device_id: int, now: float) -> None:
        """The phone is there (again)."""
        for job_id in self._of_device.get(device_id, ()):
            state = self._states[job_id]
            if state.phase is _Phase.ABSENT:
                # What it has fetched at its start is known by then.
                self._wait(state, now + self._pace.settle_s * (1 + self._chance()))

    def anybody_may_have_registered(self, now: float) -> None:
        """Who has come is not known: each phone that is away is looked for once."""
        for device_id in list(self._of_device):
            self.registered(device_id, now)

    def absent(self, job_id: int, now: float) -> list[Effect]:
        """The phone turned out not to be there when it was to be told."""
        state = self._answered(job_id)
        return [] if state is None else [self._await_registration(state)]

    def answered(self, job_id: int, heard: Heard, now: float) -> list[Effect]:
        """What the phone's answer means."""
        state = self._answered(job_id)
        if state is None:
            return []
        if heard is Heard.REFUSED:
            return [self._end(state, Outcome.REFUSED)]
        if heard is Heard.UNHEARD:
            return self._again(state, now)
        self._wait(state, now + self._pace.fetch_s, _Phase.TOLD)
        return []

    def fetched(self, job_id: int) -> list[Effect]:
        """The phone has what it was to fetch, whether it was told or not."""
        state = self._states.get(job_id)
        return [] if state is None else [self._end(state, Outcome.FETCHED)]

    def timer(self, now: float, at: datetime) -> list[Effect]:
        """What is to be done at `now`."""
        return [*self._deadlines(now, at), *self._take_turns(now, at)]

    def _deadlines(self, now: float, at: datetime) -> Iterator[Effect]:
        while (state := self._times.take(now)) is not None:
            match state.phase:
                case _Phase.ABSENT:
                    yield self._end(state, Outcome.UNREGISTERED)
                case _Phase.TOLD:
                    yield from self._again(state, now)
                case _:
                    yield from self._try(state, now, at)

    def _take_turns(self, now: float, at: datetime) -> Iterator[Effect]:
        while self._asking < self._pace.asking and now >= self._next_turn:
            state = self._turns.take(now)
            if state is None:
                return
            for effect in self._try(state, now, at):
                if isinstance(effect, Tell):
                    # By chance, so that phones never fall into step with anything else that comes in seconds.
                    self._next_turn = now + (0.5 + self._chance()) / self._pace.per_s
                yield effect

    def _try(self, state: _State, now: float, at: datetime) -> Iterator[Effect]:
        """Tells the phone, or says what that waits for."""
        job = state.job
        if not self._is_registered(job):
            yield self._await_registration(state)
        elif now >= state.give_up_at:
            yield self._end(state, Outcome.TIMEOUT)
        elif job.quiet is not None and (wait_s := job.quiet.wait_s(at)):
            # The wall clock may be set meanwhile, so it is asked again before the time has come.
            self._wait(state, min(now + wait_s, now + 900.0, state.give_up_at))
            yield Waits(job, Why.QUIET_HOURS)
        elif job.quiet is not None and not self._is_idle(job.device_id):
            self._wait(state, now + self._pace.busy_s * (0.5 + self._chance()))
            yield Waits(job, Why.IN_CALL)
        else:
            state.phase, state.ticket = _Phase.ASKING, 0
            state.attempts += 1
            self._asking += 1
            yield Tell(job, state.attempts)

    def _await_registration(self, state: _State) -> Waits:
        self._wait(state, state.give_up_at, _Phase.ABSENT)
        return Waits(state.job, Why.NOT_REGISTERED)

    def _again(self, state: _State, now: float) -> list[Effect]:
        if state.attempts >= self._pace.tries:
            return [self._end(state, Outcome.TIMEOUT)]
        later_s = self._pace.again_s * 2 ** (state.attempts - 1) * (0.5 + self._chance())
        self._wait(state, now + later_s)
        return []

    def _wait(self, state: _State, due: float, phase: _Phase = _Phase.WAITING) -> None:
        state.phase, state.due, state.ticket = phase, due, next(self._tickets)
        takes_turns = phase is _Phase.WAITING and state.job.cause is Cause.CHANGE
        (self._turns if takes_turns else self._times).put(state)

    def _answered(self, job_id: int) -> _State | None:
        """The job whose phone was asked; None: it is over already."""
        self._asking -= 1
        return self._states.get(job_id)

    def _end(self, state: _State, outcome: Outcome) -> Done:
        job = state.job
        del self._states[job.id]
        if self._newest[job.device_id, job.cause] == job.id:
            del self._newest[job.device_id, job.cause]
        self._of_device[job.device_id].discard(job.id)
        if not self._of_device[job.device_id]:
            del self._of_device[job.device_id]
        return Done(job, outcome)
