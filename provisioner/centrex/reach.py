"""What of a customer's settings has a say in a call: as much of its switchboard as the call may come to."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.centrex.codes import Hide, code_in
from provisioner.centrex.customer import Extension, Forwarding, Forwardings, HuntGroup, Line
from provisioner.centrex.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Reach:
    """What a number led to when it was dialled."""

    number: str
    "Without the code before it that hides or shows who calls."
    exchange: Exchange
    "The part of the switchboard that has a say, also what is turned off in it. Never its codes."


def reach_of(exchange: Exchange, dialled: str) -> Reach | None:
    """That of a dialled number; None: it is a code, which rings nobody."""
    match code_in(exchange.codes, dialled):
        case None:
            number = dialled
        case Hide(number, _):
            pass
        case _:
            return None
    lines: dict[str, Line] = {}
    extensions: dict[str, Extension] = {}
    groups: dict[str, HuntGroup] = {}
    short_numbers: dict[str, str] = {}
    waiting, seen = [number], set[str]()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        line = exchange.forms.whole(each)
        if (extension := exchange.extensions.get(each)) is not None:
            extensions[each] = extension
            line = extension.line or ""
        elif (group := exchange.groups.get(each)) is not None:
            groups[each] = group
            waiting += [member.extension or member.group or "" for member in group.members]
            waiting += [group.overflow] if group.overflow is not None else []
            continue
        elif (target := exchange.short_numbers.get(each, each)) != each:
            short_numbers[each] = target
            waiting.append(target)
            continue
        if (found := exchange.lines.get(line)) is not None:
            lines[line] = found
            own = exchange.extension_of_line(line)
            if own is not None:
                extensions.setdefault(own.number, own)
            waiting += [case.to for case in cases(found.forwarding).values()]
    known = {line: exchange.calls_at_once[line] for line in lines if line in exchange.calls_at_once}
    part = Exchange(
        exchange.customer_id,
        exchange.login,
        lines,
        extensions,
        groups,
        short_numbers,
        calls_at_once=known,
        forms=exchange.forms,
    )
    return Reach(number, part)


def cases(said: Forwardings) -> dict[str, Forwarding]:
    """The forwardings that are set, turned on or off, by their case."""
    found = {
        "always": said.always,
        "busy": said.busy,
        "no_answer": said.no_answer,
        "unreachable": said.unreachable,
    }
    return {case: forwarding for case, forwarding in found.items() if forwarding is not None}
