"""Whom a call rings, by what its customer has set: a pure function of that, and of what is so at the moment.

The order: emergency numbers, codes, extensions, hunt groups, short numbers, other lines of this installation.
No call goes round for ever: a number that led to where the call is now isn't followed again, nor are more
than a few after one another, whether data, a phone (3xx) or an overflow sends the call there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from provisioner.centrex.customer import (
    CallerPresentation,
    Extension,
    Forwarding,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
)
from provisioner.centrex.exchange import Exchange
from provisioner.pbx.room import Rung, Surroundings, caller_full, obstacle
from sip.call.ringing import Caller, Membership, Outcome, Target
from sip.call.tree import members as tree
from sip.call.tree.fallback import Fallback
from sip.call.tree.in_order import InOrder
from sip.call.tree.limited import Limited
from sip.call.tree.node import MakeNode, Node, Tried
from sip.call.tree.phone import Phone, Refusal
from sip.call.tree.together import Together
from sip.message.uri import SipUri, Uri

RING_S = 120.0
"How long a line rings that says nothing of it."
MOST_HOPS = 10
"Numbers that lead to each other, after one another."
INSIDE = "<http://127.0.0.1>;info=internal"
"Alert-Info of calls from inside: the word is what the phones' files say, the address is there for the form."
_TOO_MANY = {
    Outcome.FULL: "Too many calls at once",
    Outcome.SITE_FULL: "Too many calls at this site",
}


@dataclass(frozen=True, slots=True)
class _Way:
    """How a call came to where it is."""

    exchange: Exchange
    "In which the next number is looked for."
    caller: Caller
    "As those inside see who calls."
    path: tuple[tuple[int, str], ...] = ()
    "The numbers that led here, each with its customer."
    memberships: tuple[Membership, ...] = ()

    def by(self, number: str) -> _Way | None:
        """Over one more number; None: it would go in a circle, or too far."""
        step = (self.exchange.customer_id, self.exchange.forms.whole(number))
        if step in self.path or len(self.path) >= MOST_HOPS:
            return None
        return replace(self, path=(*self.path, step))


@dataclass(slots=True)
class Routing:
    """One call's."""

    exchange: Exchange
    "Of the caller."
    line: str
    "The caller's."
    around: Surroundings
    is_hidden: bool = False
    "Whether the caller's number is nobody's to see."
    is_transfer: bool = False
    "Whether the line passes a call on, and has no further one itself."
    _tried: Tried = field(init=False)
    _lines: dict[str, Rung] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Of parts of it: what its tree knows must not lead back to it, or both would wait for the collector.
        self._tried = Tried(partial(obstacle, self.line, self._lines, self.around))

    def to(self, dialled: str) -> Node:
        """What becomes of the call, codes aside."""
        for number in (dialled, self.exchange.short_numbers.get(dialled, "")):
            if number in self.around.emergency_numbers:
                return emergency_call(self.line, number, self.around.emergency_gateway)
        # Who passes a call on has no further one.
        full = None if self.is_transfer else caller_full(self.exchange, self.line, self.around)
        if full is not None:
            own = Target(self.line, Caller(self.line), self.exchange.extension_of.get(self.line, ""))
            return Refusal(full, 486, _TOO_MANY[full], own)
        node = self._number(_Way(self.exchange, self._inside()), dialled)
        return node or Refusal(Outcome.REFUSED, 404)

    # Who calls

    def _inside(self) -> Caller:
        """The caller as its own company sees it."""
        own = self.exchange.extension_of_line(self.line)
        if self.is_hidden or own is None:
            return self._outside()
        return Caller(own.number, own.name)

    def _outside(self) -> Caller:
        """The caller as everybody else sees it: what it is called inside is nobody's business there."""
        return Caller("", is_hidden=True) if self.is_hidden else Caller(self.line)

    # Numbers

    def _number(self, way: _Way, number: str) -> Node | None:
        """None: nobody has it, or it leads in a circle."""
        further = way.by(number)
        if further is None:
            return None
        exchange = way.exchange
        if (extension := exchange.extensions.get(number)) is not None:
            return self._extension(further, extension)
        if (group := exchange.groups.get(number)) is not None:
            return self._with_overflow(further, group)
        if (target := exchange.short_numbers.get(number)) is not None and target != number:
            return None if target in self.around.emergency_numbers else self._number(further, target)
        return self._line_of_number(further, exchange.forms.whole(number))

    def _line_of_number(self, way: _Way, number: str) -> Node | None:
        if number in way.exchange.lines:
            return self._line(way, way.exchange.lines[number], way.exchange.extension_of_line(number))
        other = self.around.elsewhere(number)
        if other is None or number not in other.lines:
            return None
        shown = self._inside() if other.customer_id == self.exchange.customer_id else self._outside()
        there = replace(way, exchange=other, caller=shown, memberships=())
        return self._line(there, other.lines[number], other.extension_of_line(number))

    def _extension(
        self, way: _Way, extension: Extension, *, forwards: bool = True, ring_s: float = RING_S
    ) -> Node:
        line = None if extension.line is None else way.exchange.lines.get(extension.line)
        if line is None:
            return Refusal(Outcome.UNREACHABLE, 480)
        return self._line(way, line, extension, forwards=forwards, ring_s=ring_s)

    def _line(
        self,
        way: _Way,
        line: Line,
        extension: Extension | None,
        *,
        forwards: bool = True,
        ring_s: float = RING_S,
    ) -> Node:
        """A line that rings, or what it has set instead.

        `forwards`: it has a say in where the call goes; `ring_s`: how long it rings where it says nothing.
        """
        said = line.forwarding
        onward = partial(self._forwarded, way)
        if forwards and said.always is not None and said.always.enabled:
            return onward(said.always) or Refusal(Outcome.UNREACHABLE, 482)
        site = way.exchange.site_of(line.number)
        if not self.is_transfer and site is self.exchange.site_of(self.line):
            # Where the caller is, the call has been let in.
            site = None
        self._lines[line.number] = Rung(line, way.exchange.most_calls(line.number), site)
        target = Target(
            aor=line.number,
            caller=way.caller,
            number=extension.number if extension is not None else "",
            memberships=way.memberships,
            alert=INSIDE if self._is_inside(way) and way.exchange.distinctive_ring else "",
        )
        if not forwards:
            return Limited(Phone(self._tried, target), ring_s)
        after: dict[Outcome, Callable[[], Node | None]] = {}
        for forwarding, outcomes in (
            (said.busy, (Outcome.BUSY, Outcome.FULL, Outcome.SITE_FULL, Outcome.DECLINED)),
            (said.no_answer, (Outcome.NO_ANSWER,)),
            (said.unreachable, (Outcome.UNREACHABLE,)),
        ):
            if forwarding is not None and forwarding.enabled:
                after |= dict.fromkeys(outcomes, partial(onward, forwarding))
                if forwarding is said.no_answer:
                    ring_s = forwarding.after
        phone = Limited(Phone(self._tried, target, partial(self._moved, way)), ring_s)
        return Fallback(phone, after) if after else phone

    def _forwarded(self, way: _Way, forwarding: Forwarding) -> Node | None:
        return self._number(way, forwarding.to)

    def _moved(self, way: _Way, contacts: Sequence[Uri]) -> Node | None:
        """Where a phone sends the call itself: to a number that could be dialled, and to no other server."""
        for contact in contacts:
            number = self.around.line_of(contact)
            node = None if number is None else self._number(way, number)
            if node is not None:
                return node
        return None

    def _is_inside(self, way: _Way) -> bool:
        return way.exchange.customer_id == self.exchange.customer_id

    # Groups

    def _with_overflow(self, way: _Way, group: HuntGroup) -> Node:
        node = self._group(way, group)
        if group.overflow is None:
            return node
        overflow = partial(self._number, way, group.overflow)
        return Fallback(node, dict.fromkeys(Outcome, overflow))

    def _group(self, way: _Way, group: HuntGroup) -> Node:
        """Its members. One that leads in a circle is passed over; one that is logged out isn't there."""
        presented = replace(way, caller=_presented(way.caller, group))
        members = [
            tree.Member(self._member(presented, group, member), member.ring_delay, member.stop)
            for member in self._ordered(way.exchange, group)
        ]
        kind = Together if group.strategy is HuntStrategy.SIMULTANEOUS else InOrder
        return kind(self._tried, members)

    def _ordered(self, exchange: Exchange, group: HuntGroup) -> list[Member]:
        members = [member for member in group.members if member.logged_in]
        if group.strategy is HuntStrategy.RANDOM:
            self.around.random.shuffle(members)
        elif group.strategy is HuntStrategy.LEAST_USED:
            members.sort(key=lambda member: self._last_use(exchange, group, member))
        return members

    def _last_use(self, exchange: Exchange, group: HuntGroup, member: Member) -> tuple[float, float]:
        """Grows with the time at which the member answered a call of the group last.

        What is known from before the server began is older than all that it has seen itself. A group in the
        group was used when one of its own members has answered for it.
        """
        uses = [
            (0.0 if seen is None else seen, float(exchange.used.get((counted.number, line), 0)))
            for counted, line in _lines_of(exchange, group, member)
            for seen in (self.around.last_answered(counted.number, line),)
        ]
        return max(uses, default=(0.0, 0.0))

    def _member(self, way: _Way, group: HuntGroup, member: Member) -> MakeNode:
        return partial(self._made_member, way, group, member)

    def _made_member(self, way: _Way, group: HuntGroup, member: Member) -> Node:
        number = member.extension or member.group or ""
        further = way.by(number)
        if further is None:
            return Refusal(Outcome.UNREACHABLE, 482)
        further = replace(further, memberships=(*way.memberships, Membership(group.number, number)))
        if member.group is not None:
            nested = way.exchange.groups.get(member.group)
            node = Refusal(Outcome.UNREACHABLE, 480) if nested is None else self._group(further, nested)
        else:
            extension = way.exchange.extensions.get(number, Extension(number))
            # Not cut off before its time in the group, however long that is.
            ring_s = max(RING_S, member.ring_time)
            node = self._extension(further, extension, forwards=not member.skip_forwarding, ring_s=ring_s)
        return Limited(node, member.ring_time)


