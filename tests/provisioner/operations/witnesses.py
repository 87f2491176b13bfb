"""What phones see of a call that what really routes calls makes of a switchboard, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from provisioner.centrex.codes import Disturb, Forward, LogIn, code_in
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.services import done
from provisioner.centrex.trial_caller import CALLER_LINE
from provisioner.pbx.room import Surroundings
from provisioner.pbx.routing import Routing
from sip.call.ringing import Ending, Outcome, Ring, Stop, Target
from sip.testcall.observed import (
    Answered,
    By,
    Dialled,
    Display,
    Ended,
    GaveUp,
    Heard,
    Light,
    Lit,
    Observation,
    Progressed,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
    Watches,
)
from sip.testcall.scenario import Behaviour, Lamp, Scenario, Then
from tests.provisioner.pbx.switchboards import seeded
from tests.sip.call.ringing import Played, Script, play

START = 1_000.0
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
_STATUS = {486: Outcome.BUSY, 603: Outcome.DECLINED}


def played(here: Exchange, scenario: Scenario, chance: Random | None = None) -> Played:
    """The scenario's call, without anybody who hangs up."""
    there = {part.phone for part in scenario.parts if part.behaviour.then is not Then.UNREGISTERED}
    scripts = {}
    for part in scenario.members:
        said = part.behaviour
        if said.then is Then.ANSWER:
            scripts[part.phone] = Script(said.after_s, None)
        elif said.then is Then.REFUSE:
            scripts[part.phone] = Script(said.after_s, Ending(_STATUS[said.status], said.status))
    around = Surroundings(
        elsewhere=lambda _: None,
        is_registered=lambda line: line in there,
        calls_of=lambda _: 0,
        calls_among=lambda _: 0,
        last_answered=lambda group, line: None,
        line_of=lambda _: None,
        random=chance or seeded(7),
        emergency_numbers=frozenset(),
    )
    for dial in scenario.codes:
        code = code_in(here.codes, dial.code)
        assert isinstance(code, Forward | Disturb | LogIn)
        here = done(here, dial.phone, code, ())
    hidden = scenario.dialled.startswith(here.codes.hide_number)
    dialled = scenario.dialled.removeprefix(here.codes.hide_number).removeprefix(here.codes.show_number)
    return play(Routing(here, CALLER_LINE, around, is_hidden=hidden).to(dialled), scripts)


@dataclass
class Witnessed:
    """Makes the observations of one call."""

    here: Exchange
    scenario: Scenario
    random: Random
    seen: list[Observation] = field(default_factory=list)
    rings: dict[int, tuple[str, float]] = field(default_factory=dict)
    "Those that ring: by id, whose and since when."
    over: float = 0.0
    "When nobody rings any more."

    def at(self, after_s: float) -> float:
        """A time, seen a little later."""
        return START + after_s + self.random.uniform(0, 0.1)

    def observations(self) -> list[Observation]:
        """Of all phones."""
        for part in self.scenario.parts:
            if part.behaviour.then is not Then.UNREGISTERED:
                self.seen.append(Registered(part.phone, START - 1))
        for place, dial in enumerate(self.scenario.codes):
            at = START - 0.5 + place / 10
            self.seen += [Dialled(dial.phone, at, dial.code), Answered(dial.phone, at + 0.01, f"code{place}")]
            self.seen.append(Ended(dial.phone, at + 0.02, f"code{place}", By.OTHER))
        caller = self.scenario.caller.phone
        self.seen.append(Dialled(caller, START, self.scenario.dialled))
        call = played(self.here, self.scenario, self.random)
        gives_up_s = self.scenario.gives_up_s
        gives_up = gives_up_s is not None and gives_up_s < call.ended_at
        self.over = gives_up_s if gives_up and gives_up_s is not None else call.ended_at
        for at, step in call.steps:
            if at > self.over or (gives_up and at == self.over):
                break
            self._refused(at)
            match step:
                case Ring(id, target):
                    self._rang(id, target, at)
                case Stop(id, _):
                    self._stopped(id, at, "")
        self._refused(self.over)
        if gives_up:
            self.seen.append(GaveUp(caller, START + self.over))
            self.seen.append(TurnedDown(caller, self.at(self.over), 487))
        elif call.answered is not None:
            self._answered(call.answered)
        elif call.refused is not None:
            self.seen.append(TurnedDown(caller, self.at(self.over), call.refused.status))
        for id in list(self.rings):
            self._stopped(id, self.over, "" if gives_up else ELSEWHERE)
        for lamp in self.scenario.lamps:
            self._lit(lamp)
        return self.seen

    def _lit(self, lamp: Lamp) -> None:
        """What a lamp shows of all this."""
        own = [each for each in self.seen if each.phone in lamp.lines]
        self.seen.append(Watches(lamp.phone, START - 0.5, lamp.number, 200))
        for light, kinds, choose in (
            (Light.RINGS, Rang, min),
            (Light.TALKS, Answered, min),
            (Light.DARK, StoppedRinging | Refused | Ended, max),
        ):
            times = [each.at for each in own if isinstance(each, kinds)]
            if times:
                self.seen.append(Lit(lamp.phone, choose(times) + 0.05, lamp.number, light))

    def _rang(self, id: int, target: Target, at: float) -> None:
        if not any(isinstance(each, Rang) for each in self.seen):
            self.seen.append(Progressed(self.scenario.caller.phone, self.at(at) + 0.1, 180))
        number, name, is_hidden = target.caller
        if is_hidden or not number:
            displays = (Display("From", "anonymous", name or "Anonymous"),)
        else:
            headers = ("From", "P-Asserted-Identity", "Remote-Party-ID")
            displays = tuple(Display(header, number, name) for header in headers)
        self.rings[id] = (target.aor, at)
        self.seen.append(Rang(target.aor, self.at(at), str(id), displays, target.alert))

    def _stopped(self, id: int, at: float, reason: str) -> None:
        phone, _ = self.rings.pop(id)
        self.seen.append(StoppedRinging(phone, self.at(at), str(id), reason))

    def _refused(self, now: float) -> None:
        for id, (phone, since) in list(self.rings.items()):
            behaviour = next(part.behaviour for part in self.scenario.parts if part.phone == phone)
            if behaviour.then is Then.REFUSE and since + behaviour.after_s <= now:
                del self.rings[id]
                at = self.at(since + behaviour.after_s)
                self.seen.append(Refused(phone, at, str(id), behaviour.status))

    def _answered(self, phone: str) -> None:
        id = next(id for id, (who, _) in self.rings.items() if who == phone)
        del self.rings[id]
        caller, call, over = self.scenario.caller, str(id), self.over + self.scenario.talks_s
        hz = next(part.hz for part in self.scenario.members if part.phone == phone)
        self.seen += [
            Answered(phone, START + self.over, call),
            Answered(caller.phone, self.at(self.over), "own"),
            Heard(phone, self.at(self.over + 0.5), call, caller.hz),
            Heard(caller.phone, self.at(self.over + 0.5), "own", hz + 2),
            Ended(caller.phone, START + over, "own", By.ITSELF, 70, 1),
            Ended(phone, self.at(over), call, By.OTHER, 70, 0),
        ]


def witnessed(here: Exchange, scenario: Scenario, seed: int = 1) -> list[Observation]:
    """What the phones of a scenario see of its call."""
    return Witnessed(here, scenario, seeded(seed)).observations()


def unknown(scenario: Scenario) -> Scenario:
    """The same, as long as nobody knows what its phones do."""
    silent = Behaviour(Then.SILENT)
    return replace(scenario, members=tuple(replace(each, behaviour=silent) for each in scenario.members))
