"""What feature codes change: pure, for whoever keeps it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from provisioner.centrex.codes import Case, Disturb, Forward, LogIn
from provisioner.centrex.customer import Forwarding, Line, Member
from provisioner.centrex.errors import BadValue
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.numbering import leads_nowhere


def forwarded(line: Line, case: Case, to: str | None, *, enabled: bool) -> Line:
    """A line that forwards its calls, or doesn't. `to`: None leaves the number that was there.

    Raises `BadValue` where there is none.
    """
    there: Forwarding | None = getattr(line.forwarding, case)
    if there is None and to is None and not enabled:
        return line
    if there is None and to is None:
        raise BadValue("there is no number to forward to: dial it after the code")
    said = replace(there or Forwarding(to or ""), enabled=enabled)
    said = said if to is None else replace(said, to=to)
    return replace(line, forwarding=replace(line.forwarding, **{case.value: said}))


def done(
    exchange: Exchange, number: str, code: Forward | Disturb | LogIn, emergency_numbers: Collection[str]
) -> Exchange:
    """A switchboard after its line `number` has dialled a code. Raises `BadValue` where that can't be."""
    line = exchange.lines.get(number)
    if line is None:
        raise BadValue(f"there is no line {number}: correct the number, or list it with `apply` first")
    match code:
        case Forward(case, enabled, to):
            fault = None if to is None else leads_nowhere(to, exchange.codes, frozenset(emergency_numbers))
            if fault is not None:
                raise BadValue(f"calls can't be forwarded to {to}: {fault}")
            line = forwarded(line, case, to, enabled=enabled)
        case Disturb(dnd):
            line = replace(line, dnd=dnd)
        case LogIn(logged_in, group):
            return _logged_in(exchange, number, group, logged_in=logged_in)
    return replace(exchange, lines={**exchange.lines, number: line})


def _logged_in(exchange: Exchange, line: str, group: str | None, *, logged_in: bool) -> Exchange:
    own = {number for number, extension in exchange.extensions.items() if extension.line == line}

    def is_meant(of: str, member: Member) -> bool:
        return group in (None, of) and member.extension in own

    if not any(is_meant(of, each) for of, found in exchange.groups.items() for each in found.members):
        raise BadValue(f"line {line} is no member of the hunt group: add it there first")
    groups = {
        of: replace(
            found,
            members=tuple(
                replace(each, logged_in=logged_in) if is_meant(of, each) else each for each in found.members
            ),
        )
        for of, found in exchange.groups.items()
    }
    return replace(exchange, groups=groups)
