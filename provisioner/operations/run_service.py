"""Makes the runs of test calls that are due, in a server that takes calls, as long as it is up.

Who makes a run holds a lease of it in the database, so that of several processes one does, and another goes
on with it where that one was killed. One that ends in order lets go of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta

from db.errors import StorageError
from db.queries import proof_runs as queries
from db.schema import ProofRunRow
from provisioner.centrex.errors import within
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.load import Load
from provisioner.operations.proof_runs import Cause, State
from provisioner.operations.proofs import Proof
from provisioner.operations.run_lanes import Lanes, Order
from provisioner.operations.run_schedule import make_due, spared
from provisioner.operations.twins import TwinMaker

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"After which a run is taken up by another process, should its own have said nothing since."
SETTLES_S = 600.0
"After its start a server has phones to register: until then nothing begins that nobody has asked for."
_RENEW_S = 5.0
_LOOK_S = 30.0
"Between two looks at what is due, unless somebody asks."
_NIGHTS = (Cause.NIGHTLY, Cause.WEEKLY)
_LANES_BESIDE = 4
"Of a run that is made beside another one."


class LeaseLost(Exception):
    """The run is another process's now."""


class RunService:
    """All of it."""

    def __init__(
        self,
        installation: Installation,
        twin: TwinMaker,
        alarm: Callable[[Proof], str],
        owner: str,
        *,
        now: Callable[[], datetime] = utc_now,
        settles_s: float = SETTLES_S,
    ) -> None:
        """`alarm`: what to say of a red number, for people; `owner`: no other process is called so."""
        self._installation = installation
        self._twin = twin
        self._alarm = alarm
        self._now = now
        self._settles_s = settles_s
        self._owner = owner
        self._load = Load(installation.settings.test_calls.busy_percent)
        self._news = asyncio.Event()
        "Set at the next piece of news, and replaced by another one."
        self._room = asyncio.Semaphore(installation.settings.test_calls.at_once)
        self._going = 0
        "Runs that this process makes."
        self._has_settled = False

    def look(self) -> None:
        """Something may be due: somebody has asked for it."""
        self._news.set()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled: what is under way then is let go of."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._schedule())
            tasks.create_task(self._make(_NIGHTS))
            tasks.create_task(self._make((Cause.ASKED, Cause.CHANGE)))

    async def _schedule(self) -> None:
        await asyncio.sleep(self._settles_s)
        self._has_settled = True
        self.look()
        while True:
            with suppress(StorageError):
                if await make_due(self._installation, self._now()):
                    self.look()
            await asyncio.sleep(_LOOK_S)

    async def _make(self, causes: Collection[Cause]) -> None:
        """One run after another, of these causes."""
        while True:
            news = self._news
            try:
                taken = await self._take(causes if self._has_settled else {*causes} & {Cause.ASKED})
                if taken is not None:
                    await self._carry_out(taken)
                    continue
            except StorageError as error:
                logger.warning("test calls wait for the database error=%s", error)
            except Exception:
                logger.exception("a run of test calls broke off, and is taken up again")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await news.wait()

    async def _take(self, causes: Collection[Cause]) -> queries.Owned | None:
        database, now = self._installation.database, self._now()
        async with database.read() as session:
            if not causes or not await queries.is_any_waiting(session, now, causes):
                return None
        async with database.change() as session:
            return await queries.take(session, self._owner, now, now + LEASE, causes)

    async def _carry_out(self, taken: queries.Owned) -> None:
        run, whose = taken.run, taken.login or "all"
        logger.info("test calls begin run=%d cause=%s customer=%s", run.id, run.cause, whose)
        outcome = State.DONE
        self._going += 1
        try:
            try:
                async with asyncio.timeout(self._left_s(run)) as limit, asyncio.TaskGroup() as tasks:
                    lease = tasks.create_task(self._hold(run.id, limit))
                    await (await self._lanes(run)).all()
                    lease.cancel()
            except TimeoutError:
                outcome = State.UNFINISHED
            async with self._installation.database.change() as session:
                await queries.finish(session, run.id, self._owner, outcome, self._now())
            logger.info("test calls end run=%d outcome=%s", run.id, outcome)
        except BaseException as error:
            if isinstance(error, BaseExceptionGroup) and any(isinstance(e, LeaseLost) for e in within(error)):
                logger.warning("a run of test calls is another process's now run=%d", run.id)
                return
            # Ended in order, or by something that is wrong: in both cases whoever comes next goes on with it.
            with suppress(StorageError):
                async with self._installation.database.append() as session:
                    await queries.let_go(session, run.id, self._owner)
            raise
        finally:
            self._going -= 1

    def _left_s(self, run: ProofRunRow) -> float | None:
        """How long it may take; None: as long as it does."""
        return None if run.until is None else max(0.0, (run.until - self._now()).total_seconds())

    async def _hold(self, run_id: int, limit: asyncio.Timeout) -> None:
        """Renews the lease, and hears when somebody has ended the run. Raises `LeaseLost`."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_RENEW_S)
            # Without a database nobody else can have it, either.
            with suppress(StorageError):
                async with self._installation.database.append() as session:
                    row = await queries.renew(session, run_id, self._owner, self._now() + LEASE)
                if row is None:
                    raise LeaseLost
                if (left_s := self._left_s(row)) is not None and not limit.expired():
                    limit.reschedule(loop.time() + left_s)

    async def _lanes(self, run: ProofRunRow) -> Lanes:
        settings = self._installation.settings.test_calls
        cause = Cause(run.cause)
        async with self._installation.database.read() as session:
            said = await queries.schedules(session)
        order = Order(
            run_id=run.id,
            customer_id=run.customer_id,
            spared=spared(settings, said, cause) if run.customer_id is None else frozenset(),
            cause=cause,
            actor=run.actor,
            speed=run.speed,
            lanes=min(_LANES_BESIDE, settings.at_once) if self._going > 1 else settings.at_once,
        )
        return Lanes(self._installation, self._twin, order, self._load, self._room, self._alarm)
