"""Ten times as many phones begin as can be served, in a time that is counted and does not pass."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from sip.transport.flow import Address
from sip.transport.intake import Counts
from sip.transport.shedding import REVIEW_S, Shedding
from tests.sip.message.messages import REGISTER
from tests.sip.transport.test_intake import BARE, NOW, Door

READ_S, CHALLENGE_S, LOGIN_S, AGAIN_S = 0.00015, 0.001, 0.003, 0.0003
"""What it takes here to read a datagram, and to serve a first request, one with credentials, and one that was
served already."""
PEAK = 1 / (2 * READ_S + CHALLENGE_S + LOGIN_S)
ROOM = 400
"Datagrams that the system holds."
OVERLOAD_S, AFTER_S = 4, 12
WAITS_S = (0.5, 1.0, 2.0, 4.0)
"Between the sendings of one request (§17.1.2.2)."
PATIENCE_S = 8.0
"A phone that has not registered by then gives up."


@dataclass(eq=False)
class Attempt:
    remote: Address
    began: float
    is_challenged: bool = False
    done_at: float | None = None

    def datagram(self) -> bytes:
        return REGISTER if self.is_challenged else BARE


@dataclass
class Phones:
    """All phones and one server, which does one thing at a time."""

    door: Door = field(default_factory=Door)
    shedding: Shedding = field(default_factory=Shedding)
    attempts: list[Attempt] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    _luck: dict[tuple[str, int], int] = field(default_factory=dict)
    "What stands for the system's filter: where the phones are in a draw, and when it was made."
    _drawn_at: float = NOW
    _system: deque[tuple[bytes, Address]] = field(default_factory=deque)
    _reviewed: Counts = field(default_factory=Counts)
    _due: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _serial: count = field(default_factory=count)
    _sent: dict[tuple[str, int], Attempt] = field(default_factory=dict)

    def at(self, when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self._due, (when, next(self._serial), what))

    def begin(self, now: float) -> None:
        number = len(self.attempts)
        # Nobody is known from before, and nobody shares an address.
        attempt = Attempt(Address(f"10.0.{number >> 8}.{number & 255}", 5060), now)
        self.attempts.append(attempt)
        self.send(attempt, now)

    def send(self, attempt: Attempt, now: float, sent: int = 0) -> None:
        is_challenged = attempt.is_challenged
        self._sent[attempt.remote] = attempt
        is_let_in = not self.shedding.is_on or self._place_of(attempt.remote) < self.shedding.share
        if is_let_in and len(self._system) < ROOM:
            self._system.append((attempt.datagram(), attempt.remote))

        def again(then: float) -> None:
            waits = attempt.done_at is None and attempt.is_challenged is is_challenged
            if waits and then < attempt.began + PATIENCE_S:
                self.send(attempt, then, sent + 1)

        self.at(now + WAITS_S[min(sent, len(WAITS_S) - 1)], again)

    def _place_of(self, remote: Address) -> int:
        return self._luck.setdefault(remote, self._chance.randrange(65536))

    def run(self, until: float) -> None:
        now, intake = NOW, self.door.intake
        self.at(NOW, self.review)
        while now < until:
            while self._due and self._due[0][0] <= now:
                due, _, what = heapq.heappop(self._due)
                what(due)
            if self._system:
                data, remote = self._system.popleft()
                now += READ_S
                self.door.put(data, remote, now)
            elif (taken := intake.take(now)) is not None:
                data, _, place = taken
                now = self.serve(self._sent[place], data, place, now)
            else:
                now = self._due[0][0]

    def review(self, now: float) -> None:
        intake, before = self.door.intake, self._reviewed
        self._reviewed = intake.counts
        self.shedding.review(intake.waiting(now), intake.counts.since(before), now)
        if now - self._drawn_at >= 30:
            self._drawn_at = now
            self._luck.clear()
        self.at(now + REVIEW_S, self.review)

    def serve(self, attempt: Attempt, data: bytes, place: Address, now: float) -> float:
        """When it is served."""
        if data == BARE:
            now += CHALLENGE_S
            if not attempt.is_challenged:
                attempt.is_challenged = True
                self.at(now, lambda then: self.send(attempt, then))
        elif attempt.done_at is None:
            now += LOGIN_S
            attempt.done_at = now
            self.door.proven.note(self.door.flow(place), now)
        else:
            now += AGAIN_S
        return now


@pytest.fixture(scope="module")
def served() -> Phones:
    phones = Phones()
    at = NOW
    for rate, seconds in ((10 * PEAK, OVERLOAD_S), (PEAK / 2, AFTER_S)):
        for number in range(int(rate * seconds)):
            phones.at(at + number / rate, phones.begin)
        at += seconds
    phones.run(at + 1)
    return phones


def test_under_ten_times_the_load_nearly_as_many_are_served_as_without(served: Phones):
    done = [each for each in served.attempts if each.done_at and NOW + 1 <= each.done_at < NOW + OVERLOAD_S]
    assert len(done) / (OVERLOAD_S - 1) >= 0.8 * PEAK


def test_ten_seconds_later_nobody_notices_anything(served: Phones):
    later = [each for each in served.attempts if NOW + OVERLOAD_S + 10 <= each.began < NOW + OVERLOAD_S + 11]
    assert len(later) == pytest.approx(PEAK / 2, rel=0.1)
    assert all(each.done_at is not None and each.done_at - each.began < WAITS_S[0] for each in later)
