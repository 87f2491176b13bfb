"""A page of calls: those that go on, above those that are over, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from db.queries import calls as queries
from provisioner.operations.calls import Call, Wanted, page
from provisioner.operations.installation import Installation, utc_now

COUNTED = timedelta(hours=24)
"Calls that began so lately are counted."


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are."""

    talking: int
    ringing: int
    answered: int
    "Of those that began lately and are over."
    unanswered: int


@dataclass(frozen=True, slots=True)
class CallBoard:
    """What is to be seen at one moment."""

    at: datetime
    calls: tuple[Call, ...]
    counts: Counts
    next: int | None
    "What the next page begins before."


async def call_board(installation: Installation, wanted: Wanted, before: int | None, most: int) -> CallBoard:
    """The first page has the calls that go on, too: so many of both at the most. Raises `StorageError`."""
    now, forms = utc_now(), installation.settings.numbering.forms
    live: tuple[Call, ...] = ()
    over: tuple[Call, ...] = ()
    following: int | None = None
    async with installation.database.read() as session:
        if before is None and wanted.is_live is not False:
            live = (await page(session, replace(wanted, is_live=True), None, most, forms)).calls
        if wanted.is_live is not True:
            found = await page(session, replace(wanted, is_live=False), before, most, forms)
            over, following = found.calls, found.next
        counts = await queries.counts(session, now - COUNTED)
    return CallBoard(
        now,
        live + over,
        Counts(counts.live - counts.ringing, counts.ringing, counts.answered, counts.unanswered),
        following,
    )
