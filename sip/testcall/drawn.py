"""The orders that a group drew by chance, call after call, and whether it was chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial

from sip.testcall.chance import chance
from sip.testcall.findings import Code, Finding
from sip.testcall.observed import Observation, Rang
from sip.testcall.plan import Cause, Group, Nobody, Setting, Strategy
from sip.testcall.plan_parts import phones_of
from sip.testcall.scenario import Scenario, Then

ERROR_RATE = 1e-6
"How often a group that is shuffled honestly is suspected, at the most: of a million histories, one."

_NOT_RUNG = (Then.UNREGISTERED, Then.ENGAGED, Then.DEAD)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one call drew."""

    group: str
    members: tuple[str, ...]
    "Those that may be rung, in the order of the list."
    order: tuple[str, ...]
    "As they were rung: the first of them, where somebody answered before the others."


def drawn(scenario: Scenario, observations: Sequence[Observation]) -> Drawn | None:
    """What a call drew whose number is that of a shuffled group; None: nothing, or nobody can tell."""
    plan = scenario.plan
    if not isinstance(plan, Group) or plan.strategy is not Strategy.SHUFFLED or scenario.codes:
        return None
    there = {part.phone for part in scenario.members if part.behaviour.then not in _NOT_RUNG}
    turns = [turn for turn in plan.turns if not isinstance(turn.plan, Nobody)]
    if any(turn.is_last or not there.issuperset(phones_of(turn.plan)) for turn in turns):
        return None
    began: dict[str, float] = {}
    for each in observations:
        if isinstance(each, Rang):
            began[each.phone] = min(each.at, began.get(each.phone, each.at))
    times = {
        turn.number: min((began[phone] for phone in phones_of(turn.plan) if phone in began), default=None)
        for turn in turns
    }
    order = sorted((at, number) for number, at in times.items() if at is not None)
    return Drawn(plan.number, tuple(turn.number for turn in turns), tuple(number for _, number in order))


def judge_drawn(history: Sequence[Drawn]) -> Iterator[Finding]:
    """A finding where the draws of a group, oldest first, can't be believed to be chance."""
    if not history:
        return
    last = history[-1]
    same = [each for each in history if each.members == last.members and each.order]
    count = len(last.members)
    first = chance([each.order[0] for each in same], count)
    whole = chance([each.order for each in same if len(each.order) == count], factorial(count))
    # Two tests: by Bonferroni, the smaller of the two counts double.
    p = min(1.0, 2 * min(first.p, whole.p))
    if p < ERROR_RATE:
        cause = Cause(Setting.STRATEGY, last.group)
        calls = max(first.calls, whole.calls)
        seen = f"p = {p:.0e}, n = {calls}"
        yield Finding(Code.NOT_RANDOM, "", f"p ≥ {ERROR_RATE:.0e}", seen, cause)
