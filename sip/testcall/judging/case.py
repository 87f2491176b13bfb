"""A test call before its judges: what was expected beside what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, permutations

from sip.testcall.expected import Expected, ExpectedRing, expected
from sip.testcall.observed import Display
from sip.testcall.plan import Group, Nobody, Plan, Ring, Strategy
from sip.testcall.plan_parts import phones_of
from sip.testcall.scenario import Scenario
from sip.testcall.seen import Seen, SeenRing

_MOST_LATE_S = 1.0
_NOT_STRANGE = (False, False, 0.0, 0, 0.0)
_MOST_ORDERS = 3_000
"Of the members of shuffled groups, that are looked through."


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far what is seen may be from what is expected, in seconds: a machine has more to do."""

    early_s: float = 0.25
    "That a phone may begin to ring before its time."
    late_s: float = 0.5
    "And after it."
    length_s: float = 0.4
    "That a ring may be shorter or longer."
    stop_s: float = 0.6
    "That a phone may still ring when another has answered, or the caller has hung up."
    told_s: float = 0.8
    "That it may take until the caller is told."
    taken_back_s: float = 0.7
    "After which an answer that came too late must have been hung up on."
    lamp_s: float = 0.5
    "That a lamp may be behind."
    lost: float = 0.05
    "Of the sound, as a share."

    def for_people(self) -> Tolerances:
        """Of phones that are elsewhere, and take their time to say that they ring, or that they don't."""
        return replace(
            self, late_s=0.8, length_s=0.8, stop_s=1.5, told_s=2.0, taken_back_s=1.0
        )

    def late_by(self, late_s: float) -> Tolerances:
        """Of a machine that was so late, all in all: that much is its fault, and a second at the most."""
        more_s = min(late_s, _MOST_LATE_S)
        return replace(
            self,
            early_s=self.early_s + more_s,
            late_s=self.late_s + more_s,
            length_s=self.length_s + more_s,
            stop_s=self.stop_s + more_s,
            told_s=self.told_s + more_s,
            lamp_s=self.lamp_s + more_s,
            taken_back_s=self.taken_back_s + more_s / 2,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A ring that was to be, and what became of it."""

    expected: ExpectedRing
    seen: SeenRing | None
    "None: it wasn't."


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a call."""

    scenario: Scenario
    expected: Expected
    seen: Seen
    pairs: tuple[Pair, ...]
    extra: tuple[SeenRing, ...]
    "Rings that nobody expected."
    tolerances: Tolerances

    @property
    def dialled_at(self) -> float:
        """When the call began."""
        dialled = self.seen.caller.dialled
        if dialled is None:
            raise AssertionError("a call that was not made is not judged")
        return dialled.at

    @property
    def talked(self) -> tuple[SeenRing, ...]:
        """Those that have answered and were not hung up on at once, because another was faster."""
        answered = [ring for ring in self.seen.rings if ring.answered is not None]
        if len(answered) < 2:
            return tuple(answered)
        return tuple(ring for ring in answered if _conversation_s(ring) > self.tolerances.taken_back_s)

    @property
    def answered_at(self) -> float | None:
        """When somebody answered first; None: nobody has."""
        return min((ring.answered.at for ring in self.seen.rings if ring.answered is not None), default=None)

    def pair_of(self, ring: ExpectedRing) -> Pair:
        """The one of an expected ring."""
        return next(pair for pair in self.pairs if pair.expected is ring)


def case(scenario: Scenario, seen: Seen, tolerances: Tolerances) -> Case:
    """Puts what was seen beside what is expected: each phone's rings in their order."""
    foretold = _foretold(scenario, seen, tolerances)
    waiting: dict[str, list[SeenRing]] = {}
    for ring in seen.rings:
        waiting.setdefault(ring.phone, []).append(ring)
    pairs = []
    for each in foretold.rings:
        rung = waiting.get(each.phone)
        pairs.append(Pair(each, rung.pop(0) if rung else None))
    extra = sorted((ring for rung in waiting.values() for ring in rung), key=lambda ring: ring.rang.at)
    return Case(scenario, foretold, seen, tuple(pairs), tuple(extra), tolerances)


def _foretold(scenario: Scenario, seen: Seen, tolerances: Tolerances) -> Expected:
    """What is expected with those orders of the shuffled groups that explain best who rang when."""
    shuffled = [group for group in groups_of(scenario.plan) if group.strategy is Strategy.SHUFFLED]
    likely = expected(scenario, _orders(shuffled, seen))
    if not shuffled or _strangeness(likely, seen, tolerances) == _NOT_STRANGE:
        return likely
    # Where phones ring for several groups, or some are waited for in vain, the likeliest need not be it.
    others = (expected(scenario, each) for each in islice(_all_orders(shuffled), _MOST_ORDERS))
    return min((likely, *others), key=lambda each: _strangeness(each, seen, tolerances))


def _all_orders(shuffled: Sequence[Group]) -> Iterator[dict[str, tuple[str, ...]]]:
    """All that groups may have their members in, one after another: twelve members have 479,001,600."""
    if not shuffled:
        yield {}
        return
    first, *others = shuffled
    for order in permutations(turn.number for turn in first.turns):
        yield from ({first.number: order} | each for each in _all_orders(others))


def _strangeness(
    foretold: Expected, seen: Seen, tolerances: Tolerances
) -> tuple[bool, bool, float, int, float]:
    """How what was seen differs: in who rang, what ended the call, when they rang, with whom on the display,
    and until when.
    """
    dialled = seen.caller.dialled
    began = 0.0 if dialled is None else dialled.at
    ours = sorted(foretold.rings, key=lambda ring: (ring.phone, ring.begins_s))
    theirs = sorted(seen.rings, key=lambda ring: (ring.phone, ring.rang.at))
    if [ring.phone for ring in ours] != [ring.phone for ring in theirs]:
        return True, False, 0.0, 0, 0.0
    pairs = list(zip(ours, theirs, strict=True))
    off_s = max((abs(each.begins_s - (rung.rang.at - began)) for each, rung in pairs), default=0.0)
    others = sum(not any(_fits(each, display) for display in rung.rang.displays) for each, rung in pairs)
    ends = ((each.ends_s, rung.ended_at) for each, rung in pairs)
    ended_off_s = max((abs(at - began - ends_s) for ends_s, at in ends if at is not None), default=0.0)
    most_s = tolerances.late_s + tolerances.stop_s
    gives_up = not foretold.winners and foretold.status is None
    return (
        False,
        gives_up != (seen.caller.gave_up is not None),
        off_s if off_s > tolerances.late_s else 0.0,
        others,
        ended_off_s if ended_off_s > most_s else 0.0,
    )


def _fits(ring: ExpectedRing, display: Display) -> bool:
    """Whether a display shows the number, or hides it, as it should, and the name that it should have."""
    shown = ring.shown
    if shown.number:
        return (display.number, display.name) == (shown.number, shown.name)
    return display.number.lower() == "anonymous" and shown.name in ("", display.name)


def _orders(shuffled: Iterable[Group], seen: Seen) -> dict[str, tuple[str, ...]]:
    """The orders in which groups had their members: those that nobody saw ring come last."""
    rang: dict[str, float] = {}
    for ring in seen.rings:
        rang.setdefault(ring.phone, ring.rang.at)

    def first(part: Plan) -> float:
        return min((rang[phone] for phone in phones_of(part) if phone in rang), default=float("inf"))

    return {
        group.number: tuple(turn.number for turn in sorted(group.turns, key=lambda turn: first(turn.plan)))
        for group in shuffled
    }


def groups_of(plan: Plan) -> Iterator[Group]:
    """All groups of a plan, the outer ones first."""
    onward: Iterable[Plan]
    match plan:
        case Group():
            yield plan
            onward = [turn.plan for turn in plan.turns] + ([] if plan.overflow is None else [plan.overflow])
        case Ring() | Nobody():
            onward = plan.after.values()
    for each in onward:
        yield from groups_of(each)


def _conversation_s(ring: SeenRing) -> float:
    if ring.answered is None or ring.ended is None:
        return float("inf")
    return ring.ended.at - ring.answered.at
