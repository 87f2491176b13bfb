"""Test calls in twins of companies that are in no database, made by real test phones and judged as always."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.centrex.exchange import Exchange
from provisioner.operations.playing import Stage
from provisioner.operations.trials import trials
from provisioner.operations.twins import Twin
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.live import OneCompany
from provisioner.pbx.twin import Twins
from provisioner.settings import Settings
from sip.testcall.agents import TestPhones
from sip.testcall.drawn import Drawn, drawn, judge_drawn
from sip.testcall.findings import Finding
from sip.testcall.lived import Lines, lived
from sip.testcall.scenario import Behaviour, Kind, Scenario, Then
from sip.testcall.verdict import TOLERANCES, judge
from tests.provisioner.operations.witnesses import unknown

SPEED = 4.0
"What ring times are divided by: as usual."


@dataclass(frozen=True)
class Trial:
    """Test calls of one kind to one number of one company."""

    here: Exchange
    dialled: str
    kind: Kind
    calls: int = 1
    is_draw: bool = False
    "Looked at is whom a shuffled group rings first, call after call, and nothing else: so they are short."


@dataclass(frozen=True)
class Found:
    """What came of the calls of a trial."""

    findings: list[Finding]
    "All that is wrong with them."
    lived: list[Finding]
    "The same, judged as live calls are: by what phones did, whatever they were told to do."
    late_s: float
    "How late the machine was."


async def tried(trial: Trial, phones: TestPhones) -> Found:
    """Makes the calls, and judges them as a server does that is asked for them."""
    twins = Twins(Settings(), OneCompany(trial.here), Engaged())
    async with twins.up(next(iter(trial.here.lines)), SPEED) as twin:
        stage = Stage(twin, phones)
        findings: list[Finding] = []
        found_live: list[Finding] = []
        history: list[Drawn] = []
        answered: list[str] = []
        late_s = 0.0
        there: set[str] = set()
        try:
            for _ in range(trial.calls):
                scenario = _scenario(trial, twin, answered)
                there |= {
                    part.phone for part in scenario.parts if part.behaviour.then is not Then.UNREGISTERED
                }
                seen = await stage.play(scenario)
                late_s += stage.late_s
                if trial.is_draw:
                    if (draw := drawn(scenario, seen)) is not None:
                        history.append(draw)
                    continue
                tolerances = TOLERANCES.late_by(stage.late_s)
                verdict = judge(scenario, seen, tolerances)
                findings += verdict.findings
                found_live += judge(lived(unknown(scenario), seen, Lines()), seen, tolerances).findings
                answered += [] if verdict.winner is None else [verdict.winner]
        finally:
            for phone in there:
                await phones.remove(phone)
    draws = list(judge_drawn(history))
    return Found([*findings, *draws], [*found_live, *draws], late_s)


def _scenario(trial: Trial, twin: Twin, answered: list[str]) -> Scenario:
    made = trials(twin.exchange, trial.dialled, speed=SPEED, answered=answered)
    scenario = next(each for each in made if each.kind is trial.kind)
    if not trial.is_draw:
        return scenario
    at_once = tuple(replace(part, behaviour=Behaviour(Then.ANSWER, 0.1)) for part in scenario.members)
    return replace(scenario, members=at_once, talks_s=0.1)
