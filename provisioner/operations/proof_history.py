"""What test calls have proved so far, number by number: kept when a run is over, and looked at later."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import DatabaseBusy
from db.queries import alarms as alarm_queries
from db.queries import proof_runs as run_queries
from db.queries import proofs as queries
from db.queries.proof_states import LIVE
from db.schema import AlarmRow, CustomerRow, ProofRow
from db.tail import announce
from provisioner.centrex.actor import Actor
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.messages import packed, unpacked
from provisioner.operations.missing import no_test_call
from provisioner.operations.proofs import Proof, plain, proof_of, without_messages
from provisioner.operations.reds import Red, Way, reds_after, reds_in, reds_text
from provisioner.operations.visible import customer_seen

MOST_PROOFS = 500
"Of a page."
KEPT = 30
"Of each number."
_TRIES = 20
"Of what is not to be lost, each of which waits a moment for the database."
_AGAIN_S = 0.2
_KEPT_ALARMS = 5
"About each number that are over."


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
    run_id: int | None
    "The run over many numbers that it was part of, while that is known; None: it was asked for by itself."


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
    run_id: int | None = None
    "Of a run over many numbers."


@dataclass(frozen=True, slots=True)
class Within:
    """The run over many numbers in which a number was tested."""

    run_id: int
    alarm: str
    "What to raise where it does not ring as is configured; empty: nothing."


async def keep_proof(
    installation: Installation,
    customer_id: int,
    proof: Proof,
    actor: Actor,
    since: int,
    *,
    fingerprint: str | None = None,
    is_shared: bool = False,
    within: Within | None = None,
) -> int | None:
    """Keeps what was proved, and forgets the oldest of that number.

    SIP messages are kept of the newest, and of the newest that went wrong.
    `since` is the change (`db.changes`) of which the configuration was that was tested: lines of one that is
    another now count as proved no more. `fingerprint` is of all that is expected of the number; None: not all
    of that was tried. `is_shared`: some of it by another number. What was red is red until the same has
    passed (`reds`), and an alarm about it goes on. Returns its id; None: the customer is gone meanwhile.
    Raises `StorageError`.
    """
    # Of many calls both take long: calls of people are served meanwhile.
    details, messages = await asyncio.to_thread(_written, proof)

    async def once() -> int | None:
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
                details=details,
                run_id=None if within is None else within.run_id,
                fingerprint=fingerprint,
                messages=messages,
            )
            await announce(session)
            before = reds_in(await queries.reds_of(session, customer_id, proof.number))
            session.add(row)
            await session.flush()
            way = _way(proof, fingerprint, is_shared=is_shared)
            reds = reds_after(before, Red(way, row.id, row.calls), passed=proof.passed)
            row.reds = reds_text(reds)
            await session.flush()
            spared = [each.test_call for each in reds]
            await queries.forget_proofs(session, customer_id, proof.number, KEPT, spared)
            await queries.forget_messages(session, customer_id, proof.number)
            # What passed where something else is red still has proved nothing.
            is_news = not (proof.passed and reds)
            if is_news and not await queries.is_changed(session, customer_id, since):
                rang = {each.line for call in proof.calls for each in call.rung}
                await queries.note_proved(session, rang, row.at if proof.passed else None)
            if within is not None:
                await run_queries.count(session, within.run_id, passed=proof.passed)
            if proof.passed and way is Way.WHOLE:
                await alarm_queries.end(session, customer_id, proof.number, AlarmKind.RED, row.at)
            elif not proof.passed and within is not None and within.alarm:
                await _raise_alarm(session, row, within.alarm)
            return row.id

    # It is busy where another test of the number is kept just now, or a change holds one of its lines.
    for _ in range(_TRIES - 1):
        with suppress(DatabaseBusy):
            return await once()
        await asyncio.sleep(_AGAIN_S)
    return await once()


def _way(proof: Proof, fingerprint: str | None, *, is_shared: bool) -> Way:
    if proof.live:
        return Way.LIVE
    if fingerprint is None:
        return Way.PLAIN
    # What goes wrong is to be tried again with all the rest.
    return Way.SHARED if is_shared and proof.passed else Way.WHOLE


def _written(proof: Proof) -> tuple[str, str | None]:
    """As it is kept, and its SIP messages apart from it."""
    details = json.dumps(plain(without_messages(proof)), ensure_ascii=False)
    return details, packed([call.messages for call in proof.calls])


async def _raise_alarm(session: AsyncSession, row: ProofRow, text: str) -> None:
    """Once: until the number rings as it should nothing more is said of it."""
    if await alarm_queries.is_raised(session, row.customer_id, row.number, AlarmKind.RED):
        return
    await alarm_queries.forget_over(session, row.customer_id, row.number, AlarmKind.RED, _KEPT_ALARMS)
    about = {"customer_id": row.customer_id, "number": row.number}
    session.add(AlarmRow(kind=AlarmKind.RED, text=text, source=None, at=row.at, **about))


async def list_proofs(
    installation: Installation, wanted: Wanted, before: int | None = None, most: int = MOST_PROOFS
) -> Page:
    """A page of them. Raises `NotFound` for a customer that is not there, or not for the other to see."""
    async with installation.database.read() as session:
        if wanted.customer is not None:
            await customer_seen(session, wanted.customer, wanted.customer_id)
        chosen = queries.Chosen(
            wanted.customer_id, wanted.customer, wanted.number, wanted.passed, wanted.run_id
        )
        found = await queries.proofs(session, chosen, before, most + 1)
    runs = tuple(_run(*each) for each in found[:most])
    return Page(runs, runs[-1].id if len(found) > most else None)


async def all_proofs(installation: Installation, run_id: int) -> list[Proof]:
    """All that a run over many numbers has proved, the first first."""
    async with installation.database.read() as session:
        rows = await queries.of_run(session, run_id)
    return [proof_of(json.loads(details)) for details in rows]


async def show_proof(
    installation: Installation, proof_id: int, customer_id: int | None = None, *, with_messages: bool = False
) -> tuple[Run, Proof]:
    """One of them, with all that was seen, and the SIP messages if they are kept. Raises `NotFound`."""
    async with installation.database.read() as session:
        found = await queries.one_proof(session, queries.Chosen(customer_id), proof_id)
    if found is None:
        raise no_test_call(proof_id)
    run, row = _run(*found), found[1]
    proof = proof_of(json.loads(row.details))
    messages = unpacked(row.messages) if with_messages else ()
    if len(messages) == len(proof.calls):
        calls = zip(proof.calls, messages, strict=True)
        proof = replace(proof, calls=tuple(replace(call, messages=said) for call, said in calls))
    return run, proof


def _run(login: str, row: ProofRow) -> Run:
    is_live = LIVE in row.details
    return Run(
        row.id, row.at, login, row.number, row.passed, row.calls, row.failed, row.actor, is_live, row.run_id
    )
