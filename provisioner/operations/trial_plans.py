"""Whom a call is to ring, read off a company's configuration: what test calls are judged by.

It follows what the settings are said to mean, and shares nothing with what routes calls, for a judge must not
ask the one who is judged. Only what is documented is expected. A number outside of the company is nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from provisioner.centrex.customer import (
    CallerPresentation,
    Forwarding,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
)
from provisioner.centrex.exchange import Exchange
from sip.testcall.plan import (
    Cause,
    Group,
    KeptOut,
    Nobody,
    Outcome,
    Plan,
    Ring,
    Setting,
    Shown,
    Strategy,
    Turn,
)
from sip.testcall.plan_parts import phones_of

LONGEST_RING_S = 120.0
"How long a line rings that says nothing of it, where no group says it."
_MOST_HOPS = 10
"Numbers that a call goes by."
_MOST_PARTS = 500
"Of a plan, however its groups hold each other."
_INTERNAL = "internal"
"How Alert-Info calls it that somebody from inside calls."
_STATUS = {Outcome.BUSY: 486, Outcome.DECLINED: 603, Outcome.NO_ANSWER: 480, Outcome.UNREACHABLE: 480}
_STRATEGIES = {
    HuntStrategy.ORDER: Strategy.IN_TURN,
    HuntStrategy.LEAST_USED: Strategy.IN_TURN,
    HuntStrategy.SIMULTANEOUS: Strategy.AT_ONCE,
    HuntStrategy.RANDOM: Strategy.SHUFFLED,
}

_NO_SETTING = Cause(Setting.EXCHANGE)

Uses = Mapping[tuple[str, str], int]
"Of a group and a line: when that answered for it last, as a number that grows."


@dataclass(frozen=True, slots=True)
class _Way:
    """How a call came to where it is."""

    shown: Shown
    cause: Cause
    path: tuple[str, ...] = ()
    ring_s: float = LONGEST_RING_S
    "How long a line rings that says nothing of it."
    ring_cause: Cause = _NO_SETTING
    "What says so."

    def by(self, number: str, cause: Cause | None = None) -> _Way | None:
        """Over one more number, as lines have theirs; None: round in a circle, or too far."""
        if number in self.path or len(self.path) >= _MOST_HOPS:
            return None
        return _Way(self.shown, cause or self.cause, (*self.path, number))


@dataclass(slots=True)
class Planner:
    """Plans calls within one company."""

    exchange: Exchange
    speed: float = 1.0
    "What all times are divided by."
    uses: Uses = field(default_factory=dict)
    "Who has answered for whom: what the least used is known by."
    emergency_numbers: Collection[str] = ()
    _parts: int = field(init=False, default=0)

    def call(self, dialled: str, shown: Shown) -> Plan | None:
        """A call of one who is to be shown so; None: nobody here has that number, or too much hangs on it."""
        self._parts = 0
        plan = self._number(_Way(replace(shown, alert=self._alert), Cause(Setting.LINE, dialled)), dialled)
        return plan if self._parts <= _MOST_PARTS else None

    @property
    def _alert(self) -> str:
        return _INTERNAL if self.exchange.distinctive_ring else ""

    def _number(self, way: _Way, number: str, cause: Cause | None = None) -> Plan | None:
        further = way.by(self.exchange.forms.whole(number), cause)
        self._parts += 1
        if further is None or self._parts > _MOST_PARTS:
            return None
        exchange = self.exchange
        if number in exchange.extensions:
            return self._extension(further, number)
        if (group := exchange.groups.get(number)) is not None:
            plan = self._group(further, group)
            overflow = Cause(Setting.OVERFLOW, group.number)
            onward = None if group.overflow is None else self._number(further, group.overflow, overflow)
            return replace(plan, overflow=onward)
        target = exchange.short_numbers.get(number, number)
        if target != number:
            if target in self.emergency_numbers:
                return None
            return self._number(further, target, Cause(Setting.SHORT_NUMBER, number))
        if (line := exchange.lines.get(exchange.forms.whole(number))) is not None:
            return self._line(further, line)
        return None

    def _extension(self, way: _Way, number: str, skipped: Cause | None = None) -> Plan:
        """`skipped`: what says that its own forwarding isn't followed."""
        extension = self.exchange.extensions.get(number)
        line = self.exchange.lines.get((extension and extension.line) or "")
        if line is None:
            return Nobody(Outcome.UNREACHABLE, 480, Cause(Setting.LINE, number))
        return self._line(way, line) if skipped is None else self._unforwarded(way, line, skipped)

    def _unforwarded(self, way: _Way, line: Line, skipped: Cause) -> Plan:
        """A line whose own forwarding has no say."""
        cases = line.forwarding
        targets = (cases.always, cases.busy, cases.no_answer, cases.unreachable)
        kept_out = self._kept_out(way, [said for said in targets if said is not None], skipped)
        return self._rung(way, line, way.ring_s, way.ring_cause, {}, kept_out)

    def _line(self, way: _Way, line: Line) -> Plan:
        said = line.forwarding
        if said.always is not None and said.always.enabled:
            cause = Cause(Setting.FORWARD_ALWAYS, line.number)
            onward = self._number(way, said.always.to, cause)
            if onward is None:
                return Nobody(Outcome.UNREACHABLE, None, cause, line.number)
            return replace(onward, kept_out=(*onward.kept_out, KeptOut(line.number, cause)))
        after: dict[Outcome, Plan] = {}
        kept_out: list[KeptOut] = []
        ring_s, ring_cause = way.ring_s, way.ring_cause
        for setting, forwarding, outcomes in (
            (Setting.FORWARD_ALWAYS, said.always, ()),
            (Setting.FORWARD_BUSY, said.busy, (Outcome.BUSY, Outcome.DECLINED)),
            (Setting.FORWARD_NO_ANSWER, said.no_answer, (Outcome.NO_ANSWER,)),
            (Setting.FORWARD_UNREACHABLE, said.unreachable, (Outcome.UNREACHABLE,)),
        ):
            cause = Cause(setting, line.number)
            if forwarding is None:
                continue
            if not forwarding.enabled:
                kept_out += self._kept_out(way, [forwarding], cause)
                continue
            if setting is Setting.FORWARD_NO_ANSWER:
                ring_s, ring_cause = float(forwarding.after), cause
            onward = self._number(way, forwarding.to, cause)
            for outcome in outcomes:
                # Where it leads back, or to nobody here, it is as if nothing followed.
                status = _STATUS[outcome] if self.exchange.forms.whole(forwarding.to) in way.path else None
                after[outcome] = onward or Nobody(outcome, status, cause)
        return self._rung(way, line, ring_s, ring_cause, after, tuple(kept_out))

    def _rung(
        self,
        way: _Way,
        line: Line,
        ring_s: float,
        ring_cause: Cause,
        after: Mapping[Outcome, Plan],
        kept_out: tuple[KeptOut, ...],
    ) -> Plan:
        self._parts += 1
        if line.dnd:
            return Nobody(Outcome.BUSY, 486, Cause(Setting.DND, line.number), line.number, after, kept_out)
        return Ring(line.number, way.shown, ring_s / self.speed, way.cause, ring_cause, after, kept_out)

    def _kept_out(self, way: _Way, targets: Sequence[Forwarding], cause: Cause) -> tuple[KeptOut, ...]:
        """The phones that would ring if forwarding that doesn't count were followed."""
        plans = (self._number(way, target.to) for target in targets)
        phones = (phone for plan in plans if plan is not None for phone in phones_of(plan))
        return tuple(KeptOut(phone, cause) for phone in dict.fromkeys(phones))

    # Groups

    def _group(self, way: _Way, group: HuntGroup) -> Group:
        """Without its overflow, which counts only for who calls it itself."""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            return Group(group.number, Strategy.IN_TURN, ())
        inside = replace(way, shown=_presented(way.shown, group))
        members = [(member, self._member(inside, group, member)) for member in group.members]
        kept_out = [
            KeptOut(phone, Cause(Setting.LOGGED_IN, group.number, _number_of(member)))
            for member, plan in members
            if not member.logged_in
            for phone in phones_of(plan)
        ]
        rung = [(member, plan) for member, plan in members if member.logged_in]
        if group.strategy is HuntStrategy.LEAST_USED:
            rung.sort(key=lambda each: self._last_use(group, each[0]))
        turns = tuple(
            Turn(
                number=_number_of(member),
                plan=plan,
                delay_s=member.ring_delay / self.speed,
                ring_s=member.ring_time / self.speed,
                is_last=member.stop,
            )
            for member, plan in rung
        )
        return Group(group.number, _STRATEGIES[group.strategy], turns, kept_out=tuple(kept_out))

    def _member(self, way: _Way, group: HuntGroup, member: Member) -> Plan:
        number = _number_of(member)
        cause = Cause(Setting.MEMBERS, group.number, number)
        further = way.by(self.exchange.forms.whole(number), cause)
        nested = self.exchange.groups.get(member.group or "")
        if further is None or (member.group is not None and nested is None):
            return Nobody(Outcome.UNREACHABLE, 480, cause)
        if nested is not None:
            plan = self._group(further, nested)
            overflow = None if nested.overflow is None else self._number(further, nested.overflow)
            cause = Cause(Setting.OVERFLOW, nested.number)
            spared = [] if overflow is None else [KeptOut(phone, cause) for phone in phones_of(overflow)]
            return replace(plan, kept_out=(*plan.kept_out, *spared))
        skipped = Cause(Setting.SKIP_FORWARDING, group.number, number) if member.skip_forwarding else None
        ring_time = Cause(Setting.RING_TIME, group.number, number)
        further = replace(further, ring_s=float(member.ring_time), ring_cause=ring_time)
        return self._extension(further, number, skipped)

    def _last_use(self, group: HuntGroup, member: Member) -> int:
        """When the member answered for the group last: a group in it, when one of its own members did."""
        nested = self.exchange.groups.get(member.group or "")
        of, members = (group, (member,)) if nested is None else (nested, nested.members)
        extensions = (self.exchange.extensions.get(each.extension or "") for each in members)
        lines = [each.line for each in extensions if each is not None and each.line is not None]
        return max((self.uses.get((of.number, line), 0) for line in lines), default=0)


def credited(plan: Plan, phone: str) -> frozenset[str]:
    """The groups for which a phone has answered that has taken a call by this plan."""
    match plan:
        case Group():
            inside = frozenset[str]().union(*(credited(turn.plan, phone) for turn in plan.turns))
            is_member = any(phone in phones_of(turn.plan) for turn in plan.turns)
            return inside | {plan.number} if is_member else inside
        case Ring() | Nobody():
            return frozenset[str]().union(*(credited(each, phone) for each in plan.after.values()))


def _number_of(member: Member) -> str:
    return member.extension or member.group or ""


def _presented(shown: Shown, group: HuntGroup) -> Shown:
    cause = Cause(Setting.PRESENTATION, group.number)
    match group.caller_presentation:
        case CallerPresentation.KEEP:
            return replace(shown, spared=(*shown.spared, Shown(group.number, group.name, cause)))
        case CallerPresentation.GROUP:
            return replace(shown, number=group.number, name=group.name, cause=cause)
        case CallerPresentation.GROUP_NAME:
            return replace(shown, name=group.name, cause=cause)
