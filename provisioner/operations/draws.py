"""The orders that a group has drawn by chance in test calls so far, as they are kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from db.queries import proofs as queries
from provisioner.operations.installation import Installation
from provisioner.operations.proof_history import KEPT
from provisioner.operations.proofs import ProvedCall
from sip.testcall.drawn import Drawn, judge_drawn
from sip.testcall.findings import Code, Finding


async def judge_draws(
    installation: Installation, customer_id: int, number: str, calls: Sequence[ProvedCall]
) -> tuple[Finding, ...]:
    """What is wrong with what the calls of a run drew, beside all before. Raises `StorageError`."""
    drawn = [call.drawn for call in calls if call.drawn is not None]
    if not drawn:
        return ()
    before = await draws_before(installation, customer_id, number)
    # Exact tests of many orders take a third of a second: calls of people are served meanwhile.
    return await asyncio.to_thread(lambda: tuple(judge_drawn([*before, *drawn])))


async def draws_before(installation: Installation, customer_id: int, number: str) -> Sequence[Drawn]:
    """All of the kept runs of a number, the oldest first, after the last one that could not be believed.

    What was wrong then was found; what is mended since must not be suspected for it. Raises `StorageError`.
    """
    async with installation.database.read() as session:
        newest_first = await queries.details_of(session, customer_id, number, KEPT)
    return await asyncio.to_thread(_believed, newest_first)


def _believed(newest_first: Sequence[str]) -> Sequence[Drawn]:
    runs: list[list[Drawn]] = []
    for details in newest_first:
        proof = json.loads(details)
        if any(finding["code"] == Code.NOT_RANDOM for finding in proof["findings"]):
            break
        runs.append([_drawn(call["drawn"]) for call in proof["calls"] if call["drawn"] is not None])
    return [each for run in reversed(runs) for each in run]


def _drawn(said: dict[str, Any]) -> Drawn:
    return Drawn(said["group"], tuple(said["members"]), tuple(said["order"]))
