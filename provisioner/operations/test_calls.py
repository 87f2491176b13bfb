"""Test calls: a customer's number is called in a twin, by phones not of ours, and judged by what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from db.changes import newest
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import CentralkaError, Conflict, NotFound, within
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.draws import judge_draws
from provisioner.operations.equal_trials import Equals
from provisioner.operations.exchanges import exchange_called
from provisioner.operations.fingerprints import fingerprint
from provisioner.operations.foretold import Asked, Foretold
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.messages import Room
from provisioner.operations.playing import Stage
from provisioner.operations.proof_history import keep_proof
from provisioner.operations.proofs import Begun, Proof, ProvedCall, proved
from provisioner.operations.twins import TooManyTestCalls, Twin, TwinMaker
from sip.testcall.agents import PhonesFailed, TestPhones

MOST_CALLS = 100
"That one run makes."
MOST_SPEED = 20.0
"Above it phones that take a call in time look as if they took it late."
USUAL_SPEED = 4.0
"Ring times of a minute are over in a quarter of it, and a second more or less is seen still."
LONGEST_S = 900.0
"A run is ended after that, whatever it does."
_LANES = 4
"Calls of one run at a time."
LATE_S = 0.3
"A machine that was so late during a call, all in all, may be to blame for what went wrong in it."
MOST_TRIES = 4
"Of one call, on such a machine."
_PHONES = "the test phones"

Tell = Callable[[Begun | ProvedCall], Awaitable[None]]


class NoCallsHere(CentralkaError):
    """Calls are served by another process."""

    code = "no-calls-here"

    def __init__(self) -> None:
        super().__init__("this server takes no calls: wait until it is up, then repeat this")


class ProofBroke(CentralkaError):
    """A run did not come to its end: that says nothing about the switchboard."""

    code = "test-call-broke"


@asynccontextmanager
async def one_run(number: str, phones: str, longest_s: float) -> AsyncIterator[None]:
    """For all calls of a run. Raises `ProofBroke` where it lasts longer, or its phones can't be started."""
    try:
        async with asyncio.timeout(longest_s):
            yield
    except TimeoutError:
        raise ProofBroke(f"the test of {number} took longer than {longest_s:.0f} s: ask for less") from None
    except OSError as error:
        raise ProofBroke(f"{phones} can't be started: {error}") from error


@contextmanager
def blaming(phones: str) -> Iterator[None]:
    """Raises `ProofBroke` where test phones fail, or say nothing."""
    try:
        yield
    except (PhonesFailed, TimeoutError) as error:
        why = str(error) or f"{phones} did not say anything for too long"
        raise ProofBroke(f"{why}: repeat this, or look into the server's log") from error


