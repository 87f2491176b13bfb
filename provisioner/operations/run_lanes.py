"""One run of test calls over many numbers: some at a time, at quiet priority, and what is red twice over."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from db.errors import StorageError
from db.queries import alarms as alarm_queries
from db.queries import proof_runs as queries
from db.queries.proof_runs import Number
from db.schema import AlarmRow
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import CentralkaError, Conflict
from provisioner.centrex.exchange import Exchange
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.equal_trials import Equals
from provisioner.operations.exchanges import exchange_in
from provisioner.operations.fingerprints import fingerprint
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.load import Load
from provisioner.operations.proof_history import Within, keep_proof
from provisioner.operations.proof_runs import Cause, Untested
from provisioner.operations.proofs import Begun, Proof, ProvedCall
from provisioner.operations.test_calls import ProofBroke, Tried, tried
from provisioner.operations.twins import TooManyTestCalls, TwinMaker
from sip.testcall.agents import TestPhones

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_AFTER_CHANGE = 100
"Numbers that are tested after a change; the night does the rest."
MOST_AGAIN = 20
"Red numbers that are tested once more by themselves; where more are red, no luck is to blame."
_NUMBERS_OF_PHONES = 25
"After so many a lane starts new phones."
_MOST_REASONS = 50
_TRIES = 3
"Of what is in the way for a moment."
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do."""

    run_id: int
    customer_id: int | None
    "Whose numbers; None: everybody's but those of `spared`."
    spared: frozenset[int]
    cause: Cause
    actor: str
    speed: int
    lanes: int


