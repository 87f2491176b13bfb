"""Which runs of test calls are due by themselves: each night, and some time after a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, COMPANIES, newest, scopes_since
from db.queries import proof_runs as queries
from db.queries.proof_runs import Said
from db.schema import ProofRunRow
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.nights import NightWindow
from provisioner.operations.installation import Installation
from provisioner.operations.proof_runs import KEPT, Cause
from provisioner.operations.proof_schedules import Schedule, common_schedule, schedule_of
from provisioner.settings import TestCallsSection

CALM = timedelta(minutes=1)
"A change is tested when nothing has been changed for so long."
LONGEST_WAIT = timedelta(minutes=10)
"Or so long after it, however much is changed."
_AFTER_CHANGE = timedelta(hours=2)
"What is not through then is ended."
_MOST_CUSTOMERS = 20
"Where more are changed at once, one run is made over the whole installation."


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is to be there."""

    slot: str
    "One run is made for it."
    customer_id: int | None
    cause: Cause
    speed: int
    until: datetime


def nights(settings: TestCallsSection, said: Iterable[Said], now: datetime) -> list[Due]:
    """The runs of the night that it is: one over the installation, and one for each customer of its own."""
    common = common_schedule(settings)
    due = _night(common, None, settings.speed, now) if common.nightly else []
    for each in said:
        if has_own_night(settings, each):
            due += _night(schedule_of(each, common), each.customer_id, settings.speed, now)
    return due


def has_own_night(settings: TestCallsSection, said: Said) -> bool:
    """Whether a customer's numbers are tested at night, and not with those of all others."""
    own = schedule_of(said, common_schedule(settings))
    return own.nightly and (said.row.window is not None or not settings.nightly)


def spared(settings: TestCallsSection, said: Iterable[Said], cause: Cause) -> frozenset[int]:
    """The customers whose numbers a run over the whole installation leaves out."""
    match cause:
        case Cause.ASKED:
            return frozenset()
        case Cause.CHANGE:
            return frozenset(each.customer_id for each in said if not tests_changes(settings, each))
        case Cause.NIGHTLY | Cause.WEEKLY:
            return frozenset(
                each.customer_id
                for each in said
                if each.row.nightly is False or has_own_night(settings, each)
            )


def tests_changes(settings: TestCallsSection, said: Said | None) -> bool:
    """Whether a customer's changes are tested; None: it has nothing otherwise than all."""
    common = common_schedule(settings)
    return (common if said is None else schedule_of(said, common)).after_changes


def _night(schedule: Schedule, customer_id: int | None, speed: int, now: datetime) -> list[Due]:
    night = NightWindow.parse(schedule.window).night(now, schedule.time_zone)
    if night is None:
        return []
    is_whole = night.day_name == schedule.full_length_day
    return [
        Due(
            slot=f"night {night.day} {customer_id or 'all'}",
            customer_id=customer_id,
            cause=Cause.WEEKLY if is_whole else Cause.NIGHTLY,
            speed=1 if is_whole else speed,
            until=night.ends,
        )
    ]


async def make_due(installation: Installation, now: datetime) -> bool:
    """Makes the runs that are due and not there yet, in whichever process. Returns whether there were any.

    Raises `StorageError`.
    """
    settings = installation.settings.test_calls
    async with installation.database.read() as session:
        said = await queries.schedules(session)
        due = [each for each in nights(settings, said, now) if not await queries.of_slot(session, each.slot)]
        change = await newest(session)
        seen = await queries.changes_seen(session)
        touched = () if seen is None or seen >= change else await scopes_since(session, seen)
    if not due and seen is not None and seen >= change:
        return False
    async with installation.database.change() as session:
        # Another process may have been here meanwhile.
        for each in due:
            if not await queries.of_slot(session, each.slot):
                session.add(_row(each, now, now))
        if await queries.changes_seen(session) == seen:
            await queries.see_changes(session, change)
            otherwise = {each.customer_id: each for each in said}
            for customer_id in _customers(touched):
                if customer_id is None or tests_changes(settings, otherwise.get(customer_id)):
                    await _make_after_change(session, customer_id, settings, now)
        await queries.forget(session, KEPT)
    return True


def _customers(scopes: Collection[str]) -> frozenset[int | None]:
    """Whose configuration is another now; None: everybody's may be."""
    found = {int(each.split(":")[1]) for each in scopes if each.startswith(COMPANIES)}
    if ALL in scopes or len(found) > _MOST_CUSTOMERS:
        return frozenset({None})
    return frozenset(found)


async def _make_after_change(
    session: AsyncSession, customer_id: int | None, settings: TestCallsSection, now: datetime
) -> None:
    """A run that waits until all is calm; one that waits already does so for longer."""
    slot = f"change {customer_id or 'all'}"
    row = await queries.of_slot(session, slot)
    if row is not None:
        row.due_at = min(now + CALM, row.made_at + LONGEST_WAIT)
        return
    due = Due(slot, customer_id, Cause.CHANGE, settings.speed, now + LONGEST_WAIT + _AFTER_CHANGE)
    session.add(_row(due, now, now + CALM))


def _row(due: Due, now: datetime, due_at: datetime) -> ProofRunRow:
    return ProofRunRow(
        customer_id=due.customer_id,
        cause=due.cause,
        actor=SYSTEM.name,
        slot=due.slot,
        speed=due.speed,
        made_at=now,
        due_at=due_at,
        until=due.until,
    )