async def prove(
    installation: Installation,
    switchboard: Switchboard,
    number: str,
    login: str,
    tell: Tell,
    actor: Actor,
    *,
    calls: int | None = None,
    speed: float = USUAL_SPEED,
) -> Proof:
    """Calls a number of a customer in a twin of its switchboard; `tell` is told of each call.

    What comes of it is kept.
    Calls of each kind that its configuration asks for, or `calls` of the plainest. Raises `NotFound`,
    `BadValue`, `TooManyTestCalls`, `ProofBroke`, `StorageError`.
    """
    if switchboard.twin is None:
        raise NoCallsHere
    found = await tried(installation, switchboard.twin, number, login, tell, calls=calls, speed=speed)
    kept = await keep_proof(
        installation, found.customer_id, found.proof, actor, found.since, fingerprint=found.fingerprint
    )
    return replace(found.proof, id=kept)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of test calls to a number, not kept yet."""

    proof: Proof
    customer_id: int
    since: int
    "The change (`db.changes`) of which the configuration was."
    fingerprint: str | None
    "Of what was expected; None: not all of that was tried."
    is_shared: bool = False
    "Some of it by another number."


async def tried(
    installation: Installation,
    twin: TwinMaker,
    number: str,
    login: str,
    tell: Tell,
    *,
    calls: int | None = None,
    speed: float = USUAL_SPEED,
    phones: TestPhones | None = None,
    equals: Equals | None = None,
) -> Tried:
    """Calls a number in a twin as `prove` does, and keeps nothing of it.

    With `phones` one call after another, with these; they have no registration left afterwards. With `equals`
    those calls that no other number makes for this one as well.
    """
    emergency_numbers = installation.settings.numbering.emergency_numbers
    asked = Asked(number, login, calls, speed, emergency_numbers)
    async with installation.database.read() as session:
        since = await newest(session)
    exchange = await stored_exchange(installation, login)
    # What is wrong with the question is said before anything is up.
    found = await asked.scenarios(with_caller(exchange, emergency_numbers), ())
    places: Sequence[int] = range(calls or len(found))
    if equals is not None:
        places = await asyncio.to_thread(equals.places, exchange.customer_id, number, found)
    run = _Run(installation, twin, asked, exchange, since, tell, places, phones)
    # One after another they take so much longer.
    longest_s = LONGEST_S if phones is None else LONGEST_S * _LANES
    async with one_run(number, _PHONES, longest_s):
        await run.all()
    made = tuple(run.made[place] for place in sorted(run.made))
    findings = await judge_draws(installation, exchange.customer_id, number, made)
    proof = Proof(login, number, speed, made, findings)
    whole = None
    if calls is None:
        whole = await asyncio.to_thread(fingerprint, exchange, number, emergency_numbers)
    return Tried(proof, exchange.customer_id, since, whole, is_shared=len(places) < len(found))


class _Run:
    """The calls of one proof. Calls of different kinds are made a few at a time, in twins of their own."""

    def __init__(
        self,
        installation: Installation,
        twin: TwinMaker,
        asked: Asked,
        exchange: Exchange,
        since: int,
        tell: Tell,
        places: Sequence[int],
        phones: TestPhones | None,
    ) -> None:
        """`places`: of the scenarios that are made."""
        self.made: dict[int, ProvedCall] = {}
        "By their places."
        self._installation = installation
        self._twin = twin
        self._asked = asked
        self._exchange = exchange
        self._since = since
        self._tell = tell
        self._phones = phones
        self._count = len(places)
        self._room = Room()
        self._places = iter(enumerate(places, start=1))

    async def all(self) -> None:
        """Makes them. Raises as `prove`, and `OSError`, `TimeoutError`."""
        in_turn = self._asked.calls is not None or self._phones is not None
        lanes = 1 if in_turn else min(_LANES, self._count)
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in range(lanes):
                    tasks.create_task(self._lane(is_first=lane == 0))
        except BaseExceptionGroup as group:
            raise next(within(group)) from None

    async def _lane(self, *, is_first: bool) -> None:
        """Makes calls, one after another, as long as there are any."""
        try:
            async with (
                self._twin.up(next(iter(self._exchange.lines)), self._asked.speed) as twin,
                AsyncExitStack() as stack,
            ):
                phones = self._phones
                if phones is None:
                    phones = await stack.enter_async_context(self._twin.process.phones())
                stage = Stage(twin, phones)
                with blaming(_PHONES):
                    try:
                        await self._calls(twin, stage)
                    finally:
                        if self._phones is not None:
                            await stage.clear()
        except TooManyTestCalls:
            if is_first:
                raise
            # Others have taken the room meanwhile: what would be made here is made by the first.

    async def _calls(self, twin: Twin, stage: Stage) -> None:
        foretold = Foretold(self._asked, await self._judged_by(twin), twin.pace)
        answered: list[str] = []
        for number, place in self._places:
            scenario = await foretold.at(place, answered)
            await self._tell(Begun(scenario.kind, number, self._count))
            for _ in range(MOST_TRIES):
                at = utc_now()
                observations = await stage.play(scenario)
                async with twin.pace.turn():
                    # Of a call that went wrong in a large random group thousands of orders are tried.
                    call = await asyncio.to_thread(
                        proved, scenario, observations, at, stage.late_s, stage.take_spoken()
                    )
                if call.winner is not None:
                    answered.append(call.winner)
                if call.passed or stage.late_s < LATE_S:
                    break
                # Whose fault that was can't be said: what goes wrong by itself does so again.
                scenario = await foretold.at(place, answered)
            messages = self._room.take(call.messages, is_wrong=not call.passed)
            self.made[place] = call = replace(call, messages=messages)
            await self._tell(call)

    async def _judged_by(self, twin: Twin) -> Exchange:
        """What is stored, and not what the engine makes of it; but of who has answered last it knows more.

        Raises `Conflict`.
        """
        stored = await unchanged(self._installation, self._asked.login, self._exchange, self._since)
        return replace(with_caller(stored, self._asked.emergency_numbers), used=twin.exchange.used)


async def stored_exchange(installation: Installation, login: str) -> Exchange:
    """A customer's switchboard as the database has it. Raises `NotFound`, `StorageError`."""
    exchange = await exchange_called(installation, login)
    if not exchange.lines:
        raise NotFound(f"{login} has no line: add one before its calls are tested")
    return exchange


async def unchanged(installation: Installation, login: str, known: Exchange, since: int) -> Exchange:
    """The same, where what is configured is still as it was known to be, read after the change `since`.

    Raises `Conflict` as well.
    """
    async with installation.database.read() as session:
        if await newest(session) == since:
            return known
    stored = await stored_exchange(installation, login)
    if replace(stored, used={}) != replace(known, used={}):
        raise Conflict(f"the switchboard of {login} was changed just now: repeat this")
    return stored
