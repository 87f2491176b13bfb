"""Test calls: a customer's number is called in a twin, by phones not of ours, and judged by what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from db.queries.chosen_lines import customer_called
from db.queries.exchanges import exchange_rows
from provisioner.centrex.errors import CentralkaError, Conflict, NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.playing import Stage
from provisioner.operations.proofs import Begun, Proof, ProvedCall, proved
from provisioner.operations.trials import trials
from provisioner.operations.twins import Twin
from provisioner.store.exchanges import exchange_of
from sip.testcall.agents import PhonesFailed, test_phones
from sip.testcall.drawn import judge_drawn
from sip.testcall.scenario import Scenario

MOST_CALLS = 100
"That one run makes."
MOST_SPEED = 20.0
"Above it phones that take a call in time look as if they took it late."
LONGEST_S = 900.0
"A run is ended after that, whatever it does."


Tell = Callable[[Begun | ProvedCall], Awaitable[None]]


class NoCallsHere(CentralkaError):
    """Calls are served by another process."""

    code = "no-calls-here"

    def __init__(self) -> None:
        super().__init__("this server takes no calls: wait until it is up, then repeat this")


class ProofBroke(CentralkaError):
    """A run did not come to its end: that says nothing about the switchboard."""

    code = "test-call-broke"


async def prove(
    installation: Installation,
    switchboard: Switchboard,
    number: str,
    login: str,
    tell: Tell,
    *,
    calls: int | None = None,
    speed: float = 1.0,
) -> Proof:
    """Calls a number of a customer in a twin of its switchboard; `tell` is told of each call.

    Calls of each kind that its configuration asks for, or `calls` of the plainest. Raises `NotFound`,
    `BadValue`, `TooManyTestCalls`, `ProofBroke`, `StorageError`.
    """
    if switchboard.twin is None:
        raise NoCallsHere
    asked = _Asked(number, login, calls, speed, installation.settings.numbering.emergency_numbers)
    exchange = await _stored(installation, login)
    # What is wrong with the question is said before anything is up.
    asked.scenarios(with_caller(exchange, asked.emergency_numbers), ())
    made: list[ProvedCall] = []
    failed: Exception | None = None
    try:
        async with (
            asyncio.timeout(LONGEST_S),
            switchboard.twin(next(iter(exchange.lines)), speed) as twin,
            test_phones() as phones,
        ):
            try:
                judged_by = await _same(installation, login, exchange, twin)
                async for call in _calls(asked, judged_by, Stage(twin, phones), tell):
                    made.append(call)
            except Exception as error:
                # Not within the group that listens to the phones, which would wrap it.
                failed = error
    except TimeoutError:
        raise ProofBroke(f"the test of {number} took longer than {LONGEST_S:.0f} s: ask for less") from None
    except OSError as error:
        raise ProofBroke(f"the test phones can't be started: {error}") from error
    if isinstance(failed, PhonesFailed | TimeoutError):
        why = str(failed) or "the test phones did not say anything for too long"
        raise ProofBroke(f"{why}: repeat this, or look into the server's log") from failed
    if failed is not None:
        raise failed
    findings = tuple(judge_drawn([call.drawn for call in made if call.drawn is not None]))
    return Proof(login, number, speed, tuple(made), findings)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be proved."""

    number: str
    login: str
    calls: int | None
    speed: float
    emergency_numbers: frozenset[str]

    def scenarios(self, exchange: Exchange, answered: Sequence[str]) -> Sequence[Scenario]:
        """One for each call, as they are when these lines have answered test calls already.

        Raises `NotFound`, `BadValue`.
        """
        found = trials(
            exchange,
            self.number,
            speed=self.speed,
            answered=answered,
            emergency_numbers=self.emergency_numbers,
        )
        return found if self.calls is None else [found[0]] * self.calls


async def _calls(asked: _Asked, exchange: Exchange, stage: Stage, tell: Tell) -> AsyncIterator[ProvedCall]:
    """Makes them, one after another."""
    answered: list[str] = []
    count = len(asked.scenarios(exchange, ()))
    for place in range(count):
        scenario = asked.scenarios(exchange, answered)[place]
        await tell(Begun(scenario.kind, place + 1, count))
        at = utc_now()
        observations = await stage.play(scenario)
        call = proved(scenario, observations, at)
        if call.winner is not None:
            answered.append(call.winner)
        await tell(call)
        yield call


async def _same(installation: Installation, login: str, before: Exchange, twin: Twin) -> Exchange:
    """What the twin is judged by: what is stored, and not what the engine makes of it.

    Of who has answered last the engine knows more than is written yet. Raises `Conflict`.
    """
    after = await _stored(installation, login)
    if replace(before, used={}) != replace(after, used={}):
        raise Conflict(f"the switchboard of {login} was changed just now: repeat this")
    judged_by = with_caller(after, installation.settings.numbering.emergency_numbers)
    return replace(judged_by, used=twin.exchange.used)


async def _stored(installation: Installation, login: str) -> Exchange:
    """A customer's switchboard as the database has it. Raises `NotFound`, `StorageError`."""
    async with installation.database.read() as session:
        customer_id = await customer_called(session, login)
    rows = None if customer_id is None else await exchange_rows(installation.database, customer_id)
    if customer_id is None or rows is None:
        raise NotFound(f"there is no customer {login!r}")
    exchange = exchange_of(customer_id, rows)
    if not exchange.lines:
        raise NotFound(f"{login} has no line: add one before its calls are tested")
    return exchange
