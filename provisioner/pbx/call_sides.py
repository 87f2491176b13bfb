"""A call as a customer sees it whom another one's line has called: what its own lines had of it, no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from uuid import uuid5

from db.queries.call_records import EventRow, RecordRow
from provisioner.operations.printable import printable
from provisioner.pbx.call_log import Call, Leg, News, Side
from provisioner.pbx.call_rows import Details, moment_of, of_leg, told
from sip.call.ringing import Why
from sip.call.story import EndedBy, LegEnded

_NOBODY = "anonymous"
"Who calls without saying who it is, as phones have it."


def note_sides(call: Call, legs: Iterable[Leg]) -> None:
    """Gives everybody his side of a call whose lines these legs are, but the caller's own customer."""
    for leg in legs:
        if call.line is None or leg.line is None or leg.line.customer_id == call.line.customer_id:
            continue
        owner = leg.line.customer_id
        # The same in each attempt to write it.
        side = call.sides.setdefault(owner, Side(owner, uuid5(call.began.call, str(owner))))
        side.legs[leg] = None


def side_row(call: Call, side: Side) -> RecordRow:
    """Its record."""
    first = next(iter(side.legs))
    ended_at = _ended_at(side)
    reason, status = _end(call, side)
    return RecordRow(
        side.uuid.hex,
        side.customer_id,
        "incoming",
        None,
        printable(first.target.caller.number) or _NOBODY,
        printable(first.target.caller.name) or None,
        _called(call, first),
        None,
        None,
        call.moment(first.began_at),
        None if side.answered_by is None else moment_of(call, side.answered_by.answered_at),
        moment_of(call, ended_at),
        None if ended_at is None else reason,
        None if ended_at is None else status,
        call.plan_of(side.customer_id),
    )


def side_events(call: Call, side: Side, news: Iterable[News]) -> Iterator[EventRow]:
    """What of that happened to its lines, but for the number of its record's row."""
    first = next(iter(side.legs))
    if side.row_id is None:
        yield _event(call, side, 0, first.began_at, "began", {**of_leg(first), "from_name": None})
    mine = [each for each in news if each.leg in side.legs]
    for each in mine:
        kind, more = told(call, each)
        leg = each.leg or first
        yield _event(call, side, 2 * each.serial, each.event.at, kind, {**of_leg(leg), **more})
    if side.answered_by is None and _ended_at(side) is not None:
        ends = [each for each in mine if isinstance(each.event, LegEnded)]
        for each in ends[-1:]:
            reason, status = _end(call, side)
            more = {"reason": reason, "status": status, "talked_s": None}
            yield _event(call, side, 2 * each.serial + 1, each.event.at, "ended", {**of_leg(first), **more})


def _event(call: Call, side: Side, serial: int, at: float, kind: str, more: Details) -> EventRow:
    first = next(iter(side.legs))
    details: Details = {
        "call": str(side.uuid),
        "direction": "incoming",
        "from": printable(first.target.caller.number) or _NOBODY,
        "from_line": None,
        "to": _called(call, first),
    }
    said = json.dumps(details | more, ensure_ascii=False)
    return EventRow(0, serial, side.customer_id, call.moment(at), kind, said)


def _called(call: Call, leg: Leg) -> str:
    """What was dialled, where that is its line: how the caller came to it otherwise is his own business."""
    return printable(call.began.dialled) if leg.target.aor == call.number else leg.target.aor


def _ended_at(side: Side) -> float | None:
    """When the last of its lines was out of it; whether the call goes on elsewhere is not its business."""
    moments = [leg.ended_at for leg in side.legs]
    known = [each for each in moments if each is not None]
    return max(known) if len(known) == len(moments) else None


def _end(call: Call, side: Side) -> tuple[str, int | None]:
    """Why it is over, and the status."""
    last = list(side.legs)[-1]
    if side.answered_by is not None and call.ended is not None:
        return str(call.ended.by), call.ended.status
    gave_up = last.reason in (Why.GIVEN_UP, EndedBy.CALLER)
    return str(EndedBy.CALLER if gave_up else EndedBy.NOBODY), last.status
