"""Why a call never came to a line: each way there has gates, and the first that was shut is the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from provisioner.centrex.customer import HuntGroup, HuntStrategy, Member
from provisioner.centrex.reach import Reach, cases
from provisioner.operations.calls import Call, LegEnd
from provisioner.operations.unrung import Answer, Known, Reason, answerer
from sip.call.story import EndedBy


@dataclass(frozen=True, slots=True)
class _Gate:
    """A step of a way that leads on in some cases alone."""

    group: HuntGroup | None = None
    place: int | None = None
    "Of the member of the group; None: its overflow."
    line: str = ""
    "That is forwarded."
    case: str = ""

    @property
    def member(self) -> Member | None:
        return None if self.group is None or self.place is None else self.group.members[self.place]


_Way = tuple[_Gate, ...]

_DUE: Final = {
    "busy": (LegEnd.BUSY, LegEnd.FULL, LegEnd.SITE_FULL, LegEnd.DECLINED),
    "no_answer": (LegEnd.NO_ANSWER,),
    "unreachable": (LegEnd.UNREACHABLE,),
}
"What has to become of a line before its forwarding counts."
_SETTLED: Final = frozenset(LegEnd) - {LegEnd.GIVEN_UP, LegEnd.ELSEWHERE}
"After which it is known whether a forwarding counts."
_MOST_HOPS = 10
_MOST_WAYS = 200
_MOST_NAMED = 6


@dataclass(slots=True)
class Search:
    """Why a call never came to a line."""

    call: Call
    reach: Reach
    line: str
    known: Known
    _ways: list[_Way] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)

    def answer(self) -> Answer:
        """What shut the most direct way there is."""
        for way in self._from(self.reach.number, (), ()):
            self._ways.append(way)
            if len(self._ways) >= _MOST_WAYS:
                break
        if not self._ways:
            return self._no_way()
        return self._shut(min(self._ways, key=_roundabout))

    def _no_way(self) -> Answer:
        exchange = self.reach.exchange
        if not (exchange.lines or exchange.groups or exchange.extensions or self.call.legs):
            return Answer(Reason.NO_SUCH_NUMBER, self.known)
        return Answer(Reason.NOT_LED_TO, self.known, led_to=tuple(sorted(self._met))[:_MOST_NAMED])

    # Ways

    def _from(
        self, number: str, gates: _Way, path: tuple[str, ...], *, is_member: bool = False
    ) -> Iterator[_Way]:
        exchange = self.reach.exchange
        if number in path or len(path) > _MOST_HOPS:
            return
        path = (*path, number)
        if (extension := exchange.extensions.get(number)) is not None:
            self._met.add(number)
            yield from self._through(extension.line or "", gates, path)
        elif (group := exchange.groups.get(number)) is not None:
            for place, member in enumerate(group.members):
                further = (*gates, _Gate(group, place))
                yield from self._from(member.extension or member.group or "", further, path, is_member=True)
            # Of a group in a group it doesn't count.
            if group.overflow is not None and not is_member:
                yield from self._from(group.overflow, (*gates, _Gate(group)), path)
        elif (target := exchange.short_numbers.get(number, number)) != number:
            yield from self._from(target, gates, path)
        else:
            yield from self._through(exchange.forms.whole(number), gates, path)

    def _through(self, line: str, gates: _Way, path: tuple[str, ...]) -> Iterator[_Way]:
        if line == self.line:
            yield gates
            return
        found = self.reach.exchange.lines.get(line)
        member = gates[-1].member if gates else None
        if found is None or (member is not None and member.skip_forwarding):
            return
        for case, forwarding in cases(found.forwarding).items():
            yield from self._from(forwarding.to, (*gates, _Gate(line=line, case=case)), path)

    # What shut one

    def _shut(self, way: _Way) -> Answer:
        for gate in way:
            shut = self._at_member(gate) if gate.member is not None else self._at_forwarding(gate)
            if shut is not None:
                return shut
        last = way[-1].member if way else None
        target = self.reach.exchange.lines.get(self.line)
        always = None if target is None else target.forwarding.always
        if always is not None and always.enabled and not (last is not None and last.skip_forwarding):
            return Answer(Reason.FORWARDED_AWAY, self.known, other=always.to)
        return self._ended(way)

    def _at_member(self, gate: _Gate) -> Answer | None:
        group, member = gate.group, gate.member
        if group is None or member is None or gate.place is None:
            return None
        if not member.logged_in:
            return Answer(Reason.LOGGED_OUT, self.known, of=group.number)
        if group.strategy in (HuntStrategy.ORDER, HuntStrategy.SIMULTANEOUS):
            before = [each for each in group.members[: gate.place] if each.logged_in and each.stop]
            if before:
                stop = before[0].extension or before[0].group or ""
                return Answer(Reason.AFTER_STOP, self.known, of=group.number, other=stop)
        return None

    def _at_forwarding(self, gate: _Gate) -> Answer | None:
        line = self.reach.exchange.lines.get(gate.line)
        if line is None:
            return None
        forwarding = cases(line.forwarding)[gate.case]
        of = self._name(gate.line)
        if not forwarding.enabled:
            return Answer(Reason.FORWARDING_OFF, self.known, of=of, case=gate.case)
        became = [leg.reason for leg in self.call.legs if leg.line == gate.line and leg.reason in _SETTLED]
        if gate.case in _DUE and became and not set(became) & set(_DUE[gate.case]):
            return Answer(Reason.FORWARDING_NOT_DUE, self.known, of=of, case=gate.case, other=became[-1])
        return None

    def _ended(self, way: _Way) -> Answer:
        """All gates could have opened: the call was over before."""
        call = self.call
        if call.is_live:
            return Answer(Reason.MAY_COME, self.known)
        overflow = next((gate.group for gate in way if gate.group is not None and gate.place is None), None)
        delayed = self._delay(way)
        of = "" if not way or way[-1].group is None else way[-1].group.number
        if call.answered_at is not None:
            other = answerer(call)
            if overflow is not None:
                return Answer(Reason.OVERFLOW_ANSWERED, self.known, of=overflow.number, other=other)
            if delayed is not None:
                return Answer(Reason.DELAY_ANSWERED, self.known, of=of, other=other, seconds=delayed)
            return Answer(Reason.NOT_ITS_TURN_ANSWERED, self.known, of=of, other=other)
        if call.end == EndedBy.CALLER:
            waited = None if call.ended_at is None else (call.ended_at - call.started_at).total_seconds()
            if overflow is not None:
                return Answer(Reason.OVERFLOW_GIVEN_UP, self.known, of=overflow.number, seconds=waited)
            if delayed is not None:
                return Answer(Reason.DELAY_GIVEN_UP, self.known, of=of, seconds=delayed)
            return Answer(Reason.NOT_ITS_TURN_GIVEN_UP, self.known, of=of, seconds=waited)
        if call.end == EndedBy.NOBODY:
            return self._nobody(way)
        return Answer(Reason.CUT_OFF, self.known, case=call.end or "")

    def _nobody(self, way: _Way) -> Answer:
        for gate in way:
            group = gate.group
            if group is None or group.strategy in (HuntStrategy.ORDER, HuntStrategy.SIMULTANEOUS):
                continue
            stop = next((each for each in group.members if each.stop and each.logged_in), None)
            if stop is not None:
                other = stop.extension or stop.group or ""
                return Answer(Reason.AFTER_STOP, self.known, of=group.number, other=other)
        nested = [gate.member for gate in way if gate.member is not None and gate.member.group is not None]
        if nested:
            member = nested[0]
            return Answer(
                Reason.GROUP_TIME_OVER, self.known, of=member.group or "", seconds=float(member.ring_time)
            )
        return Answer(Reason.UNKNOWN, self.known)

    def _delay(self, way: _Way) -> float | None:
        """How long the member waits in its group that rings all at once; None: not at all, or not begun."""
        last = way[-1] if way else None
        if last is None or last.group is None or last.member is None:
            return None
        has_begun = last is way[0] or any(last.group.number in leg.groups for leg in self.call.legs)
        if last.group.strategy is not HuntStrategy.SIMULTANEOUS or not has_begun:
            return None
        return float(last.member.ring_delay) or None

    def _name(self, line: str) -> str:
        found = (each.number for each in self.reach.exchange.extensions.values() if each.line == line)
        return next(found, line)


def _roundabout(way: _Way) -> tuple[int, int, int]:
    """The less, the more directly a way leads there."""
    forwarded = sum(bool(gate.line) for gate in way)
    overflowing = sum(gate.group is not None and gate.place is None for gate in way)
    return forwarded, overflowing, len(way)
