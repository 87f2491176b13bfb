"""The feature codes that may be dialled before a test call, and what each should make of the configuration.

Read off what codes are said to do, and apart from what does them: a judge must not ask the one who is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from provisioner.centrex.customer import Forwarding, Forwardings, HuntGroup, Line
from provisioner.centrex.exchange import Exchange
from sip.testcall.plan import Does
from sip.testcall.scenario import Behaviour, Dial, Kind, Then

_CASES = (
    ("always", Kind.FORWARD_DIALLED, Kind.FORWARD_TAKEN_BACK, None),
    ("busy", Kind.BUSY_DIALLED, Kind.BUSY_TAKEN_BACK, Behaviour(Then.REFUSE, 0.3, 486)),
    ("no_answer", Kind.NO_ANSWER_DIALLED, Kind.NO_ANSWER_TAKEN_BACK, Behaviour(Then.SILENT)),
    ("unreachable", Kind.UNREACHABLE_DIALLED, Kind.UNREACHABLE_TAKEN_BACK, Behaviour(Then.UNREGISTERED)),
)
"What of a line is forwarded, and how its phone takes a call so that this shows; None: as always."


@dataclass(frozen=True, slots=True)
class Changed:
    """What a phone dials, and what comes of it."""

    kind: Kind
    codes: tuple[Dial, ...]
    heeded: Exchange
    "What all of them make of the switchboard."
    unheeded: Exchange
    "What it is if the last one does nothing."
    takes: Behaviour | None = None
    "How the phone that has dialled takes the call; None: as if it hadn't."
    rings_s: float = 0.0
    "How long a phone must ring at the least until it shows that nothing follows."


def changed_by_codes(exchange: Exchange, number: str, stranger: str | None) -> Iterator[Changed]:
    """For one number of a company; `stranger` is an extension to which calls may be forwarded."""
    extension, group = exchange.extensions.get(number), exchange.groups.get(number)
    if extension is not None and (line := exchange.lines.get(extension.line or "")) is not None:
        yield from _disturbed(exchange, line)
        if stranger is not None:
            yield from _forwarded(exchange, line, stranger)
    elif group is not None:
        yield from _logged_out(exchange, group)


def _disturbed(exchange: Exchange, line: Line) -> Iterator[Changed]:
    on = Dial(line.number, exchange.codes.dnd_on, Does.DND_ON)
    off = Dial(line.number, exchange.codes.dnd_off, Does.DND_OFF)
    with_dnd, without = (_with(exchange, replace(line, dnd=dnd)) for dnd in (True, False))
    yield Changed(Kind.DND_DIALLED, (on,), with_dnd, exchange)
    yield Changed(Kind.DND_TAKEN_BACK, (on, off), without, with_dnd)


def _forwarded(exchange: Exchange, line: Line, stranger: str) -> Iterator[Changed]:
    for name, dialled, taken_back, takes in _CASES:
        there: Forwarding | None = getattr(line.forwarding, name)
        said = replace(there or Forwarding(stranger), to=stranger, enabled=True)
        with_it = _forwarding(exchange, line, name, said)
        without = _forwarding(exchange, line, name, replace(said, enabled=False))
        case = f"forward-{name.replace('_', '-')}"
        by_code = f"{getattr(exchange.codes, f'forward_{name}_on')}{stranger}#"
        on = Dial(line.number, by_code, Does(f"{case}-on"))
        off = Dial(line.number, getattr(exchange.codes, f"forward_{name}_off"), Does(f"{case}-off"))
        yield Changed(dialled, (on,), with_it, exchange, takes)
        rings_s = float(said.after) if name == "no_answer" else 0.0
        yield Changed(taken_back, (on, off), without, with_it, takes, rings_s)


def _logged_out(exchange: Exchange, group: HuntGroup) -> Iterator[Changed]:
    """The first of its members who is a line himself, and is logged in."""
    lines = {number: extension.line for number, extension in exchange.extensions.items()}
    found = (lines.get(each.extension or "") for each in group.members if each.logged_in)
    line = next((each for each in found if each in exchange.lines), None)
    if line is None:
        return

    def logged(*, logged_in: bool) -> Exchange:
        members = tuple(
            replace(each, logged_in=logged_in) if lines.get(each.extension or "") == line else each
            for each in group.members
        )
        return replace(exchange, groups={**exchange.groups, group.number: replace(group, members=members)})

    out = Dial(line, exchange.codes.group_logout + group.number, Does.GROUP_LOGOUT)
    back = Dial(line, exchange.codes.group_login + group.number, Does.GROUP_LOGIN)
    without, with_it = logged(logged_in=False), logged(logged_in=True)
    yield Changed(Kind.LOGGED_OUT, (out,), without, exchange)
    yield Changed(Kind.LOGGED_IN, (out, back), with_it, without)


def _forwarding(exchange: Exchange, line: Line, name: str, said: Forwarding) -> Exchange:
    forwarding: Forwardings = replace(line.forwarding, **{name: said})
    return _with(exchange, replace(line, forwarding=forwarding))


def _with(exchange: Exchange, line: Line) -> Exchange:
    return replace(exchange, lines={**exchange.lines, line.number: line})
