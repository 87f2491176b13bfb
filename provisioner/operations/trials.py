"""The test calls that a company's configuration asks for by itself, for one number of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from provisioner.centrex.errors import BadValue, NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS
from provisioner.centrex.trial_caller import CALLER_LINE
from provisioner.operations.code_trials import changed_by_codes
from provisioner.operations.trial_plans import LONGEST_RING_S, Planner, credited
from sip.testcall.expected import ExpectedRing, expected
from sip.testcall.plan import Cause, Does, Group, Nobody, Plan, Ring, Setting, Shown, Strategy
from sip.testcall.plan_parts import phones_of
from sip.testcall.scenario import Behaviour, Kind, Lamp, Part, Scenario, Then

MOST_PHONES = 50
"Of one test call, bystanders aside."
_MOST_BYSTANDERS = 5
"Of one test call: in each others, so that a run has seen many of a company."
_LOWEST_HZ, _STEP_HZ = 400, 40
"Of the tones of the phones."
_LONGEST_ANSWER_S = 1.0
"After which a phone answers that does: sooner where it rings for too short a time."
_REFUSES_S = 0.3
_PATIENCE_S = 2.0
"How long the caller waits where it gives up."
_LONGEST_S = 60.0
"Longer than that nobody listens to a phone that rings, and nobody waits who calls."
LONGEST_LIVE_S = 120.0
"After which the caller gives up who rings people's phones."
_LIVE_TALK_S = 3.0
"How long who answers then hears the test's tone."

Behaviours = Mapping[str, Behaviour]


def trials(
    exchange: Exchange,
    dialled: str,
    *,
    speed: float = 1.0,
    answered: Sequence[str] = (),
    emergency_numbers: Collection[str] = POLISH_EMERGENCY_NUMBERS,
) -> tuple[Scenario, ...]:
    """All test calls of a number, the plainest first: always the same kinds for the same configuration.

    `exchange` is one that has the caller (`centrex.trial_caller`), and its times are divided by `speed`;
    `answered` are the lines that took the test calls so far, for after each another member is the least used.
    Raises `NotFound` where nobody has the number, `BadValue` where it can't be tested.
    """
    return tuple(each_trial(exchange, dialled, speed, answered, emergency_numbers))


def each_trial(
    exchange: Exchange,
    dialled: str,
    speed: float,
    answered: Sequence[str],
    emergency_numbers: Collection[str],
) -> Iterator[Scenario]:
    """The same one by one, for who has others to serve: of a large group each takes a while to work out."""
    planner = Planner(exchange, speed, dict(exchange.used), emergency_numbers)
    plan = _planned(planner, dialled)
    if answered:
        uses = dict(exchange.used)
        newest = max(uses.values(), default=0)
        for count, line in enumerate(answered, start=newest + 1):
            uses |= {(group, line): count for group in credited(plan, line)}
        planner.uses = uses
        plan = planner.call(dialled, _tester(exchange)) or plan
    hidden = planner.call(dialled, Shown("", cause=Cause(Setting.HIDE_NUMBER)))
    taken = exchange.extensions.keys() | exchange.groups.keys()
    leads_here = (each for each, to in exchange.short_numbers.items() if to == dialled != each)
    short = next((each for each in leads_here if each not in taken), "")
    by_short = planner.call(short, _tester(exchange)) if short else None
    found = _Trials(planner, dialled, plan, hidden or plan, speed, short, by_short or plan)
    yield from (found.watched(place, each) for place, each in enumerate(found.all()))


def live_trial(
    exchange: Exchange, dialled: str, emergency_numbers: Collection[str] = POLISH_EMERGENCY_NUMBERS
) -> Scenario:
    """The test call of a number that rings people's phones, as long as nobody has done anything yet.

    `exchange` is one that has the caller. Raises as `trials`.
    """
    plan = _planned(Planner(exchange, uses=dict(exchange.used), emergency_numbers=emergency_numbers), dialled)
    silent = Behaviour(Then.SILENT)
    members = tuple(_part_of(exchange, phone, silent, hz=0) for phone in phones_of(plan))
    caller = _part_of(exchange, CALLER_LINE, silent, _LOWEST_HZ)
    return Scenario(
        Kind.LIVE, dialled, caller, members, plan, gives_up_s=LONGEST_LIVE_S, talks_s=_LIVE_TALK_S
    )


def _planned(planner: Planner, dialled: str) -> Plan:
    """Whom a call of the tester rings. Raises as `trials`."""
    exchange, emergency_numbers = planner.exchange, planner.emergency_numbers
    if dialled in emergency_numbers or exchange.short_numbers.get(dialled) in emergency_numbers:
        raise BadValue(f"{dialled} is an emergency number: no test call may go there")
    plan = planner.call(dialled, _tester(exchange))
    if plan is None:
        raise NotFound(f"nobody of the company has {dialled}: name one of its extensions or groups")
    phones = phones_of(plan)
    if len(phones) > MOST_PHONES:
        raise BadValue(f"{dialled} rings {len(phones)} phones: a test call has at most {MOST_PHONES}")
    return plan


def _tester(exchange: Exchange) -> Shown:
    """The caller, as he is known."""
    number = exchange.extension_of[CALLER_LINE]
    return Shown(number, exchange.extensions[number].name)


def _part_of(exchange: Exchange, phone: str, behaviour: Behaviour, hz: int) -> Part:
    extension = exchange.extension_of_line(phone)
    if extension is None:
        return Part(phone, behaviour, hz)
    return Part(phone, behaviour, hz, extension.number, extension.name)


@dataclass(slots=True)
class _Trials:
    """Those of one number."""

    planner: Planner
    dialled: str
    plan: Plan
    hidden: Plan
    "The same plan, where the caller hides."
    speed: float
    short: str
    "A short number that leads here; empty: none does."
    by_short: Plan
    "The same plan, where that is dialled."

    @property
    def exchange(self) -> Exchange:
        """Of the company, and in it who calls."""
        return self.planner.exchange

    def all(self) -> Iterator[Scenario]:
        """Each kind that has something to show here."""
        silent = dict.fromkeys(phones_of(self.plan), Behaviour(Then.SILENT))
        rings = expected(self._scenario(Kind.NO_ANSWER, silent)).rings
        if not rings:
            yield self._scenario(Kind.NO_ANSWER, silent)
            return
        first, last = rings[0], _last_to_begin(rings)
        answers = silent | self._first_answers(self.plan)
        yield self._scenario(Kind.FIRST_ANSWERS, answers)
        if len({ring.phone for ring in rings if ring.begins_s == first.begins_s}) > 1:
            at_once = {ring.phone: _answer(min(each.lasts_s for each in rings)) for ring in rings}
            yield self._scenario(Kind.RACE, silent | at_once)
        if last.phone != first.phone and not _is_shuffled(self.plan):
            yield self._scenario(Kind.LAST_ANSWERS, {**silent, last.phone: _answer(last.lasts_s)})
        yield self._scenario(Kind.NO_ANSWER, silent)
        yield self._scenario(Kind.BUSY, {**answers, first.phone: Behaviour(Then.REFUSE, _REFUSES_S, 486)})
        yield self._scenario(Kind.DECLINED, {**answers, first.phone: Behaviour(Then.REFUSE, _REFUSES_S, 603)})
        yield self._scenario(Kind.UNREGISTERED, {**answers, first.phone: Behaviour(Then.UNREGISTERED)})
        yield self._scenario(
            Kind.CALLER_GIVES_UP,
            silent,
            gives_up_s=first.begins_s + min(_PATIENCE_S, first.lasts_s / 2),
        )
        hide = self.exchange.codes.hide_number
        hidden = self._scenario(Kind.HIDDEN, answers)
        entry = Cause(Setting.CODE, hide, does=Does.HIDE_NUMBER)
        yield replace(hidden, dialled=hide + self.dialled, plan=self.hidden, entry=entry)
        if (lines := self._shown_lines()) is not None:
            watched = self._scenario(Kind.LAMP, answers)
            yield replace(watched, lamps=(Lamp(CALLER_LINE, self.dialled, lines),))
        if self.short:
            by_short = self._scenario(Kind.SHORT_NUMBER, answers)
            entry = Cause(Setting.SHORT_NUMBER, self.short)
            yield replace(by_short, dialled=self.short, plan=self.by_short, entry=entry)
        if self.dialled in self.exchange.extensions:
            show = self.exchange.codes.show_number
            entry = Cause(Setting.CODE, show, does=Does.SHOW_NUMBER)
            plan = self.planner.call(self.dialled, replace(_tester(self.exchange), cause=entry)) or self.plan
            shown = self._scenario(Kind.SHOWN, answers)
            yield replace(shown, dialled=show + self.dialled, plan=plan, entry=entry)
        yield from self._by_codes()

    def _by_codes(self) -> Iterator[Scenario]:
        """Those before which somebody dials a code."""
        known, extensions = {*phones_of(self.plan), CALLER_LINE}, self.exchange.extensions
        strangers = (number for number, each in extensions.items() if each.line and each.line not in known)
        for changed in changed_by_codes(self.exchange, self.dialled, next(strangers, None)):
            heeded, unheeded = (
                replace(self.planner, exchange=each).call(self.dialled, _tester(self.exchange))
                for each in (changed.heeded, changed.unheeded)
            )
            if heeded is None or unheeded is None or heeded == unheeded:
                continue
            dials = changed.codes[0].phone
            phones = dict.fromkeys((*phones_of(heeded), *phones_of(unheeded), dials), Behaviour(Then.SILENT))
            if len(phones) > MOST_PHONES:
                continue
            takes = phones | self._first_answers(unheeded) | self._first_answers(heeded)
            if changed.takes is not None:
                takes[dials] = changed.takes
            gives_up_s = changed.rings_s / self.speed + _PATIENCE_S if changed.rings_s else None
            made = replace(self, plan=heeded)._scenario(changed.kind, takes, gives_up_s)
            yield replace(made, codes=changed.codes, unheeded=unheeded)

    def watched(self, place: int, scenario: Scenario) -> Scenario:
        """The scenario with some phones beside that are not to ring: those whose turn it is at its place."""
        known = {part.phone for part in scenario.parts}
        strangers = [line for line in self.exchange.lines if line not in known]
        first = place * _MOST_BYSTANDERS % max(1, len(strangers))
        chosen = [*strangers[first:], *strangers[:first]][:_MOST_BYSTANDERS]
        hz = _LOWEST_HZ + _STEP_HZ * len(scenario.parts)
        silent = Behaviour(Then.SILENT)
        bystanders = [
            _part_of(self.exchange, line, silent, hz + _STEP_HZ * count) for count, line in enumerate(chosen)
        ]
        return replace(scenario, bystanders=tuple(bystanders), lamps=tuple(_on(scenario.lamps, bystanders)))

    def _shown_lines(self) -> frozenset[str] | None:
        """Those that a lamp of the number shows; None: there is none, or it may show others, too."""
        extension = self.exchange.extensions.get(self.dialled)
        if extension is not None:
            return frozenset(filter(None, [extension.line]))
        if self.dialled not in self.exchange.groups or not isinstance(self.plan, Group):
            return None
        lines = {phone for turn in self.plan.turns for phone in phones_of(turn.plan)}
        beyond = () if self.plan.overflow is None else phones_of(self.plan.overflow)
        return frozenset(lines) if lines.isdisjoint(beyond) else None

    def _scenario(self, kind: Kind, behaviours: Behaviours, gives_up_s: float | None = None) -> Scenario:
        hz = _LOWEST_HZ
        caller = _part_of(self.exchange, CALLER_LINE, Behaviour(Then.SILENT), hz)
        members = tuple(
            _part_of(self.exchange, phone, behaviour, hz + _STEP_HZ * place)
            for place, (phone, behaviour) in enumerate(behaviours.items(), start=1)
        )
        made = Scenario(kind, self.dialled, caller, members, self.plan, self.speed, gives_up_s)
        return made if gives_up_s is not None else replace(made, gives_up_s=self._patience(made))

    def _first_answers(self, plan: Plan) -> dict[str, Behaviour]:
        """All answer, and of those that ring at the same time one."""
        match plan:
            case Ring() | Nobody():
                plans = [(each, LONGEST_RING_S) for each in plan.after.values()]
                found = {plan.phone: _answer(plan.ring_s)} if isinstance(plan, Ring) else {}
            case Group():
                turns = plan.turns
                if plan.strategy is Strategy.AT_ONCE and turns:
                    turns = (min(turns, key=lambda turn: turn.delay_s),)
                plans = [(turn.plan, turn.ring_s) for turn in turns]
                plans += [] if plan.overflow is None else [(plan.overflow, LONGEST_RING_S)]
                found = {}
        for each, ring_s in plans:
            for phone, behaviour in self._first_answers(each).items():
                after_s = min(behaviour.after_s, _answer(ring_s).after_s)
                found.setdefault(phone, replace(behaviour, after_s=after_s))
        return found

    def _patience(self, scenario: Scenario) -> float | None:
        """When the caller gives up, where nobody answers and a phone would ring for very long."""
        foretold = expected(scenario)
        last = max(foretold.rings, key=lambda ring: ring.ends_s, default=None)
        if last is None or foretold.winners or last.ends_s <= _LONGEST_S / self.speed:
            return None
        return foretold.rings[-1].begins_s + min(_PATIENCE_S, foretold.rings[-1].lasts_s / 2)


def _on(lamps: Sequence[Lamp], bystanders: Sequence[Part]) -> Iterator[Lamp]:
    """The lamps on a phone that stands by, where there is one; and one of another that stays dark."""
    if not lamps or not bystanders:
        yield from lamps
        return
    watcher, other = bystanders[0], bystanders[-1]
    yield from (replace(lamp, phone=watcher.phone) for lamp in lamps)
    if other.extension and other is not watcher:
        yield Lamp(watcher.phone, other.extension, frozenset({other.phone}))


def _answer(ring_s: float) -> Behaviour:
    """One that answers well within the time that it rings."""
    return Behaviour(Then.ANSWER, min(_LONGEST_ANSWER_S, ring_s * 0.4))


def _last_to_begin(rings: Sequence[ExpectedRing]) -> ExpectedRing:
    """Of the phones that ring, the one that begins last, when it does so first."""
    begin: dict[str, ExpectedRing] = {}
    for ring in rings:
        begin.setdefault(ring.phone, ring)
    return max(reversed(begin.values()), key=lambda ring: ring.begins_s)


def _is_shuffled(plan: Plan) -> bool:
    match plan:
        case Group():
            onward = [turn.plan for turn in plan.turns] + ([] if plan.overflow is None else [plan.overflow])
            return plan.strategy is Strategy.SHUFFLED or any(map(_is_shuffled, onward))
        case Ring() | Nobody():
            return any(map(_is_shuffled, plan.after.values()))
