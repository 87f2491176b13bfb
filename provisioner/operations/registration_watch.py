"""Registrations as they change: all that are there, then each change, for whoever looks on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from provisioner.centrex.errors import NotFound
from provisioner.operations.event_tail import EventTail, Subscription
from provisioner.operations.events import LineKind
from provisioner.operations.events import Wanted as WantedEvents
from provisioner.operations.installation import Installation
from provisioner.operations.registered import Registration
from provisioner.operations.registrations import Wanted, list_registrations

_LOOK_S = 30.0
"What no event tells of is looked for after so long: refreshes, and what runs out by the clock."

_MOST_ALONE = 50
"Of more lines than that all are looked at: that is less work than to look at each."


class Turn(StrEnum):
    """What became of a registration on the list."""

    THERE = "there"
    "It is on the list now, and was not."
    CHANGED = "changed"
    REFRESHED = "refreshed"
    "It was heard again, and is as it was."
    GONE = "gone"
    "It is on the list no longer."


@dataclass(frozen=True, slots=True)
class Step:
    """One change."""

    turn: Turn
    key: str
    "Of the place on the list: a line, a phone, and which of several bindings of the two."
    registration: Registration
    "As it is now; of one that is gone without a trace, as it was."


async def watch(
    installation: Installation, tail: EventTail, wanted: Wanted
) -> AsyncGenerator[Sequence[Step], None]:
    """Steps, as soon as there are any; never ends by itself but with the tail.

    Raises `NotFound` for what is named and not there, and `StorageError`.
    """
    shown: dict[str, Registration] = {}
    async with tail.subscribed(WantedEvents(kinds=frozenset(LineKind))) as news:
        yield list(_steps(shown, await _all(installation, wanted), wanted))
        while news.has_ended is None:
            lines = await _touched(news, wanted)
            if lines is None or len(lines) > _MOST_ALONE:
                steps = list(_steps(shown, await _all(installation, wanted), wanted))
            else:
                steps = [
                    step
                    for line in sorted(lines)
                    for step in _steps(shown, await _of_line(installation, line), wanted, line)
                ]
            if steps:
                yield steps


async def _touched(news: Subscription, wanted: Wanted) -> set[str] | None:
    """The lines that are wanted and to which something has happened; None: it is time to look at all."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_S):
            while news.has_ended is None:
                events = [each for each in await news.next() if wanted.customer in (None, each.customer)]
                lines = {str(event.details["line"]) for event in events}
                if wanted.line is not None:
                    lines &= {wanted.line}
                if lines:
                    return lines
            return set()
    return None


async def _of_line(installation: Installation, line: str) -> Sequence[Registration]:
    try:
        return (await list_registrations(installation, Wanted(line=line))).rows
    except NotFound:
        # It was taken away.
        return ()


async def _all(installation: Installation, wanted: Wanted) -> list[Registration]:
    rows: list[Registration] = []
    after: str | None = ""
    while after is not None:
        page = await list_registrations(installation, wanted, after)
        rows += page.rows
        after = page.next
    return rows


def _steps(
    shown: dict[str, Registration],
    rows: Sequence[Registration],
    wanted: Wanted,
    line: str | None = None,
) -> Iterator[Step]:
    """What is new in `rows`, which are all of a line, or all that is wanted; `shown` follows."""
    found = dict(_keyed(rows))
    for key, row in found.items():
        old = shown.get(key)
        if not wanted.includes(row):
            continue
        shown[key] = row
        if old is None:
            yield Step(Turn.THERE, key, row)
        elif old != row:
            yield Step(Turn.REFRESHED if _as_it_was(old, row) else Turn.CHANGED, key, row)
    for key in [key for key, row in shown.items() if line in (None, row.line)]:
        now = found.get(key)
        if now is None or not wanted.includes(now):
            old = shown.pop(key)
            yield Step(Turn.GONE, key, now or old)


def _keyed(rows: Sequence[Registration]) -> Iterator[tuple[str, Registration]]:
    of_its_kind: Counter[str] = Counter()
    for row in rows:
        place = f"{row.line} {row.device.mac if row.device else '-'}"
        of_its_kind[place] += 1
        yield f"{place} {of_its_kind[place]}", row


def _as_it_was(old: Registration, new: Registration) -> bool:
    return old == replace(
        new,
        until=old.until,
        refreshed_at=old.refreshed_at,
        refreshes=old.refreshes,
        heard_at=old.heard_at,
        rtt_ms=old.rtt_ms,
    )
