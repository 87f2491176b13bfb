"""What test calls have proved so far, number by number: kept when a run is over, and looked at later."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from db.queries import proofs as queries
from db.schema import CustomerRow, ProofRow
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import NotFound
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.messages import packed, unpacked
from provisioner.operations.proofs import Proof, plain, proof_of, without_messages
from provisioner.operations.visible import customer_seen

MOST_PROOFS = 500
"Of a page."
KEPT = 30
"Of each number."
_LIVE = '"live": true'
"Stands in what is kept of live runs, and in no other: quotes within its texts are escaped."


@dataclass(frozen=True, slots=True)
class Run:
    """A run of test calls that is over."""

    id: int
    at: datetime
    "When it was."
    customer: str
    number: str
    passed: bool
    calls: int
    failed: int
    actor: str
    live: bool
    "People's own phones rang."


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, the newest first."""

    runs: tuple[Run, ...]
    next: int | None
    "Where the next page begins; None: this was the last."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them; what is None chooses nothing."""

    customer_id: int | None = None
    "Whose program asks; None: staff."
    customer: str | None = None
    number: str | None = None
    passed: bool | None = None


async def keep_proof(
    installation: Installation, customer_id: int, proof: Proof, actor: Actor, since: int
) -> int | None:
    """Keeps what was proved, and forgets the oldest of that number.

    SIP messages are kept of the newest, and of the newest that went wrong.
    `since` is the change (`db.changes`) of which the configuration was that was tested: lines of one that is
    another now count as proved no more. Returns its id; None: the customer is gone meanwhile. Raises
    `StorageError`.
    """
    async with installation.database.append() as session:
        if await session.get(CustomerRow, customer_id) is None:
            return None
        row = ProofRow(
            customer_id=customer_id,
            number=proof.number,
            at=utc_now(),
            passed=proof.passed,
            calls=len(proof.calls),
            failed=sum(not call.passed for call in proof.calls),
            actor=actor.name,
            details=json.dumps(plain(without_messages(proof)), ensure_ascii=False),
            messages=packed([call.messages for call in proof.calls]),
        )
        session.add(row)
        await session.flush()
        await queries.forget_proofs(session, customer_id, proof.number, KEPT)
        await queries.forget_messages(session, customer_id, proof.number)
        if not await queries.is_changed(session, customer_id, since):
            rang = {each.line for call in proof.calls for each in call.rung}
            await queries.note_proved(session, rang, row.at if proof.passed else None)
        return row.id


async def list_proofs(
    installation: Installation, wanted: Wanted, before: int | None = None, most: int = MOST_PROOFS
) -> Page:
    """A page of them. Raises `NotFound` for a customer that is not there, or not for the other to see."""
    async with installation.database.read() as session:
        if wanted.customer is not None:
            await customer_seen(session, wanted.customer, wanted.customer_id)
        chosen = queries.Chosen(wanted.customer_id, wanted.customer, wanted.number, wanted.passed)
        found = await queries.proofs(session, chosen, before, most + 1)
    runs = tuple(_run(*each) for each in found[:most])
    return Page(runs, runs[-1].id if len(found) > most else None)


async def show_proof(
    installation: Installation, proof_id: int, customer_id: int | None = None, *, with_messages: bool = False
) -> tuple[Run, Proof]:
    """One of them, with all that was seen, and the SIP messages if they are kept. Raises `NotFound`."""
    async with installation.database.read() as session:
        found = await queries.one_proof(session, queries.Chosen(customer_id), proof_id)
    if found is None:
        raise NotFound(f"there is no test call {proof_id}")
    run, row = _run(*found), found[1]
    proof = proof_of(json.loads(row.details))
    messages = unpacked(row.messages) if with_messages else ()
    if len(messages) == len(proof.calls):
        calls = zip(proof.calls, messages, strict=True)
        proof = replace(proof, calls=tuple(replace(call, messages=said) for call, said in calls))
    return run, proof


def _run(login: str, row: ProofRow) -> Run:
    live = _LIVE in row.details
    return Run(row.id, row.at, login, row.number, row.passed, row.calls, row.failed, row.actor, live)