def emergency_call(line: str, dialled: str, gateway: SipUri | None) -> Node:
    """To the gateway, under the caller's own number, hidden or not. Nothing that is set has a say in it."""
    if gateway is None:
        return Refusal(Outcome.UNREACHABLE, 503, "No gateway for emergency calls is set")
    target = Target(dialled, Caller(line), dialled, uri=replace(gateway, user=dialled))
    return Limited(Phone(Tried(lambda _: None), target), RING_S)


def _presented(caller: Caller, group: HuntGroup) -> Caller:
    """The caller as members of the group see it."""
    match group.caller_presentation:
        case CallerPresentation.KEEP:
            return caller
        case CallerPresentation.GROUP:
            return Caller(group.number, group.name)
        case CallerPresentation.GROUP_NAME:
            return caller._replace(name=group.name)


def _lines_of(exchange: Exchange, group: HuntGroup, member: Member) -> list[tuple[HuntGroup, str]]:
    """Whose answers count as the member's: its line in the group, or the lines of the group that it is."""
    if member.extension is not None:
        extension = exchange.extensions.get(member.extension)
        return [(group, extension.line)] if extension is not None and extension.line is not None else []
    nested = exchange.groups.get(member.group or "")
    if nested is None:
        return []
    extensions = (exchange.extensions.get(each.extension or "") for each in nested.members)
    return [(nested, each.line) for each in extensions if each is not None and each.line is not None]
