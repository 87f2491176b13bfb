"""Ways to break what decides whom a call rings: settings misread, members out of order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from provisioner.centrex.customer import (
    CallerPresentation,
    Forwardings,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
)
from provisioner.pbx import routing
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.phones import Phones
from provisioner.pbx.routing import Routing
from sip.call.ringing import Outcome
from sip.call.story import Event, LegBegan
from sip.call.tree.limited import Limited
from sip.call.tree.phone import Refusal
from sip.location import Location
from tests.e2e.proving.breaking import Break, instead, never, put
from tests.provisioner.pbx.switchboards import line_of, seeded

# What is set, and misread


def misread_group(change: Callable[[HuntGroup], HuntGroup]) -> Break:
    """The router takes groups for other ones."""
    return instead(Routing, "_group", lambda group: lambda self, way, read: group(self, way, change(read)))


def misread_members(change: Callable[[Member], Member]) -> Break:
    """The router takes members of groups for other ones."""
    return misread_group(lambda group: replace(group, members=tuple(map(change, group.members))))


def misread_line(change: Callable[[Line], Line]) -> Break:
    """The router takes lines for other ones."""
    return instead(
        Routing,
        "_line",
        lambda ring: lambda self, way, line, *more, **said: ring(self, way, change(line), *more, **said),
    )


def without(forwarding: str) -> Break:
    """The router doesn't see forwarding of a kind."""
    return misread_line(lambda line: replace(line, forwarding=replace(line.forwarding, **{forwarding: None})))


def _turned_on(said: Forwardings) -> Forwardings:
    cases = {name: getattr(said, name) for name in ("always", "busy", "no_answer", "unreachable")}
    return Forwardings(**{name: each and replace(each, enabled=True) for name, each in cases.items()})


def as_if(presentation: CallerPresentation) -> Break:
    """All groups present callers in one way."""
    return misread_group(lambda group: replace(group, caller_presentation=presentation))


forwards_that_is_turned_off = misread_line(lambda line: replace(line, forwarding=_turned_on(line.forwarding)))
no_answer_time_doubled = misread_line(
    lambda line: replace(
        line,
        forwarding=replace(
            line.forwarding,
            no_answer=line.forwarding.no_answer
            and replace(line.forwarding.no_answer, after=2 * line.forwarding.no_answer.after),
        ),
    )
)
dnd_ignored = instead(
    routing,
    "_obstacle",
    lambda obstacle: (
        lambda caller, lines, around, aor: obstacle(
            caller, {aor: lines[aor]._replace(line=replace(lines[aor].line, dnd=False))}, around, aor
        )
    ),
)
overflow_ignored = put(Routing, "_with_overflow", Routing._group)
members_rung_twice = misread_group(lambda group: replace(group, members=group.members * 2))
last_member_forgotten = misread_group(lambda group: replace(group, members=group.members[:-1]))
all_at_once = misread_group(lambda group: replace(group, strategy=HuntStrategy.SIMULTANEOUS))
one_after_another = misread_group(lambda group: replace(group, strategy=HuntStrategy.ORDER))
nested_skipped = instead(
    Routing,
    "_made_member",
    lambda made: (
        lambda self, way, group, member: (
            made(self, way, group, member) if member.group is None else Refusal(Outcome.UNREACHABLE, 480)
        )
    ),
)


def nested_overflows(patch: pytest.MonkeyPatch) -> None:
    """A group within a group has its overflow."""
    made = Routing._made_member

    def member_made(self: Routing, way: Any, group: HuntGroup, member: Member) -> Any:
        if member.group is None:
            return made(self, way, group, member)
        return Limited(self._with_overflow(way, way.exchange.groups[member.group]), member.ring_time)

    patch.setattr(Routing, "_made_member", member_made)


def short_number_misread(short: str, number: str) -> Break:
    """A short number leads elsewhere."""
    return instead(
        Routing,
        "_number",
        lambda to: lambda self, way, dialled: to(self, way, number if dialled == short else dialled),
    )


def registered_under(extension: str, line: str) -> Break:
    """Calls of a line go to the phone of an extension as well."""
    bindings = Phones.bindings

    def found(self: Phones, called: str) -> Any:
        also = bindings(self, line_of(extension)) if called == line else ()
        return (*bindings(self, called), *also)

    return put(Phones, "bindings", found)


# In which order


def ordered(change: Callable[[list[Member]], list[Member]]) -> Break:
    """The members of a group are put in another order than theirs."""
    return instead(Routing, "_ordered", lambda order: lambda *asked: change(order(*asked)))


def _shuffled_once(self: Routing, exchange: Any, group: HuntGroup) -> list[Member]:
    return seeded(3).sample(group.members, len(group.members))


shuffled_once = put(Routing, "_ordered", _shuffled_once)
not_shuffled = put(Routing, "_ordered", lambda self, exchange, group: list(group.members))
use_unknown = put(Routing, "_last_use", lambda *_: (0.0, 0.0))
most_used_first = instead(
    Routing, "_last_use", lambda use: lambda *asked: tuple(-each for each in use(*asked))
)
use_not_noted = put(Engaged, "_note", never)


def first_registered_first(patch: pytest.MonkeyPatch) -> None:
    """Who registered before the others counts as the least used."""
    registered: dict[str, float] = {}
    apply = Location.apply

    def noted(self: Location, changes: Iterable[Any]) -> None:
        changes = tuple(changes)
        for each in changes:
            registered.setdefault(each.aor, float(len(registered)))
        apply(self, changes)

    def last_use(self: Routing, exchange: Any, group: HuntGroup, member: Member) -> tuple[float, float]:
        return registered[exchange.extensions[member.extension].line], 0.0

    patch.setattr(Location, "apply", noted)
    patch.setattr(Routing, "_last_use", last_use)


def ringing_counts_as_use(patch: pytest.MonkeyPatch) -> None:
    """Who was only rung counts as used, too."""
    hear = Engaged.hear

    def heard(self: Engaged, event: Event) -> None:
        hear(self, event)
        if isinstance(event, LegBegan):
            self._note(event.target, event.at)

    patch.setattr(Engaged, "hear", heard)
