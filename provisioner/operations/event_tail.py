"""The live end of the events: one reader for each process, and those who follow it.

A follower first reads what it has missed from the database, at its own pace; when it has caught up, it gets
what the one reader finds. Whoever is too slow for that is let go, and reads on from its last position.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum

from db.engine import Database
from db.errors import StorageError
from db.queries.api_tokens import live_tokens
from db.schema import CallEventRow, PhoneEventRow, ProofRow, ProvisioningRequestRow, RegistrationEventRow
from db.tail import POLL_S, Follower, waking
from provisioner.operations.events import PAGE, Event, Position, Wanted, page
from provisioner.operations.installation import utc_now

logger = logging.getLogger(__name__)

_IDLE_S = 5.0
"A look is taken after so long even if nobody has called for one: tokens run out by the clock."
_RETRY_S = 0.5
_CATCHING_UP = 2
"So many read at once what they have missed: phones need the database, too."


class End(StrEnum):
    """Why a follower gets nothing any more."""

    SLOW = "slow"
    "More was waiting for it than is kept."
    REVOKED = "revoked"
    "Its token is no good any more."
    SHUTDOWN = "shutdown"


class Subscription:
    """One follower."""

    def __init__(self, tail: EventTail, wanted: Wanted, token_id: int | None) -> None:
        self.wanted = wanted
        self.token_id = token_id
        "None: it needs no token."
        self._tail = tail
        self._has_begun = False
        "Before it is known from where it reads on, nothing is put behind that."
        self._position: Position | None = None
        "While it reads what it has missed; None afterwards."
        self._waiting: deque[Event] = deque()
        self._end: End | None = None
        self._news = asyncio.Event()

    @property
    def has_ended(self) -> End | None:
        """Why, when all that waited for it is taken."""
        return None if self._waiting else self._end

    async def next(self) -> Sequence[Event]:
        """What comes next. May be empty: something has been read and was not wanted, or it has ended.

        Raises `StorageError`.
        """
        if self._end is None and self._position is not None:
            events, self._position = await self._tail.missed(self.wanted, self._position)
            if self._end is None:
                return events
        await self._news.wait()
        events = list(self._waiting)
        self._waiting.clear()
        if self._end is None:
            self._news.clear()
        return events

    def begin(self, after: Position | None) -> None:
        """Goes on behind `after`; None: gets what comes from now on."""
        self._position, self._has_begun = after, True

    def offer(self, events: Sequence[Event], most: int) -> None:
        """Puts what is wanted of `events` behind what waits for it; more than `most` ends it."""
        if self._end is not None or self._position is not None or not self._has_begun:
            return
        for event in events:
            if self.wanted.includes(event):
                if len(self._waiting) == most:
                    self.end(End.SLOW)
                    return
                self._waiting.append(event)
                self._news.set()

    def end(self, why: End) -> None:
        """Nothing is added any more; what is not its business any more is not given out, either."""
        self._end = self._end or why
        if why is End.REVOKED:
            self._waiting.clear()
        self._news.set()


class EventTail:
    """Reads what is appended while somebody follows it."""

    def __init__(self, database: Database, most_waiting: int) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._subscriptions: set[Subscription] = set()
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._reports = Follower(database, PhoneEventRow)
        self._requests = Follower(database, ProvisioningRequestRow)
        self._bindings = Follower(database, RegistrationEventRow)
        self._calls = Follower(database, CallEventRow)
        self._proofs = Follower(database, ProofRow)
        self._told = Position(0, 0, 0, 0, 0)
        "Up to here everybody who has caught up was told."
        self._moved = asyncio.Condition()
        "Notified when `_told` has moved."
        self._catching_up = asyncio.Semaphore(_CATCHING_UP)

    @asynccontextmanager
    async def subscribed(
        self, wanted: Wanted, after: Position | None = None, *, token_id: int | None = None
    ) -> AsyncIterator[Subscription]:
        """A follower for as long as the context lasts: of what comes behind `after`, or from now on.

        Raises `StorageError`.
        """
        subscription = Subscription(self, wanted, token_id)
        self._subscriptions.add(subscription)
        self._wanted.set()
        try:
            await self._ready.wait()
            if after is not None:
                await self._hold_back(after := await self._existing(after))
            subscription.begin(after)
            # A token that was revoked before the tail knew of its follower has not been asked for.
            await self._end_revoked()
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions:
                self._wanted.clear()

    async def _existing(self, after: Position) -> Position:
        """`after`, but not beyond what is there: it may be of this database's life before a restore."""
        newest = [await log.newest() for log in self._logs]
        return after.up_to(Position(*newest))

    async def _hold_back(self, after: Position) -> None:
        """Waits while another process has told more than this one: nothing is told twice."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._told.reaches(after))

    async def missed(self, wanted: Wanted, after: Position) -> tuple[Sequence[Event], Position | None]:
        """A page of what a follower has missed, and where it stands then; None: it has caught up."""
        if after.reaches(self._told):
            return (), None
        async with self._catching_up, self._database.read() as session:
            events, reached = await page(session, wanted, after, self._told)
        # Not a moment passes between this and its becoming one of those who are told.
        return events, None if reached.reaches(self._told) else reached

    def close(self) -> None:
        """Ends every subscription: the server stops."""
        for subscription in self._subscriptions:
            subscription.end(End.SHUTDOWN)

    async def run(self) -> None:
        """Reads until it is cancelled; not at all while nobody follows."""
        while True:
            await self._wanted.wait()
            try:
                async with waking(self._database) as waker:
                    while self._subscriptions:
                        await waker.wait(POLL_S if self._is_in_doubt else _IDLE_S)
                        await self._look_if_possible()
                    # The next one begins anew; in the same breath, or it would believe what was.
                    self._ready.clear()
            except StorageError as error:
                logger.warning("events can't be followed error=%s", error)
                await asyncio.sleep(_RETRY_S)
                if not self._subscriptions:
                    self._ready.clear()

    async def _look_if_possible(self) -> None:
        try:
            await self._look()
        except StorageError as error:
            logger.warning("events wait for the database error=%s", error)
            await asyncio.sleep(_RETRY_S)
        except Exception:
            # Phones are served by the same process, whatever is wrong with an event.
            logger.exception("events can't be read")
            await asyncio.sleep(_RETRY_S)

    @property
    def _is_in_doubt(self) -> bool:
        return any(log.is_in_doubt for log in self._logs)

    @property
    def _logs(self) -> tuple[Follower, ...]:
        """In the order of a position's numbers."""
        return self._reports, self._requests, self._bindings, self._calls, self._proofs

    @property
    def _settled(self) -> Position:
        return Position(*(log.settled for log in self._logs))

    async def _look(self) -> None:
        """Tells the followers what is new, and lets those go whose token has been revoked."""
        await self._end_revoked()
        if not self._ready.is_set():
            for log in self._logs:
                await log.start()
            self._told = self._settled
            self._ready.set()
        more = True
        while more:
            more = any([await log.advance() for log in self._logs])
            await self._tell(self._settled)

    async def _tell(self, up_to: Position) -> None:
        while not self._told.reaches(up_to):
            async with self._database.read() as session:
                events, reached = await page(session, Wanted(), self._told, up_to)
            # In one breath: who catches up meanwhile gets each event from one of the two sides.
            self._told = reached
            for subscription in self._subscriptions:
                subscription.offer(events, self._most_waiting)
            async with self._moved:
                self._moved.notify_all()

    async def _end_revoked(self) -> None:
        asked = {each.token_id for each in self._subscriptions if each.token_id is not None}
        if not asked:
            return
        async with self._database.read() as session:
            dead = asked - await live_tokens(session, asked, utc_now())
        for subscription in self._subscriptions:
            if subscription.token_id in dead:
                subscription.end(End.REVOKED)


@asynccontextmanager
async def event_tail(database: Database, most_waiting: int = 4 * PAGE) -> AsyncIterator[EventTail]:
    """A tail that runs for as long as the context lasts. So many events may wait for one follower."""
    async with asyncio.TaskGroup() as tasks:
        tail = EventTail(database, most_waiting)
        running = tasks.create_task(tail.run(), name="event tail")
        try:
            yield tail
        finally:
            running.cancel()
