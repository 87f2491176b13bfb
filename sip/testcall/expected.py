"""What should come of a scenario: each ring from when to when, and who gets the call.

A walk down the plan, apart from the machines that carry calls out: where those wait to be told what happens,
this knows what each phone will do, and adds times up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sip.testcall.plan import Cause, Group, Nobody, Outcome, Plan, Ring, Setting, Shown, Strategy, Turn
from sip.testcall.plan_parts import silences, tried
from sip.testcall.scenario import Part, Scenario, Then
from sip.testcall.taken import STATUS, Ends, plainest, taken

_OF_GROUP = 480
"What the caller is told of a group that nobody answers, whatever has befallen its members."
_MOST_WALKS = 50
"After which it is good enough."
_SAME_MOMENT_S = 0.4
"Of answers that are not farther apart any may win."


@dataclass(slots=True, eq=False)
class ExpectedRing:
    """One phone, from when it rings until it doesn't."""

    phone: str
    shown: Shown
    cause: Cause
    "What leads to it."
    after: ExpectedRing | None
    "With whose end it begins; None: with the call."
    delay_s: float
    "So much later than that."
    begin_cause: Cause
    "What says when it begins."
    begins_s: float
    "Since the caller has dialled."
    ends_s: float
    ends: Ends
    end_cause: Cause
    "What says when it ends."

    @property
    def lasts_s(self) -> float:
        """How long it rings."""
        return self.ends_s - self.begins_s


@dataclass(frozen=True, slots=True)
class Expected:
    """What should come of a call."""

    rings: tuple[ExpectedRing, ...]
    "By when they begin."
    winners: frozenset[str]
    "Exactly one of these gets the call; empty: nobody."
    status: int | None
    "With which the caller is turned down; None: it isn't, or has given up."
    silent: Mapping[str, Cause]
    "Those that don't ring though the plan knows them, and why."


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time, counted from dialling and from the ring that ended last before it."""

    at: float
    after: ExpectedRing | None
    since_s: float
    cause: Cause

    def later(self, by_s: float, cause: Cause) -> _Moment:
        """So much later, by what a setting says."""
        return _Moment(self.at + by_s, self.after, self.since_s + by_s, cause)


@dataclass(frozen=True, slots=True)
class _Result:
    """How a part of the plan ended."""

    moment: _Moment
    outcome: Outcome | None
    "None: somebody has answered."
    status: int | None = None
    "With which the caller would be turned down."


_AT_START = _Moment(0.0, None, 0.0, Cause(Setting.EXCHANGE))


def expected(scenario: Scenario, orders: Mapping[str, Sequence[str]] | None = None) -> Expected:
    """What should come of it. `orders`: those of the members of shuffled groups, by the groups' numbers."""
    parts = {part.phone: part for part in scenario.members}
    walk = _Walk(parts, orders or {}, _Walk(parts, orders or {}, None))
    result = walk.of(scenario.plan, _AT_START)
    for _ in range(_MOST_WALKS):
        if not walk.learns():
            break
        walk = _Walk(parts, orders or {}, walk)
        result = walk.of(scenario.plan, _AT_START)
    status = result.status
    if scenario.gives_up_s is not None and result.moment.at > scenario.gives_up_s:
        walk.cut(0, scenario.gives_up_s, Ends.GIVEN_UP, Cause(Setting.EXCHANGE))
        status = None
    answered = [ring for ring in walk.rings if ring.ends is Ends.ANSWERED]
    first = min((ring.ends_s for ring in answered), default=0.0)
    winners = frozenset(ring.phone for ring in answered if ring.ends_s <= first + _SAME_MOMENT_S)
    rung = {ring.phone for ring in walk.rings}
    silent = {phone: cause for phone, cause in silences(scenario.plan).items() if phone not in rung}
    return Expected(
        tuple(sorted(walk.rings, key=lambda ring: ring.begins_s)),
        winners,
        None if winners else status,
        silent,
    )


