"""Runs of test calls without the calls: what each number is found to be is said beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from db.changes import newest
from db.queries.chosen_lines import customer_called
from db.queries.exchanges import exchange_rows
from provisioner.centrex.errors import CentralkaError
from provisioner.operations import run_lanes
from provisioner.operations.fingerprints import fingerprint
from provisioner.operations.installation import Installation
from provisioner.operations.test_calls import Tried
from provisioner.operations.twins import TwinMaker
from provisioner.store.exchanges import exchange_of
from tests.provisioner.operations.proofs import FINDING, proof


@dataclass
class Found:
    """What numbers are found to be, and which were tested."""

    red: set[str] = field(default_factory=set)
    red_once: set[str] = field(default_factory=set)
    "Green when they are tested again."
    refused: dict[str, list[CentralkaError]] = field(default_factory=dict)
    "Errors that come instead, one after another."
    hold_at: str | None = None
    "The test of this number does not end."
    tried: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    "Those that had to make all their calls themselves."
    at_once: int = 0

    async def test(
        self, installation: Installation, _: TwinMaker, number: str, login: str, *_more: Any, **asked: Any
    ) -> Tried:
        """In the place of `test_calls.tried`."""
        self.tried.append(number)
        if asked["equals"] is None:
            self.alone.append(number)
        self.at_once += 1
        try:
            if self.hold_at == number:
                await asyncio.Event().wait()
            return await self._found(installation, number, login, asked["speed"])
        finally:
            self.at_once -= 1

    async def _found(self, installation: Installation, number: str, login: str, speed: float) -> Tried:
        if self.refused.get(number):
            raise self.refused[number].pop(0)
        is_red = number in self.red | self.red_once
        self.red_once.discard(number)
        async with installation.database.read() as session:
            since, customer_id = await newest(session), await customer_called(session, login)
        assert customer_id is not None
        rows = await exchange_rows(installation.database, customer_id)
        assert rows is not None
        numbering = installation.settings.numbering
        here = exchange_of(customer_id, rows, numbering.forms)
        expected = fingerprint(here, number, numbering.emergency_numbers)
        made = proof(number, *([FINDING] if is_red else []), customer=login)
        return Tried(replace(made, speed=speed), customer_id, since, expected)


@asynccontextmanager
async def _no_phones() -> AsyncIterator[None]:
    """In the place of `PhonesProcess.phones`."""
    yield


TWINS = cast(TwinMaker, SimpleNamespace(process=SimpleNamespace(phones=_no_phones)))
"Of which there are none."


def finding(patch: pytest.MonkeyPatch) -> Found:
    """Has runs find what is said."""
    found = Found()
    patch.setattr(run_lanes, "tried", found.test)
    return found
