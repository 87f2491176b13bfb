"""What became of registrations over time: spans of a state for each line on each phone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import registered as queries
from db.queries.chosen_lines import line_ids
from provisioner.centrex.mac import MacAddress
from provisioner.operations.registered import Registration, State


class Was(StrEnum):
    """How a line on a phone stood for a while."""

    REACHABLE = "reachable"
    REGISTERED = "registered"
    UNREACHABLE = "unreachable"
    GONE = "gone"
    "Not registered."
    UNKNOWN = "unknown"
    "Nothing is remembered of it."


_BECOMES = {
    "registered": Was.REGISTERED,
    "moved": Was.REGISTERED,
    "reachable": Was.REACHABLE,
    "unreachable": Was.UNREACHABLE,
    "unregistered": Was.GONE,
    "expired": Was.GONE,
    "displaced": Was.GONE,
    "revoked": Was.GONE,
}
"What an event makes of it; others leave it as it was."
_IS = {
    State.REACHABLE: Was.REACHABLE,
    State.REGISTERED: Was.REGISTERED,
    State.UNREACHABLE: Was.UNREACHABLE,
    State.NEVER: Was.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Span:
    """One state, from when to when."""

    start: datetime
    end: datetime
    was: Was


async def histories(
    session: AsyncSession, shown: Sequence[Registration], since: datetime, now: datetime
) -> list[tuple[Span, ...]]:
    """What became of each of these since a moment, in their order: spans that meet, up to `now`."""
    lines = await line_ids(session, sorted({each.line for each in shown}))
    ids = sorted(lines.values())
    earlier = await queries.last_of_each(session, ids, before=since)
    later = await queries.happened_since(session, ids, since)
    phones = await queries.phones(
        session, sorted({each.device_id for each in (*earlier, *later) if each.device_id is not None})
    )
    macs = {device_id: str(MacAddress(phone.mac)) for device_id, phone in phones.items()}
    events: dict[tuple[int, str | None], list[queries.Happened]] = defaultdict(list)
    for each in (*earlier, *later):
        events[each.line_id, macs.get(each.device_id or 0)].append(each)
    return [
        spans_of(each, events[lines[each.line], each.device.mac if each.device else None], since, now)
        for each in shown
    ]


def spans_of(
    shown: Registration, events: Iterable[queries.Happened], since: datetime, now: datetime
) -> tuple[Span, ...]:
    """The same of one. What is true now is what it shows, whatever the events say."""
    marks: list[tuple[datetime, Was]] = [(since, Was.UNKNOWN)]
    for event in events:
        became = _BECOMES.get(event.kind)
        if became is None:
            continue
        # Whoever was known to be reachable still is when it comes from elsewhere.
        if event.kind == "moved" and marks[-1][1] is Was.REACHABLE:
            became = Was.REACHABLE
        # Each after the one before, whatever the clock said.
        marks.append((min(now, max(marks[-1][0], event.at)), became))
    is_now = _IS.get(shown.state, Was.GONE)
    if is_now is not marks[-1][1]:
        marks.append((_known_from(shown, marks[-1], since, now), is_now))
    return tuple(_joined(marks, now))


def _known_from(
    shown: Registration, last: tuple[datetime, Was], since: datetime, now: datetime
) -> datetime:
    """From when on the present state is sure where no event says so."""
    known = shown.since if shown.is_live and last[1] in (Was.UNKNOWN, Was.GONE) else shown.ended_at
    if known is None and shown.state is State.NEVER:
        known = last[0]
    return min(now, max(since, last[0], known if known is not None else now))


def _joined(marks: Iterable[tuple[datetime, Was]], now: datetime) -> Iterable[Span]:
    """Marks as spans: of several at one moment the last one holds, equal ones that meet are one."""
    (start, was), *rest = dict(marks).items()
    for at, became in rest:
        if became is not was and at < now:
            yield Span(start, at, was)
            start, was = at, became
    yield Span(start, now, was)