class _Walk:
    """Collects the rings of one call.

    Nobody is rung twice at a time, but members that ring together are walked down one after another. So where
    two ways come to one phone, one walk finds it, and the next heeds it: each is right for longer.
    """

    def __init__(
        self, parts: Mapping[str, Part], orders: Mapping[str, Sequence[str]], before: _Walk | None
    ) -> None:
        self.parts = parts
        self.orders = orders
        self.rings: list[ExpectedRing] = []
        self._before = before
        self._of_plan: dict[int, int] = {}
        "Of a ring, by its id, the part of the plan that it comes from."

    def learns(self) -> bool:
        """Whether it has come to something else than the one before."""
        return self._before is not None and self._told() != self._before._told()

    def _told(self) -> list[tuple[str, float, float]]:
        return [(ring.phone, ring.begins_s, ring.ends_s) for ring in self.rings]

    def of(self, plan: Plan, moment: _Moment) -> _Result:
        match plan:
            case Ring():
                result = self._ring(plan, moment)
                return self._onward(plan.after, result)
            case Nobody():
                return self._onward(plan.after, _Result(moment, plan.outcome, plan.status))
            case Group():
                together = plan.strategy is Strategy.AT_ONCE
                result = self._at_once(plan, moment) if together else self._in_turn(plan, moment)
                if result.outcome is None or plan.overflow is None:
                    return result
                return self.of(plan.overflow, result.moment)

    def cut(self, start: int, at: float, ends: Ends, cause: Cause) -> ExpectedRing | None:
        """Ends those that ring at a time, the first `start` aside. Returns one of them, if there are any."""
        cut = None
        kept = self.rings[:start]
        for ring in self.rings[start:]:
            if ring.begins_s >= at:
                continue
            kept.append(ring)
            if ring.ends_s > at:
                ring.ends_s, ring.ends, ring.end_cause = at, ends, cause
                cut = ring
        self.rings = kept
        return cut

    def _onward(self, after: Mapping[Outcome, Plan], result: _Result) -> _Result:
        if result.outcome is None or result.outcome not in after:
            return result
        return self.of(after[result.outcome], result.moment)

    def _ring(self, plan: Ring, moment: _Moment) -> _Result:
        times = sum(ring.phone == plan.phone for ring in self.rings)
        behaviour = self.parts[plan.phone].when_rung(times)
        if behaviour.then is Then.UNREGISTERED:
            return _Result(moment, Outcome.UNREACHABLE, 480)
        if behaviour.then is Then.ENGAGED or self._rings(plan, moment.at):
            return _Result(moment, Outcome.BUSY, 486)
        ends, outcome, lasts_s = taken(behaviour, plan.ring_s)
        ring = ExpectedRing(
            phone=plan.phone,
            shown=plan.shown,
            cause=Cause(Setting.PHONE, plan.phone) if behaviour.then is Then.DEAD else plan.cause,
            after=moment.after,
            delay_s=moment.since_s,
            begin_cause=moment.cause,
            begins_s=moment.at,
            ends_s=moment.at + lasts_s,
            ends=ends,
            end_cause=plan.ring_cause if ends is Ends.TIME_OVER else Cause(Setting.PHONE, plan.phone),
        )
        self.rings.append(ring)
        self._of_plan[id(ring)] = id(plan)
        status = None if outcome is None else STATUS.get(outcome)
        return _Result(_Moment(ring.ends_s, ring, 0.0, plan.ring_cause), outcome, status)

    def _in_turn(self, group: Group, moment: _Moment) -> _Result:
        outcomes: list[Outcome] = []
        for turn in tried(group, self.orders.get(group.number)):
            strategy = Cause(Setting.STRATEGY, group.number)
            begins = _Moment(moment.at, moment.after, moment.since_s, strategy)
            fails_at_once = self._fails_at_once(turn.plan, moment.at)
            if turn.delay_s and not fails_at_once:
                begins = begins.later(turn.delay_s, Cause(Setting.RING_DELAY, group.number, turn.number))
            result = self._turn(group, turn, begins)
            if result.outcome is None:
                return result
            if not fails_at_once:
                moment = result.moment
            outcomes.append(result.outcome)
        return _Result(moment, plainest(outcomes), _OF_GROUP)

    def _at_once(self, group: Group, moment: _Moment) -> _Result:
        results: list[_Result] = []
        start = len(self.rings)
        for turn in sorted(tried(group), key=lambda turn: turn.delay_s):
            cause = Setting.RING_DELAY if turn.delay_s else Setting.STRATEGY
            begins = moment.later(turn.delay_s, Cause(cause, group.number, turn.number))
            results.append(self._turn(group, turn, begins))
        answers = [result for result in results if result.outcome is None]
        if answers:
            first = min(answers, key=lambda result: result.moment.at)
            self._elsewhere(start, first.moment.at)
            return first
        last = max(results, key=lambda result: result.moment.at, default=_Result(moment, None)).moment
        outcomes = [result.outcome for result in results if result.outcome is not None]
        return _Result(last, plainest(outcomes), _OF_GROUP)

    def _elsewhere(self, start: int, at: float) -> None:
        """Ends all others once one has answered."""
        same = [
            ring
            for ring in self.rings[start:]
            if ring.ends is Ends.ANSWERED and ring.ends_s <= at + _SAME_MOMENT_S
        ]
        ends = {id(ring): ring.ends_s for ring in same}
        self.cut(start, at, Ends.ELSEWHERE, Cause(Setting.EXCHANGE))
        for ring in same:
            ring.ends, ring.ends_s = Ends.ANSWERED, ends[id(ring)]

    def _turn(self, group: Group, turn: Turn, moment: _Moment) -> _Result:
        """A member's plan, for its time and no longer."""
        start = len(self.rings)
        result = self.of(turn.plan, moment)
        over = moment.at + turn.ring_s
        if result.moment.at < over:
            return result
        cause = Cause(Setting.RING_TIME, group.number, turn.number)
        rang = self.cut(start, over, Ends.TIME_OVER, cause)
        if rang is None:
            rang = next((ring for ring in self.rings[start:] if ring.ends_s == over), None)
        ended = moment.later(turn.ring_s, cause) if rang is None else _Moment(over, rang, 0.0, cause)
        return _Result(ended, Outcome.NO_ANSWER, 480)

    def _rings(self, plan: Ring, at: float) -> bool:
        """Whether its phone rings already, by another part of the plan."""
        if any(ring.phone == plan.phone and ring.begins_s == at < ring.ends_s for ring in self.rings):
            return True
        before = self._before
        if before is None:
            return False
        walked = set(self._of_plan.values())
        of_plan = before._of_plan
        # Of what ends and begins at one moment, that comes first which was begun with first.
        return any(
            ring.begins_s < at < ring.ends_s or (at == ring.ends_s and of_plan[id(ring)] not in walked)
            for ring in before.rings
            if ring.phone == plan.phone and of_plan[id(ring)] != id(plan)
        )

    def _fails_at_once(self, plan: Plan, at: float) -> bool:
        """Whether it is known before its turn that it would not ring: nobody waits for that."""
        match plan:
            case Ring():
                then = self.parts[plan.phone].behaviour.then
                if then is Then.ENGAGED or self._rings(plan, at):
                    return Outcome.BUSY not in plan.after
                return then is Then.UNREGISTERED and Outcome.UNREACHABLE not in plan.after
            case Nobody():
                return plan.outcome not in plan.after
            case Group():
                return False
