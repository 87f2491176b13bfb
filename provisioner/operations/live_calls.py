"""Live test calls: people's own phones ring, and what these and the switchboard say to each other is judged.

They are made only for who has said that he wants them, and after him nobody makes them again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from db.changes import newest
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import BadValue, CentralkaError
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import CALLER_LINE, LIVE_NAME, with_caller
from provisioner.operations.draws import judge_draws
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.living import Living, LivingCompany
from provisioner.operations.messages import Room
from provisioner.operations.playing import is_over, ringing
from provisioner.operations.proof_history import keep_proof
from provisioner.operations.proofs import Begun, Proof, ProvedCall, proved
from provisioner.operations.test_calls import (
    LONGEST_S,
    NoCallsHere,
    ProofBroke,
    Tell,
    blaming,
    one_run,
    stored_exchange,
    unchanged,
)
from provisioner.operations.trials import LONGEST_LIVE_S, live_trial
from sip.testcall.agents import TestPhones
from sip.testcall.lateness import Lateness
from sip.testcall.lived import Lines, lived
from sip.testcall.observed import Observation, Registered
from sip.testcall.plan_parts import may_ring
from sip.testcall.process import test_phones
from sip.testcall.scenario import Behaviour, Scenario, Then
from sip.testcall.spoken import Spoken

MOST_LIVE_CALLS = 20
"That one run makes."
_SLACK_S = 15.0
_AFTER_S = 3.0
"In which all phones have heard that a call is over."
_SETTLES_S = 0.5
"After the end, for what should not happen any more, and for people to notice that it was one."
_LOOK_S = 0.05
_PHONE = "the test phone"


@dataclass(frozen=True, slots=True)
class Rings:
    """A line that a live test call may ring."""

    line: str
    extension: str
    "Empty: it has none."
    name: str
    phones: int
    "That are registered; none of them rings where that is 0."


class NotConfirmed(CentralkaError):
    """Nobody has said that people's phones are to ring."""

    code = "not-confirmed"

    def __init__(self, rings: Sequence[Rings]) -> None:
        super().__init__(
            f"this rings people's phones: {listed(rings)}; say that it is confirmed, or leave live out:"
            " then test phones ring"
        )


def listed(rings: Sequence[Rings]) -> str:
    """Whom it rings, for people."""
    each = (
        f"{' '.join(filter(None, (ring.extension or ring.line, ring.name)))} ({ring.phones} registered)"
        for ring in rings
    )
    return ", ".join(each) or "nobody's"


async def whom(
    installation: Installation, switchboard: Switchboard, number: str, login: str
) -> tuple[Rings, ...]:
    """Whose phones a live test call to a number may ring, by what is configured.

    Raises `NotFound`, `BadValue`, `NoCallsHere`, `StorageError`.
    """
    living = _living(switchboard)
    return _rings(living, _scenario(installation, await stored_exchange(installation, login), number))


def _rings(living: Living, scenario: Scenario) -> tuple[Rings, ...]:
    rung = may_ring(scenario.plan)
    return tuple(
        Rings(part.phone, part.extension, part.name, living.phones(part.phone))
        for part in scenario.members
        if part.phone in rung
    )


async def prove_live(
    installation: Installation,
    switchboard: Switchboard,
    number: str,
    login: str,
    tell: Tell,
    actor: Actor,
    *,
    calls: int = 1,
    confirmed: bool = False,
) -> Proof:
    """Calls a number of a customer, where people's phones ring. As `test_calls.prove` otherwise.

    Raises `NotConfirmed`, and `LiveTestGoesOn` beside what that raises.
    """
    living = _living(switchboard)
    if calls > MOST_LIVE_CALLS:
        raise BadValue(
            f"a live test makes {MOST_LIVE_CALLS} calls at the most: people have other things to do"
        )
    async with installation.database.read() as session:
        since = await newest(session)
    exchange = await stored_exchange(installation, login)
    # What is wrong with the question is said before anything rings.
    expected = _scenario(installation, exchange, number)
    if not confirmed:
        raise NotConfirmed(_rings(living, expected))
    made: list[ProvedCall] = []
    async with (
        one_run(number, _PHONE, LONGEST_S),
        living.company(next(iter(exchange.lines))) as company,
        test_phones() as phones,
    ):
        with blaming(_PHONE):
            run = _Run(installation, living, company, phones, number, login, since)
            await run.begin()
            for place in range(1, calls + 1):
                await tell(Begun(expected.kind, place, calls))
                made.append(await run.call(exchange))
                await tell(made[-1])
    findings = await judge_draws(installation, exchange.customer_id, number, made)
    proof = Proof(login, number, 1.0, tuple(made), findings, live=True)
    return replace(proof, id=await keep_proof(installation, exchange.customer_id, proof, actor, since))


