"""Who is tested when by itself: what `[test_calls]` says for all, and what some customers have otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from db.queries import proof_runs as queries
from db.schema import ProofScheduleRow
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import BadValue
from provisioner.centrex.nights import NightWindow
from provisioner.operations import audit
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.visible import customer_seen
from provisioner.settings import TestCallsSection


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


async def list_schedules(installation: Installation) -> list[Schedule]:
    """That of all first, then those that some customers have."""
    common = common_schedule(installation.settings.test_calls)
    async with installation.database.read() as session:
        said = await queries.schedules(session)
    return [common, *(schedule_of(each, common) for each in said)]


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
    row = said.row
    return Schedule(
        customer=said.login,
        nightly=common.nightly if row.nightly is None else row.nightly,
        window=row.window or common.window,
        time_zone=common.time_zone if row.window is None else said.time_zone,
        full_length_day=common.full_length_day,
        after_changes=common.after_changes if row.after_changes is None else row.after_changes,
    )


async def set_schedule(
    installation: Installation,
    customer: str,
    actor: Actor,
    nightly: bool | None = None,
    after_changes: bool | None = None,
    window: str | None = None,
    *,
    reset: bool = False,
) -> None:
    """A customer has this otherwise than all; what is None stays, or with `reset` is as with all again.

    Raises `NotFound`, `BadValue`.
    """
    if window is not None:
        try:
            NightWindow.parse(window)
        except ValueError as error:
            raise BadValue(str(error)) from None
    async with installation.database.change() as session:
        customer_id = await customer_seen(session, customer, None)
        row = await session.get(ProofScheduleRow, customer_id)
        if row is not None and reset:
            await session.delete(row)
            await session.flush()
            row = None
        said = {"nightly": nightly, "after_changes": after_changes, "window": window}
        given = {name: value for name, value in said.items() if value is not None}
        if row is None and given:
            row = ProofScheduleRow(customer_id=customer_id)
            session.add(row)
        for name, value in given.items():
            setattr(row, name, value)
        told = ", ".join(f"{name} {value}" for name, value in given.items())
        summary = "; ".join(filter(None, ("as with all" if reset else "", told)))
        await audit.record(
            session, actor, utc_now(), "test-calls.schedule", customer, summary, customer_id=customer_id
        )
