"""What the lamps of colleagues showed, beside what the phones of their numbers did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case
from sip.testcall.observed import Light, Lit
from sip.testcall.plan import Cause, Setting
from sip.testcall.scenario import Lamp


@dataclass(frozen=True, slots=True)
class _Turn:
    """A lamp should show something else."""

    at: float
    light: Light
    until: float
    "When it should show another thing."


def judge_lamps(case: Case) -> Iterator[Finding]:
    """Of each lamp that is looked at; what its phones did is what these have seen."""
    for lamp in case.scenario.lamps:
        refused = [
            each
            for each in case.seen.watches
            if (each.phone, each.number) == (lamp.phone, lamp.number) and each.status >= 300
        ]
        cause = Cause(Setting.LAMP, lamp.number)
        if refused:
            yield Finding(Code.LAMP_REFUSED, lamp.phone, "", str(refused[-1].status), cause)
            continue
        shown = [
            each
            for each in case.seen.lit
            if (each.phone, each.number) == (lamp.phone, lamp.number) and each.at >= case.dialled_at
        ]
        yield from _lamp(case, lamp, shown, cause)


def _lamp(case: Case, lamp: Lamp, shown: list[Lit], cause: Cause) -> Iterator[Finding]:
    """The first thing that is wrong with one: all others follow from it."""
    patience_s, early_s = case.tolerances.lamp_s, case.tolerances.early_s
    turns = list(_turns(case, lamp))
    for turn in turns:
        if turn.until - turn.at <= patience_s:
            # It is over before that must be seen.
            continue
        begins = (each.at for each in shown if each.light is turn.light)
        at = next((each for each in begins if each >= turn.at - early_s), None)
        if at is None or at > turn.until + patience_s:
            yield Finding(Code.LAMP_WRONG, lamp.phone, turn.light, _at(shown, turn.until), cause)
            return
        if at - turn.at > patience_s:
            yield Finding(Code.LAMP_LATE, lamp.phone, turn.light, f"{at - turn.at:.1f}", cause)
            return
    first = min((turn.at for turn in turns), default=float("inf"))
    last = max((turn.at for turn in turns), default=float("-inf"))
    for each in shown:
        is_within = first - early_s <= each.at <= last + patience_s
        if each.light is not Light.DARK and not is_within:
            yield Finding(Code.LAMP_WRONG, lamp.phone, Light.DARK, each.light, cause)
            return


def _turns(case: Case, lamp: Lamp) -> Iterator[_Turn]:
    """Rings, talks, and dark again."""
    rings = [ring for ring in case.seen.rings if ring.phone in lamp.lines]
    if not rings:
        return
    never = float("inf")
    over = max(never if ring.ended_at is None else ring.ended_at for ring in rings)
    talked = [ring for ring in case.talked if ring in rings and ring.answered is not None]
    answered = min((ring.answered.at for ring in talked if ring.answered is not None), default=None)
    if talked:
        over = max(never if ring.ended is None else ring.ended.at for ring in talked)
    yield _Turn(min(ring.rang.at for ring in rings), Light.RINGS, over if answered is None else answered)
    if answered is not None:
        yield _Turn(answered, Light.TALKS, over)
    if over < never:
        yield _Turn(over, Light.DARK, never)


def _at(shown: list[Lit], at: float) -> Light:
    """What a lamp showed at a time."""
    return next((each.light for each in reversed(shown) if each.at <= at), Light.DARK)
