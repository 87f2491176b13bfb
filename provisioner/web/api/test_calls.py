"""`/api/v1/test-calls`: calls that prove that a number rings as it is configured, made now and before."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from provisioner.centrex.actor import Actor
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.live_calls import prove_live
from provisioner.operations.missing import no_customer, no_test_call
from provisioner.operations.proof_history import MOST_PROOFS, Run, Wanted, list_proofs, show_proof
from provisioner.operations.proofs import Begun, Proof, ProvedCall
from provisioner.operations.test_calls import MOST_CALLS, MOST_SPEED, USUAL_SPEED, prove
from provisioner.operations.visible import customer_seen
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import (
    MOST_ID,
    Body,
    answer,
    asked_in,
    check_listing,
    check_names,
    id_in,
    number_in,
    switch_in,
)
from provisioner.web.api.calls import SWITCHBOARD
from sip.testcall.findings import Finding

PARAMETERS = frozenset({"customer", "number", "passed", "run", "cursor", "limit"})
USUAL_PROOFS: Final = 100
"Of a page, unless `limit` says otherwise."


class RunBody(Body):
    """A run of test calls to a number."""

    id: int
    at: AwareDatetime
    "When it was over."
    customer: str
    "The customer's login."
    number: str
    passed: bool
    "Whether all calls went as is configured."
    calls: int
    failed: int
    actor: str
    "Who asked for it."
    live: bool
    "People's own phones rang."
    run_id: int | None
    "The run over many numbers that it was part of; null: it was asked for by itself."


class RunsBody(BaseModel):
    """A page of them, the newest first."""

    test_calls: list[RunBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


class ProofBody(RunBody):
    """One of them, with all that its phones have seen."""

    speed: float
    "What ring times were divided by."
    findings: tuple[Finding, ...]
    "What no single call shows."
    made: tuple[ProvedCall, ...]
    "The calls."


class AskedBody(BaseModel):
    """What is to be tested."""

    model_config = ConfigDict(extra="forbid", strict=True)

    customer: str
    "The customer's login."
    number: str
    "An extension, hunt group, short number or line of it."
    calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] | None = None
    "So many plain calls; null: one of each kind that the configuration asks for."
    speed: Annotated[float, Field(ge=1, le=MOST_SPEED)] = USUAL_SPEED
    "What ring times and delays are divided by."
    live: bool = False
    "People's own phones are to ring, at their full length: `speed` means nothing then."
    confirmed: bool = False
    "That they are to ring: without it a live test is refused, and whom it would ring is said."


async def test_calls(request: web.Request, bearer: Bearer) -> web.Response:
    """Those that were made. Raises `BadValue`, `NotFound`."""
    query = request.query
    check_listing(query, PARAMETERS)
    passed = switch_in(query, "passed")
    run_id = number_in(query, "run", MOST_ID)
    wanted = Wanted(bearer.customer_id, query.get("customer"), query.get("number"), passed, run_id)
    most = number_in(query, "limit", MOST_PROOFS) or USUAL_PROOFS
    found = await list_proofs(request.app[INSTALLATION], wanted, number_in(query, "cursor", MOST_ID), most)
    rows = [RunBody.model_validate(run) for run in found.runs]
    return answer(RunsBody(test_calls=rows, next=None if found.next is None else str(found.next)))


async def one_test_call(request: web.Request, bearer: Bearer) -> web.Response:
    """One of them. Raises `BadValue`, `NotFound`."""
    check_names(request.query, frozenset({"messages"}))
    run, proof = await show_proof(
        request.app[INSTALLATION],
        id_in(request, no_test_call),
        bearer.customer_id,
        with_messages=switch_in(request.query, "messages") or False,
    )
    return answer(_body(run, proof))


async def make_test_call(request: web.Request, bearer: Bearer) -> web.Response:
    """Makes test calls now, and answers when they are over.

    Raises `BadValue`, `NotFound`, `TooManyTestCalls`, `ProofBroke`, and `NotConfirmed` or `LiveTestGoesOn` of
    live ones.
    """
    asked = await asked_in(request, AskedBody)
    installation = request.app[INSTALLATION]
    # Whose customer it is not must not learn that it is there.
    async with installation.database.read() as session:
        await customer_seen(session, asked.customer, bearer.customer_id)
    proof = await _proof(asked, installation, request.app[SWITCHBOARD], bearer.actor)
    if proof.id is None:
        raise no_customer(asked.customer)
    run, proof = await show_proof(installation, proof.id, bearer.customer_id)
    return answer(_body(run, proof))


async def _proof(
    asked: AskedBody, installation: Installation, switchboard: Switchboard, actor: Actor
) -> Proof:
    if not asked.live:
        return await prove(
            installation,
            switchboard,
            asked.number,
            asked.customer,
            _silent,
            actor,
            calls=asked.calls,
            speed=asked.speed,
        )
    return await prove_live(
        installation,
        switchboard,
        asked.number,
        asked.customer,
        _silent,
        actor,
        calls=asked.calls or 1,
        confirmed=asked.confirmed,
    )


async def _silent(_: Begun | ProvedCall) -> None:
    """Whoever asked hears of it all at once."""


def _body(run: Run, proof: Proof) -> ProofBody:
    row = RunBody.model_validate(run).model_dump()
    return ProofBody(**row, speed=proof.speed, findings=proof.findings, made=proof.calls)
