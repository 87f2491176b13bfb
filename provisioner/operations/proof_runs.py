"""Runs of test calls over many numbers, for people and programs: asked for, looked at, ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from db.queries import proof_runs as queries
from db.schema import ProofRunRow
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import Conflict
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_run
from provisioner.operations.visible import customer_seen

MOST_RUNS = 500
"Of a page."
KEPT = 200
"Runs that are over."
LONGEST = timedelta(hours=12)
"What was asked for and is not through then is ended."


class Cause(StrEnum):
    """Why a run was made."""

    ASKED = "asked"
    CHANGE = "change"
    "Something was changed."
    NIGHTLY = "nightly"
    WEEKLY = "weekly"
    "A night with ring times of their full length."


class State(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    "Its time has not come, or it was cut off and is taken up again."
    UNDER_WAY = "under-way"
    DONE = "done"
    UNFINISHED = "unfinished"
    "Its time was over before it was through."


@dataclass(frozen=True, slots=True)
class Untested:
    """A number that could not be tested."""

    customer: str
    number: str
    why: str


@dataclass(frozen=True, slots=True)
class ProofRun:
    """A run over many numbers. What it came to, number by number: `proof_history.Wanted.run_id`."""

    id: int
    customer: str | None
    "Whose numbers; None: the whole installation's."
    cause: Cause
    actor: str
    state: State
    speed: int
    "What ring times are divided by."
    made_at: datetime
    due_at: datetime
    until: datetime | None
    "When it ends, wherever it is then."
    began_at: datetime | None
    finished_at: datetime | None
    numbers: int
    "That it is about; 0 until it has begun."
    green: int
    red: int
    untested: int
    unchanged: int
    "Left out: proved as they are."
    reasons: tuple[Untested, ...]
    "Why some were not tested: the first of them."

    @property
    def is_over(self) -> bool:
        """Nothing more comes of it."""
        return self.finished_at is not None

    @property
    def tested(self) -> int:
        """Numbers that it has come to."""
        return self.green + self.red


_RUN = TypeAdapter(ProofRun)


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some of them, the newest first."""

    runs: tuple[ProofRun, ...]
    next: int | None
    "Where the next page begins; None: this was the last."


async def list_runs(
    installation: Installation,
    viewer_id: int | None = None,
    customer: str | None = None,
    before: int | None = None,
    most: int = MOST_RUNS,
) -> RunPage:
    """A page of them: all, or those over the numbers of one customer alone.

    `viewer_id`: the customer whose program asks; None: staff. Raises `NotFound`.
    """
    async with installation.database.read() as session:
        owner = viewer_id if customer is None else await customer_seen(session, customer, viewer_id)
        found = await queries.runs(session, owner, before, most + 1)
    runs = tuple(map(_run, found[:most]))
    return RunPage(runs, runs[-1].id if len(found) > most else None)


async def show_run(installation: Installation, run_id: int, viewer_id: int | None = None) -> ProofRun:
    """One of them. Raises `NotFound`."""
    async with installation.database.read() as session:
        found = await queries.one_run(session, run_id)
    if found is None or viewer_id not in (None, found.run.customer_id):
        raise no_run(run_id)
    return _run(found)


async def ask_for_run(
    installation: Installation, customer: str | None, speed: int, actor: Actor, viewer_id: int | None = None
) -> int:
    """Has all numbers of a customer tested, or of all; returns the run's number. A living server makes it.

    Raises `NotFound`, and `Conflict` where the same is under way.
    """
    now = utc_now()
    async with installation.database.change() as session:
        owner = viewer_id if customer is None else await customer_seen(session, customer, viewer_id)
        slot = f"asked {owner or 'all'}"
        if (other := await queries.of_slot(session, slot)) is not None:
            raise Conflict(f"run {other.id} is under way over the same numbers: wait for it, or stop it")
        row = ProofRunRow(
            customer_id=owner,
            cause=Cause.ASKED,
            actor=actor.name,
            slot=slot,
            speed=speed,
            made_at=now,
            due_at=now,
            until=now + LONGEST,
        )
        session.add(row)
        await session.flush()
        return row.id


def plain_run(run: ProofRun) -> dict[str, Any]:
    """As JSON takes it."""
    said = asdict(run)
    return {name: each.isoformat() if isinstance(each, datetime) else each for name, each in said.items()}


def run_of(said: Mapping[str, Any]) -> ProofRun:
    """What `plain_run` has made plain."""
    return _RUN.validate_python(said)


async def stop_run(installation: Installation, run_id: int, viewer_id: int | None = None) -> ProofRun:
    """Has it end where it is. Raises `NotFound`, and `Conflict` where it is over."""
    shown = await show_run(installation, run_id, viewer_id)
    async with installation.database.change() as session:
        row = await session.get(ProofRunRow, run_id)
        if row is None or row.finished_at is not None:
            raise Conflict(f"run {run_id} is over already: look at what it came to, or begin another one")
        row.due_at, row.until = min(row.due_at, utc_now()), utc_now()
    return shown


def _run(owned: queries.Owned) -> ProofRun:
    row = owned.run
    return ProofRun(
        id=row.id,
        customer=owned.login,
        cause=Cause(row.cause),
        actor=row.actor,
        state=_state(row),
        speed=row.speed,
        made_at=row.made_at,
        due_at=row.due_at,
        until=row.until,
        began_at=row.began_at,
        finished_at=row.finished_at,
        numbers=row.numbers,
        green=row.green,
        red=row.red,
        untested=row.untested,
        unchanged=row.unchanged,
        reasons=tuple(Untested(**each) for each in json.loads(row.reasons)),
    )


def _state(row: ProofRunRow) -> State:
    if row.outcome is not None:
        return State(row.outcome)
    # Whoever has let the lease lapse was killed, and nobody has taken it up yet.
    is_made = row.lease_until is not None and row.lease_until > utc_now()
    return State.UNDER_WAY if is_made else State.WAITING
