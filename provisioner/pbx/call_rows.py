"""Calls as rows, and what happens to them as events; how they are written."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TypeAlias

from db.queries.call_records import EventRow, LegRow, LineOfCall, RecordRow
from provisioner.operations.printable import printable
from provisioner.pbx.call_log import Call, Leg, News
from sip.call.story import CallAnswered, CallBegan, CallEnded, LegEnded, LegRang

Details: TypeAlias = dict[str, str | int | float | None]


def record_row(call: Call, line: LineOfCall) -> RecordRow:
    """The row of a call that `line` makes."""
    began, ended = call.began, call.ended
    return RecordRow(
        began.call.hex,
        line.customer_id,
        # A gateway is outside.
        "outgoing" if any(leg.target.uri is not None for leg in tuple(call.legs.values())) else "internal",
        printable(began.sip_call_id),
        line.extension or began.aor,
        line.name,
        printable(began.dialled),
        line.line_id,
        None if call.is_test else began.aor,
        call.began_at,
        moment_of(call, call.answered_at),
        None if ended is None else call.moment(ended.at),
        None if ended is None else str(ended.by),
        None if ended is None else ended.status,
        call.plan_of(line.customer_id),
    )


def leg_row(call: Call, leg: Leg) -> LegRow:
    """The row of a leg, but for the number of its call's row."""
    groups = [each.group for each in leg.target.memberships]
    return LegRow(
        0,
        leg.position,
        leg.target.aor,
        _extension(leg),
        _name(leg),
        groups[-1] if groups else None,
        " ".join(groups) or None,
        leg.line.customer_id if leg.line is not None else None,
        leg.phones,
        call.moment(leg.began_at),
        moment_of(call, leg.rang_at),
        moment_of(call, leg.answered_at),
        moment_of(call, leg.ended_at),
        leg.reason,
        leg.status,
    )


def event_row(call: Call, line: LineOfCall, news: News) -> EventRow:
    """Something that happened, but for the number of its call's row."""
    kind, more = told(call, news)
    details: Details = {
        "call": str(call.began.call),
        "from": line.extension or call.began.aor,
        "from_line": None if call.is_test else call.began.aor,
        "to": printable(call.began.dialled),
    }
    if news.leg is not None:
        leg = news.leg
        details |= of_leg(leg)
        if leg.line is not None and leg.line.customer_id != line.customer_id:
            # Of another company nobody sees more than the number that was dialled.
            details |= dict.fromkeys(("extension", "name", "group"))
            details["line"] = leg.target.aor if leg.target.aor == call.number else None
    return EventRow(
        0,
        news.serial,
        line.customer_id,
        call.moment(news.event.at),
        kind,
        json.dumps(details | more, ensure_ascii=False),
    )


def of_leg(leg: Leg) -> Details:
    """Whom an event is about, as his own company calls him."""
    group = leg.target.memberships[-1].group if leg.target.memberships else None
    return {"line": leg.target.aor, "extension": _extension(leg), "name": _name(leg), "group": group}


def told(call: Call, news: News) -> tuple[str, Details]:
    """Which kind of event it is, and what else it says."""
    leg = news.leg
    match news.event:
        case CallBegan() as event:
            return "began", {"from_name": call.line.name if call.line is not None else None}
        case LegRang():
            return "ringing", {}
        case CallAnswered(at=at):
            return "answered", {"waited_s": round(at - call.began.at, 1)}
        case LegEnded(at=at) if leg is not None and leg.rang_at is not None:
            rang_s = round(at - leg.rang_at, 1)
            return "stopped", {"reason": leg.reason, "status": leg.status, "rang_s": rang_s}
        case CallEnded(at=at) as event:
            talked_s = None if call.answered_at is None else round(at - call.answered_at, 1)
            return "ended", {"reason": str(event.by), "status": event.status, "talked_s": talked_s}
    return "skipped", {"reason": leg.reason, "status": leg.status} if leg is not None else {}


def _extension(leg: Leg) -> str | None:
    if leg.target.number:
        return leg.target.number
    return leg.line.extension if leg.line is not None else None


def _name(leg: Leg) -> str | None:
    return leg.line.name if leg.line is not None else None


def moment_of(call: Call, at: float | None) -> datetime | None:
    """The moment of a loop time of a call; None: it has not come."""
    return None if at is None else call.moment(at)
