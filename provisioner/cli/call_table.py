"""Calls as tables, and the story of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from rich.table import Table
from rich.text import Text

from provisioner.cli.common import moment
from provisioner.operations.calls import Call, Leg, LegEnd
from sip.call.story import EndedBy

ENDS: Mapping[str, str] = {
    EndedBy.CALLER: "caller hung up",
    EndedBy.CALLEE: "callee hung up",
    EndedBy.NOBODY: "nobody answered",
    EndedBy.OPERATOR: "ended from outside",
    EndedBy.VANISHED: "a phone vanished",
    EndedBy.FAILED: "failed",
    EndedBy.SERVICE: "a code",
    EndedBy.TRANSFERRED: "transferred",
    EndedBy.STOPPED: "server stopped",
    EndedBy.RESTARTED: "server restarted",
}
LEG_ENDS: Mapping[str, str] = {
    LegEnd.ANSWERED: "answered",
    LegEnd.BUSY: "was busy",
    LegEnd.FULL: "had as many calls as its line may have",
    LegEnd.SITE_FULL: "its site had as many calls as it may have",
    LegEnd.DECLINED: "was turned down",
    LegEnd.NO_ANSWER: "did not answer",
    LegEnd.UNREACHABLE: "could not be reached",
    LegEnd.REFUSED: "refused",
    LegEnd.MOVED: "sent the call elsewhere",
    LegEnd.ELSEWHERE: "somebody else answered",
    LegEnd.GIVEN_UP: "the caller hung up before",
}


def table(calls: Iterable[Call]) -> Table:
    """The calls for people."""
    shown = Table("began (UTC)", "from", "to", "answered by", "rang", "talked", "is", "id")
    for call in calls:
        style = "green" if call.is_live else "" if call.answered_at else "dim"
        shown.add_row(
            f"{call.started_at:%m-%d %H:%M:%S}",
            Text(" ".join(filter(None, (call.from_number, call.from_name)))),
            Text(call.to_number),
            Text(_answered_by(call)),
            length(call.started_at, call.answered_at or call.ended_at),
            length(call.answered_at, call.ended_at),
            Text(state(call), style=style),
            call.id,
        )
    return shown


def story(call: Call) -> Iterator[str]:
    """What happened, line by line."""
    caller = " ".join(filter(None, (call.from_number, call.from_name)))
    yield f"{moment(call.started_at)}: {caller} calls {call.to_number}"
    for leg in call.legs:
        yield f"  {_offset(call.started_at, leg.began_at)} {_who(leg)}: {_became(leg)}"
    if call.answered_at is not None:
        talked = length(call.answered_at, call.ended_at)
        yield f"answered after {length(call.started_at, call.answered_at)}" + (
            f", talked {talked}" if talked else ""
        )
    status = f" ({call.status})" if call.status is not None and call.answered_at is None else ""
    yield f"{state(call)}{status}"


def state(call: Call) -> str:
    """What it is now, or how it ended."""
    if call.is_live:
        return "talking" if call.answered_at else "ringing"
    return ENDS.get(call.end or "", call.end or "")


def length(start: datetime | None, end: datetime | None) -> str:
    """Minutes and seconds between; empty where one is not known."""
    if start is None or end is None:
        return ""
    seconds = max(0, round((end - start).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}"


def _answered_by(call: Call) -> str:
    for leg in call.legs:
        if leg.answered_at is not None:
            return " ".join(filter(None, (leg.extension or leg.line, leg.name)))
    return ""


def _who(leg: Leg) -> str:
    who = " ".join(filter(None, (leg.extension or leg.line, leg.name)))
    return f"{who} (group {' > '.join(leg.groups)})" if leg.groups else who


def _became(leg: Leg) -> str:
    rang = f"rang {length(leg.rang_at, leg.answered_at or leg.ended_at)}" if leg.rang_at else ""
    if leg.reason is None:
        return "rings" if leg.rang_at else "is tried"
    why = LEG_ENDS.get(leg.reason, ENDS.get(leg.reason, leg.reason))
    if leg.reason == LegEnd.UNREACHABLE and not leg.phones:
        why = "was not registered"
    status = f" ({leg.status})" if leg.status is not None else ""
    return ", ".join(filter(None, (rang, f"{why}{status}")))


def _offset(start: datetime, at: datetime | None) -> str:
    return f"+{length(start, at)}"