@dataclass(frozen=True, slots=True)
class _Played:
    """A call that is over."""

    scenario: Scenario
    "In which each phone does what it did."
    seen: Sequence[Observation]
    spoken: Sequence[Spoken]


class _Run:
    """The calls of one test."""

    def __init__(
        self,
        installation: Installation,
        living: Living,
        company: LivingCompany,
        phones: TestPhones,
        number: str,
        login: str,
        since: int,
    ) -> None:
        self._installation = installation
        self._living = living
        self._company = company
        self._phones = phones
        self._number = number
        self._login = login
        self._since = since
        self._caller = company.account.number
        self._room = Room()

    async def begin(self) -> None:
        """The caller's phone registers. Raises `PhonesFailed`."""
        await self._phones.register(self._company.account, Behaviour(Then.SILENT), hz=0)

    async def call(self, exchange: Exchange) -> ProvedCall:
        """Makes one, and judges it. Raises `Conflict`, `ProofBroke`, `PhonesFailed`, `StorageError`."""
        await unchanged(self._installation, self._login, exchange, self._since)
        at, before = utc_now(), self._phones.late_s
        # Who has answered last the engine knows better than what is stored.
        current = replace(exchange, used=self._company.exchange.used)
        with Lateness() as late:
            played = await self._played(_scenario(self._installation, current, self._number))
        late_s = late.total_s + self._phones.late_s - before
        call = proved(played.scenario, played.seen, at, late_s, played.spoken)
        return replace(call, messages=self._room.take(call.messages, is_wrong=not call.passed))

    async def _played(self, scenario: Scenario) -> _Played:
        """The call as people have played it."""
        self._phones.take_spoken()
        phones, company, began = self._phones, self._company, asyncio.get_running_loop().time()
        there = [part.phone for part in scenario.members if self._living.phones(part.phone)]
        engaged = [part.phone for part in scenario.members if company.is_engaged(part.phone)]
        before = len(phones.seen)
        with company.watched() as witness:
            phones.call(
                self._caller,
                scenario.dialled,
                scenario.caller.hz,
                gives_up_s=scenario.gives_up_s,
                talks_s=scenario.talks_s,
            )
            try:
                longest_s = LONGEST_LIVE_S + scenario.talks_s + _SLACK_S
                await phones.until(lambda: is_over(self._caller, phones.seen[before:]), longest_s)
            except TimeoutError:
                # It should have been: the verdict says so, and nobody's phone is to go on.
                company.hang_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(_AFTER_S):
                    while ringing(witness.seen):  # noqa: ASYNC110 - it is told of by nobody
                        await asyncio.sleep(_LOOK_S)
            await asyncio.sleep(_SETTLES_S)
        if witness.picked_up_by is not None:
            raise ProofBroke(f"{witness.picked_up_by} has picked the test call up: repeat this")
        registered = (each for each in phones.seen[:before] if isinstance(each, Registered))
        own = (each for each in (*registered, *phones.seen[before:]) if each.phone == self._caller)
        seen = [replace(each, phone=CALLER_LINE) for each in own]
        seen += [Registered(phone, began) for phone in there]
        seen += witness.seen
        spoken = [replace(each, phone=CALLER_LINE) for each in phones.take_spoken()]
        return _Played(lived(scenario, seen, Lines(engaged, witness.dead)), seen, [*spoken, *witness.spoken])


def _scenario(installation: Installation, exchange: Exchange, number: str) -> Scenario:
    unused = installation.settings.numbering.emergency_numbers
    return live_trial(with_caller(exchange, unused, name=LIVE_NAME), number, unused)


def _living(switchboard: Switchboard) -> Living:
    if switchboard.living is None:
        raise NoCallsHere
    return switchboard.living
