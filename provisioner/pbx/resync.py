"""Tells phones to fetch their files, and follows each until it has: the driver of `provisioner.pbx.telling`.

What changed, who asked, and what came of it stand in the database (`operations.resyncs`), so that a server
that ends in the middle forgets nobody. One task looks at the database when somebody has written to it, and
calls the one timer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Protocol

from db.errors import StorageError
from db.queries.resyncs import Mark, fetched
from db.tail import Waker, waking
from provisioner.centrex.actor import Actor
from provisioner.centrex.mac import MacAddress
from provisioner.operations import resyncs
from provisioner.operations.addresses import public_addresses
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.resyncs import Job, Kind
from provisioner.pbx.marks import Marks
from provisioner.pbx.progress import Progress, Step
from provisioner.pbx.telling import Done, Effect, Pace, Tell, Telling, Waits
from sip.binding import Binding, ChangeKind
from sip.checksync import check_sync, heard
from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.transport.flow import Flow
from sip.watch import Watch

logger = logging.getLogger(__name__)

_LOOK_S = 0.25
"Between two looks at the database, however much is written there."
_IDLE_S = 5.0
"A look is taken after so long even if nobody has called for one."
_RETRY_S = 1.0
"After a look that failed."
_MAY_BE_THERE = frozenset(
    {
        ChangeKind.REGISTERED,
        ChangeKind.MOVED,
        ChangeKind.REACHABLE,
        # Where its line or its password was taken from it, it listens still.
        ChangeKind.REVOKED,
        ChangeKind.UNREGISTERED,
    }
)
"After these a phone is looked for that was not there."


class Phones(Protocol):
    """The way to the phones that are registered."""

    def bindings(self, line: str) -> Iterable[Binding]:
        """Where phones of a line are; none that has lapsed."""

    def parted(self, device_id: int) -> tuple[str, Binding] | None:
        """The line and the place of a phone that is not registered any more by a change of ours."""

    def flow_of(self, binding: Binding) -> Flow | None:
        """The way by which it registered, if that is still there."""

    def watch(self, wake: Callable[[], None], kinds: frozenset[ChangeKind]) -> Watch:
        """Tells of what happens to bindings from now on."""

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        """The final response to a request; None: there was none in time."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a phone is told, and as whom."""

    line: str
    binding: Binding
    flow: Flow


