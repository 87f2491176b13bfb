"""Who is tested when by itself: what `[test_calls]` says for all, and what some customers have otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from db.changes import touch
from db.queries import proof_runs as queries
from db.schema import ProofScheduleRow
from provisioner.centrex.actor import Actor
from provisioner.centrex.customer import ProofSchedule
from provisioner.centrex.scalars import window as checked_window
from provisioner.operations import audit
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.visible import customer_seen
from provisioner.settings import TestCallsSection
from provisioner.store.schedules import proof_schedule_of, proof_schedule_row

MOST_SCHEDULES = 500
"Of a page."


@dataclass(frozen=True, slots=True)
class Schedule:
    """When numbers are tested."""

    customer: str | None
    "Whose; None: of all that have nothing otherwise."
    nightly: bool
    window: str
    "From when to when at night."
    time_zone: str
    "Of the window."
    full_length_day: str
    "The night that begins then has ring times of their full length; or `never`."
    after_changes: bool
    own: ProofSchedule = field(default_factory=ProofSchedule)
    "What of it is the customer's own."


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """What holds for all, and some of what customers have otherwise, by login."""

    common: Schedule
    schedules: tuple[Schedule, ...]
    next: str | None
    "The login behind which the next page begins; None: this was the last."


async def list_schedules(installation: Installation) -> list[Schedule]:
    """That of all first, then those that some customers have."""
    common = common_schedule(installation.settings.test_calls)
    async with installation.database.read() as session:
        said = await queries.schedules(session)
    return [common, *(schedule_of(each, common) for each in said)]


async def page_of_schedules(
    installation: Installation, viewer_id: int | None, after: str, most: int
) -> SchedulePage:
    """The same in pages. `viewer_id`: the customer whose program asks, which sees its own; None: staff."""
    common = common_schedule(installation.settings.test_calls)
    async with installation.database.read() as session:
        said = await queries.some_schedules(session, viewer_id, after, most + 1)
    found = tuple(schedule_of(each, common) for each in said[:most])
    return SchedulePage(common, found, said[most - 1].login if len(said) > most else None)


async def show_schedule(
    installation: Installation, customer: str, viewer_id: int | None = None
) -> Schedule:
    """That of a customer, whether it has anything otherwise or not. Raises `NotFound`."""
    async with installation.database.read() as session:
        customer_id = await customer_seen(session, customer, viewer_id)
        said = await queries.some_schedules(session, customer_id, "", 1)
    common = common_schedule(installation.settings.test_calls)
    return schedule_of(said[0], common) if said else replace(common, customer=customer)


def common_schedule(settings: TestCallsSection) -> Schedule:
    """That of all who have nothing otherwise."""
    return Schedule(
        None,
        settings.nightly,
        settings.window,
        settings.time_zone,
        settings.full_length_day,
        settings.after_changes,
    )


def schedule_of(said: queries.Said, common: Schedule) -> Schedule:
    """That of a customer: what it has not otherwise is as with all."""
    own = proof_schedule_of(said.row)
    return Schedule(
        customer=said.login,
        nightly=common.nightly if own.nightly is None else own.nightly,
        window=own.window or common.window,
        time_zone=common.time_zone if own.window is None else said.time_zone,
        full_length_day=common.full_length_day,
        after_changes=common.after_changes if own.after_changes is None else own.after_changes,
        own=own,
    )


async def set_schedule(
    installation: Installation,
    customer: str,
    actor: Actor,
    said: ProofSchedule,
    viewer_id: int | None = None,
    *,
    reset: bool = False,
) -> None:
    """A customer has this otherwise than all; what is None stays, or with `reset` is as with all again.

    Raises `NotFound`, `BadValue`.
    """
    if said.window is not None:
        checked_window(said.window, "window")
    given = {name: value for name, value in asdict(said).items() if value is not None}
    async with installation.database.change() as session:
        customer_id = await customer_seen(session, customer, viewer_id)
        row = await session.get(ProofScheduleRow, customer_id)
        before = proof_schedule_of(row)
        after = said if reset else replace(before, **given)
        if after == before:
            return
        # A company file that is being applied may say it, too.
        touch(session, f"customer:{customer_id}")
        kept = proof_schedule_row(row, after)
        if kept is None:
            await session.delete(row)
        else:
            kept.customer_id = customer_id
            session.add(kept)
        told = ", ".join(f"{name} {value}" for name, value in given.items())
        summary = "; ".join(filter(None, ("as with all" if reset else "", told)))
        await audit.record(
            session, actor, utc_now(), "test-calls.schedule", customer, summary, customer_id=customer_id
        )