class Lanes:
    """Carries out one run."""

    def __init__(
        self,
        installation: Installation,
        twin: TwinMaker,
        order: Order,
        load: Load,
        room: asyncio.Semaphore,
        alarm: Callable[[Proof], str],
    ) -> None:
        """`room`: for what all runs test at a time; `alarm`: what to say of a red number, for people."""
        self._installation = installation
        self._twin = twin
        self._order = order
        self._load = load
        self._room = room
        self._alarm = alarm
        # Once a week nobody is spared anything.
        self._equals = None if order.cause is Cause.WEEKLY else Equals()
        self._waiting: deque[Number] = deque()
        self._red: list[Tried] = []
        "That wait to be tested once more."
        self._broken: set[Number] = set()
        "Of which the test itself has failed once."
        self._untested: list[Untested] = []
        self._count_untested = 0

    async def all(self) -> None:
        """Tests all that is left of it. Raises `StorageError`, `OSError` where no phones can be started."""
        self._waiting.extend(await self._left())
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._order.lanes, len(self._waiting))):
                tasks.create_task(self._lane())
        for found in self._red:
            await self._load.has_room()
            async with self._room:
                await self._once_more(found)

    async def _left(self) -> list[Number]:
        """What is to be tested: groups first, each being many phones; of these what has waited longest."""
        order, database = self._order, self._installation.database
        found = await queries.numbers(database, order.customer_id)
        await self._end_alarms({(each.customer_id, each.number) for each in found})
        found = [each for each in found if each.customer_id not in order.spared]
        done = await queries.done(database, order.run_id)
        left = [each for each in found if (each.customer_id, each.number) not in done]
        left.sort(key=lambda each: (not each.is_group, each.last))
        unchanged = 0
        if order.cause is Cause.CHANGE:
            changed = await self._changed(left)
            unchanged = len(left) - len(changed)
            left = changed[:MOST_AFTER_CHANGE]
        async with database.append() as session:
            green = sum(done.values())
            await queries.begin(
                session,
                order.run_id,
                numbers=len(found),
                green=green,
                red=len(done) - green,
                unchanged=unchanged,
            )
        return left

    async def _end_alarms(self, known: Collection[tuple[int, str]]) -> None:
        """Those about numbers that are there no more."""
        order, database = self._order, self._installation.database

        def is_gone(alarm: AlarmRow) -> bool:
            asked = order.customer_id in (None, alarm.customer_id)
            return asked and (alarm.customer_id, alarm.number) not in known

        async with database.read() as session:
            gone = [each for each in await alarm_queries.raised(session, AlarmKind.RED) if is_gone(each)]
        if not gone:
            return
        async with database.append() as session:
            for each in gone:
                if each.customer_id is not None and each.number is not None:
                    end = alarm_queries.end
                    await end(session, each.customer_id, each.number, AlarmKind.RED, utc_now())

    async def _changed(self, numbers: Collection[Number]) -> list[Number]:
        """Those of which more or something else is expected than was proved last, or that were red."""
        emergency_numbers = self._installation.settings.numbering.emergency_numbers
        changed = []
        for customer_id, own in groupby(sorted(numbers, key=_customer), _customer):
            exchange = await exchange_in(self._installation, customer_id)
            for each in own:
                if exchange is not None and not _is_proved(each, exchange, emergency_numbers):
                    changed.append(each)
                # Calls of people are served in between.
                await asyncio.sleep(0)
        return changed

    async def _lane(self) -> None:
        """Tests one number after another, as long as there are any."""
        while self._waiting:
            async with self._twin.process.phones() as phones:
                for _ in range(_NUMBERS_OF_PHONES):
                    async with self._room:
                        if not self._waiting or not await self._next(phones):
                            break

    async def _next(self, phones: TestPhones) -> bool:
        """Tests the next number. Returns whether the phones are good for another one."""
        await self._load.has_room()
        if not self._waiting:
            return True
        number = self._waiting.popleft()
        try:
            # What was red is to be green by calls of its own.
            equals = None if number.last and not number.is_green else self._equals
            found = await self._patiently(lambda: self._tried(number.number, number.login, phones, equals))
        except ProofBroke as error:
            if number in self._broken:
                await self._leave_out(number, str(error))
            else:
                self._broken.add(number)
                self._waiting.append(number)
            return False
        except CentralkaError as error:
            await self._leave_out(number, str(error))
            return True
        if found.proof.passed or len(self._red) >= MOST_AGAIN:
            await self._keep(found)
        else:
            self._red.append(found)
        return True

    async def _once_more(self, found: Tried) -> None:
        """What is wrong with a switchboard is wrong each time; a machine that was busy is not any more."""
        number, login = found.proof.number, found.proof.customer
        try:
            again = await self._patiently(lambda: self._tried(number, login))
        except CentralkaError as error:
            logger.warning("red, and not tested again customer=%s number=%s: %s", login, number, error)
            again = found
        await self._keep(again)

    async def _tried(
        self, number: str, login: str, phones: TestPhones | None = None, equals: Equals | None = None
    ) -> Tried:
        return await tried(
            self._installation,
            self._twin,
            number,
            login,
            _silent,
            speed=self._order.speed,
            phones=phones,
            equals=equals,
        )

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does it again where something is in its way that passes. Raises what it raises in the end."""
        tries = 1
        while True:
            try:
                return await work()
            except TooManyTestCalls:
                # People have asked for some: theirs come first.
                await asyncio.sleep(_AGAIN_S)
            except (Conflict, StorageError):
                tries += 1
                if tries > _TRIES:
                    raise
                await asyncio.sleep(_AGAIN_S)

    async def _keep(self, found: Tried) -> None:
        order = self._order
        alarm = "" if found.proof.passed or order.cause is Cause.ASKED else self._alarm(found.proof)
        within = Within(order.run_id, alarm)
        actor = Actor(order.actor, Role.OPERATOR)

        async def keep() -> None:
            await keep_proof(
                self._installation,
                found.customer_id,
                found.proof,
                actor,
                found.since,
                fingerprint=found.fingerprint,
                is_shared=found.is_shared,
                within=within,
            )

        await self._patiently(keep)
        if not found.proof.passed:
            logger.warning("red customer=%s number=%s", found.proof.customer, found.proof.number)

    async def _leave_out(self, number: Number, why: str) -> None:
        self._count_untested += 1
        if len(self._untested) < _MOST_REASONS:
            self._untested.append(Untested(number.login, number.number, why))
        reasons = json.dumps([asdict(each) for each in self._untested], ensure_ascii=False)

        async def note() -> None:
            async with self._installation.database.append() as session:
                await queries.note_untested(session, self._order.run_id, self._count_untested, reasons)

        await self._patiently(note)


_customer = attrgetter("customer_id")


def _is_proved(number: Number, exchange: Exchange, emergency_numbers: Collection[str]) -> bool:
    """Whether what is expected of it is what was proved last."""
    if not number.is_green or number.fingerprint is None:
        return False
    try:
        return fingerprint(exchange, number.number, emergency_numbers) == number.fingerprint
    except CentralkaError:
        return False


async def _silent(_: Begun | ProvedCall) -> None:
    """Nobody watches single calls."""