class Resyncs:
    """All phones that are to be told. To be run by one process of an installation."""

    def __init__(
        self,
        installation: Installation,
        phones: Phones,
        *,
        pace: Pace | None = None,
        chance: Callable[[], float] = random,
        is_idle: Callable[[int], bool] = lambda device_id: True,
        written: asyncio.Event | None = None,
    ) -> None:
        """`is_idle` says of a device whether it is in no call that is known.

        `written`: set when a start has written all files; until then only those are told whom a person names.
        """
        self._installation = installation
        self._phones = phones
        self._clock = asyncio.get_running_loop().time
        self._telling = Telling(pace or Pace(), chance, lambda job: self._way(job) is not None, is_idle)
        self._written = written
        self._has_taken_up = False
        "What an earlier process has left."
        self._host = ""
        "Of our AORs, as phones are told it; empty: not read yet."
        self._marks = Marks(installation.database)
        self._over: list[tuple[Job, Progress]] = []
        "What has been noted, and is not stored yet."
        self._followers: dict[int, list[asyncio.Queue[Progress]]] = defaultdict(list)
        self._woken = asyncio.Event()
        self._look_at = 0.0
        self._looked_at = float("-inf")
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Tells phones until it is cancelled."""
        watch = self._phones.watch(self._woken.set, _MAY_BE_THERE)
        try:
            async with waking(self._installation.database) as waker, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._listen(waker), name="resync news")
                if self._written is not None:
                    tasks.create_task(self._await(self._written), name="resync start")
                while True:
                    await self._look_if_due()
                    self._meet(watch)
                    self._perform(self._telling.timer(self._clock(), utc_now()))
                    await self._sleep()
        finally:
            watch.close()

    async def ask(self, mac: MacAddress, kind: Kind, actor: Actor) -> AsyncGenerator[Progress, None]:
        """Tells one phone, at once if it is there, and says how that goes until it is over.

        It goes on when nobody listens any more. Raises `NotFound` for a MAC that is not listed.
        """
        job, may_reboot = await resyncs.ask(self._installation, mac, kind, actor)
        follower: asyncio.Queue[Progress] = asyncio.Queue()
        self._followers[job.id].append(follower)
        try:
            self._add([job])
            yield Progress(Step.ASKED, may_reboot=may_reboot)
            while True:
                progress = await follower.get()
                yield progress
                if progress.step is Step.DONE:
                    return
        finally:
            self._followers[job.id].remove(follower)
            if not self._followers[job.id]:
                del self._followers[job.id]

    # What is due

    async def _listen(self, waker: Waker) -> None:
        while True:
            await waker.wait(_IDLE_S)
            self._look_soon()

    async def _await(self, written: asyncio.Event) -> None:
        await written.wait()
        self._look_soon()

    def _look_soon(self) -> None:
        self._look_at = min(self._look_at, self._looked_at + _LOOK_S)
        self._woken.set()

    async def _sleep(self) -> None:
        """Returns when something is due, or has happened."""
        due = min(self._look_at, self._telling.deadline or self._look_at)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._woken.wait()
        self._woken.clear()

    async def _look_if_due(self) -> None:
        if self._clock() < self._look_at:
            return
        self._looked_at = self._clock()
        self._look_at = self._looked_at + _IDLE_S
        try:
            await self._look()
        except StorageError as error:
            logger.warning("nobody is told of changes now error=%s", error)
            self._look_at = self._clock() + _RETRY_S
        except Exception:
            # Our own mistake. Phones are served all the same, and who was noted already is told.
            logger.exception("changes could not be followed")

    async def _look(self) -> None:
        """Stores what became of jobs, takes up what has changed, and sees who has fetched."""
        await self._store()
        if self._written is None or self._written.is_set():
            await self._take_up()
        if not len(self._telling):
            return
        async with self._installation.database.read() as session:
            self._host = (await public_addresses(session, self._installation.settings)).sip_host
            got = {each.id: each.number for each in await fetched(session)}
        for job_id, number in got.items():
            self._perform(self._telling.fetched(job_id), number)

    async def _take_up(self) -> None:
        """Takes up what has changed, and before that what an earlier process has left."""
        if not self._has_taken_up:
            self._add(await resyncs.under_way(self._installation))
            self._has_taken_up = True
        is_more = True
        while is_more:
            jobs, is_more = await resyncs.follow(self._installation)
            self._add(jobs)

    async def _store(self) -> None:
        """Stores what became of jobs, and only then says which are over."""
        over = len(self._over)
        await self._marks.store()
        for job, progress in self._over[:over]:
            self._say(job, progress)
        del self._over[:over]

    def _add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._perform(self._telling.add(job, self._clock(), utc_now()))
        self._look_soon()

    def _meet(self, watch: Watch) -> None:
        """Notes which phones may have come."""
        news = watch.take()
        if news.lost:
            self._telling.anybody_may_have_registered(self._clock())
        for change in news.changes:
            if change.binding.device_id is not None:
                self._telling.registered(change.binding.device_id, self._clock())

    # What is done

    def _perform(self, effects: Iterable[Effect], number: int | None = None) -> None:
        for effect in effects:
            match effect:
                case Tell(job, attempt):
                    assert self._tasks is not None  # noqa: S101 - set before anything is due
                    self._tasks.create_task(self._tell(job, attempt), name=f"resync {job.id}")
                case Waits(job, why):
                    self._say(job, Progress(Step.WAITS, why=why))
                case Done(job, outcome):
                    logger.info("resync over device=%d outcome=%s", job.device_id, outcome)
                    self._marks.note(Mark(job.id, done_at=utc_now(), outcome=outcome))
                    self._look_soon()
                    self._over.append((job, Progress(Step.DONE, outcome=outcome, revision=number)))

    async def _tell(self, job: Job, attempt: int) -> None:
        """Tells one phone, and takes its answer."""
        way = self._way(job)
        if way is None:
            self._perform(self._telling.absent(job.id, self._clock()))
            return
        self._marks.note(Mark(job.id, sent_at=utc_now()))
        self._say(job, Progress(Step.TOLD, attempt=attempt, contact=way.binding.contact))
        status = await self._status(job, way)
        if status is not None:
            self._marks.note(Mark(job.id, answered_status=status))
            self._say(job, Progress(Step.ANSWERED, status=status))
        self._look_soon()
        self._perform(self._telling.answered(job.id, heard(status), self._clock()))

    async def _status(self, job: Job, way: _Way) -> int | None:
        """What the phone answers; None: nothing."""
        request = check_sync(
            SipUri(self._host or way.flow.local.host, way.line),
            way.binding,
            way.flow,
            reboot=job.kind is Kind.REBOOT,
            call_id=secrets.token_hex(16),
            tag=secrets.token_hex(8),
        )
        try:
            response = await self._phones.ask(request, way.flow)
        except Exception:
            # Whatever is wrong with one phone, the others are told.
            logger.exception("a phone could not be told device=%d", job.device_id)
            return None
        return None if response is None else response.status

    def _way(self, job: Job) -> _Way | None:
        """The newest binding of the phone that a flow leads to, on whichever of its lines."""
        newest: _Way | None = None
        places = [(line, binding) for line in job.lines for binding in self._phones.bindings(line)]
        parted = self._phones.parted(job.device_id)
        for line, binding in places if parted is None else [*places, parted]:
            if binding.device_id != job.device_id:
                continue
            flow = self._phones.flow_of(binding)
            if flow is None or not flow.is_open:
                continue
            if newest is None or binding.refreshed_at > newest.binding.refreshed_at:
                newest = _Way(line, binding, flow)
        return newest

    def _say(self, job: Job, progress: Progress) -> None:
        for follower in self._followers.get(job.id, ()):
            follower.put_nowait(progress)
