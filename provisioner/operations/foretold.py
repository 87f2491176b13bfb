"""The calls that a proof is to make, worked out a piece at a time: calls of people are served in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from provisioner.centrex.customer import HuntStrategy
from provisioner.centrex.exchange import Exchange
from provisioner.operations.trials import each_trial
from provisioner.operations.twins import Pace
from sip.testcall.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proved."""

    number: str
    login: str
    calls: int | None
    speed: float
    emergency_numbers: frozenset[str]

    async def scenarios(self, exchange: Exchange, answered: Sequence[str]) -> Sequence[Scenario]:
        """What there is to call, as it is when these lines have answered test calls already.

        Raises `NotFound`, `BadValue`.
        """
        found = []
        for each in each_trial(exchange, self.number, self.speed, answered, self.emergency_numbers):
            found.append(each)
            if self.calls is not None:
                break
            # Calls of people are served in between.
            await asyncio.sleep(0)
        return found


class Foretold:
    """What calls of one lane should become: worked out anew where an answer makes others the least used."""

    def __init__(self, asked: Asked, exchange: Exchange, pace: Pace) -> None:
        self._asked = asked
        self._exchange = exchange
        self._pace = pace
        strategies = {group.strategy for group in exchange.groups.values()}
        self._depends = HuntStrategy.LEAST_USED in strategies
        self._found: Sequence[Scenario] = ()
        self._answers = 0
        "After which it is so."

    async def at(self, place: int, answered: Sequence[str]) -> Scenario:
        """One call, as it is when these have answered."""
        if not self._found or (self._depends and len(answered) != self._answers):
            async with self._pace.turn():
                self._found = await self._asked.scenarios(self._exchange, answered)
            self._answers = len(answered)
        return self._found[place if self._asked.calls is None else 0]
