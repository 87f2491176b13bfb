"""How things stand in the whole installation, for those who watch it from outside."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from db.queries import proof_runs as runs
from db.queries import registered as queries
from db.schema import BanRow, PhoneEventRow, ProvisioningRequestRow, RegistrationEventRow
from provisioner.operations.bans import Verdict
from provisioner.operations.installation import Installation
from provisioner.operations.ladder import Ladder, Rung
from provisioner.operations.registered import sight

_FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class LastRun:
    """What a run of test calls came to."""

    finished_at: datetime
    numbers: Mapping[str, int]
    "By what became of them."


@dataclass(frozen=True, slots=True)
class Measures:
    """At one moment."""

    by_transport: Mapping[str, int]
    "Bindings that have not run out."
    registered: int
    "Lines with such a binding."
    reachable: int
    "Bindings whose phone was heard lately."
    unreachable: int
    rungs: Mapping[Rung, int]
    "Phones, by the highest rung that they stand on."
    banned: int
    "Sources that get nothing without a token."
    requests: int
    "Of phones, ever."
    reports: int
    "Of phones, ever."
    happened: int
    "To bindings, ever."
    red_numbers: int
    "That did not ring as is configured when they were tested last."
    runs: Mapping[str, LastRun]
    "The last run of test calls over all numbers that is over, by its cause."


class Measuring:
    """Looks when somebody asks, and not again for some seconds."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._looking = asyncio.Lock()
        self._found: Measures | None = None
        self._looked_at = 0.0

    async def measures(self) -> Measures:
        """How things stand, or stood some seconds ago. Raises `StorageError`."""
        async with self._looking:
            if self._found is None or time.monotonic() - self._looked_at > _FRESH_S:
                self._found = await self._look()
                self._looked_at = time.monotonic()
            return self._found

    async def _look(self) -> Measures:
        at = sight(self._installation)
        rungs: Counter[Rung] = Counter()
        async with self._installation.database.read() as session:
            for steps, count in (await queries.ladders(session, at.now, at.lately)).items():
                rungs[Ladder(*steps).rung] += count
            counts = await queries.counts(session, at.now, at.lately)
            # Rows are numbered as they are made, and numbers are not used again.
            ever = [
                await session.scalar(select(func.max(log.id))) or 0
                for log in (ProvisioningRequestRow, PhoneEventRow, RegistrationEventRow)
            ]
            bans = select(func.count()).where(BanRow.until > at.now, BanRow.verdict == Verdict.BANNED)
            return Measures(
                by_transport=await queries.counts_by_transport(session, at.now),
                registered=counts.lines,
                reachable=counts.reachable,
                unreachable=counts.unreachable,
                rungs=rungs,
                banned=await session.scalar(bans) or 0,
                requests=ever[0],
                reports=ever[1],
                happened=ever[2],
                red_numbers=await runs.red_numbers(session),
                runs={
                    cause: LastRun(
                        run.finished_at, {"green": run.green, "red": run.red, "untested": run.untested}
                    )
                    for cause, run in (await runs.last_finished(session)).items()
                    if run.finished_at is not None
                },
            )
