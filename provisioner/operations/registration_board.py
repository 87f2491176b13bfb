"""A page of registrations with all that is drawn of it: rows, their last day, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.queries import registered as queries
from db.queries.chosen_lines import count_lines
from provisioner.operations.installation import Installation
from provisioner.operations.registered import Registration, sight
from provisioner.operations.registration_history import Span, histories
from provisioner.operations.registrations import Wanted, page

DRAWN = timedelta(hours=24)
"How far back the history of a row goes."


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are now."""

    registered: int
    "Lines with a binding, of everybody's."
    reachable: int
    "Bindings whose phone was heard lately."
    unreachable: int
    chosen: int
    "Lines that were looked for."


@dataclass(frozen=True, slots=True)
class Board:
    """What is to be seen at one moment."""

    at: datetime
    rows: tuple[tuple[Registration, tuple[Span, ...]], ...]
    counts: Counts
    next: str | None
    "The line behind which the next page begins."


async def board(installation: Installation, wanted: Wanted, after: str, most_lines: int) -> Board:
    """The page of so many lines behind the line `after`, as it is now. Raises `StorageError`."""
    look = sight(installation)
    async with installation.database.read() as session:
        found = await page(session, wanted, look, after, most_lines)
        spans = await histories(session, found.rows, look.now - DRAWN, look.now)
        counts = await queries.counts(session, look.now, look.lately)
        chosen = await count_lines(session, wanted.chosen(look), look.now)
    return Board(
        look.now,
        tuple(zip(found.rows, spans, strict=True)),
        Counts(counts.lines, counts.reachable, counts.unreachable, chosen),
        found.next,
    )
