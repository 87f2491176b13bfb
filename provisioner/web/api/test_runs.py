"""`/api/v1/test-runs`: test calls to all numbers of a customer, or of all, made now and before."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from provisioner.operations.api_tokens import Bearer
from provisioner.operations.missing import no_run
from provisioner.operations.proof_runs import (
    MOST_RUNS,
    Cause,
    State,
    ask_for_run,
    list_runs,
    show_run,
    stop_run,
)
from provisioner.operations.test_calls import MOST_SPEED, NoCallsHere
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import MOST_ID, Body, answer, asked_in, check_listing, id_in, number_in
from provisioner.web.api.calls import SWITCHBOARD

PARAMETERS = frozenset({"customer", "cursor", "limit"})
USUAL_RUNS: Final = 50
"Of a page, unless `limit` says otherwise."


class UntestedBody(Body):
    """A number that could not be tested."""

    customer: str
    number: str
    why: str


class TestRunBody(Body):
    """A run over many numbers. What it proved is at `/test-calls?run=ID`."""

    id: int
    customer: str | None
    "Whose numbers, by login; null: the whole installation's."
    cause: Cause
    actor: str
    "Who asked for it."
    state: State
    speed: int
    "What ring times are divided by."
    made_at: AwareDatetime
    due_at: AwareDatetime
    "When it may begin."
    until: AwareDatetime | None
    "When it ends, wherever it is then."
    began_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    numbers: int
    "That it is about; 0 until it has begun."
    green: int
    red: int
    untested: int
    unchanged: int
    "Left out: proved as they are."
    reasons: list[UntestedBody]
    "Why some were not tested: the first of them."


class TestRunsBody(BaseModel):
    """A page of them, the newest first."""

    test_runs: list[TestRunBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


class AskedRunBody(BaseModel):
    """What is to be tested."""

    model_config = ConfigDict(extra="forbid", strict=True)

    customer: str | None = None
    "The customer's login; null: all that the token may see."
    speed: Annotated[int, Field(ge=1, le=MOST_SPEED)] | None = None
    "What ring times and delays are divided by; null: as at night."


async def test_runs(request: web.Request, bearer: Bearer) -> web.Response:
    """Those that were made. Raises `BadValue`, `NotFound`."""
    query = request.query
    check_listing(query, PARAMETERS)
    most = number_in(query, "limit", MOST_RUNS) or USUAL_RUNS
    before = number_in(query, "cursor", MOST_ID)
    page = await list_runs(
        request.app[INSTALLATION], bearer.customer_id, query.get("customer"), before, most
    )
    rows = [TestRunBody.model_validate(run) for run in page.runs]
    return answer(TestRunsBody(test_runs=rows, next=None if page.next is None else str(page.next)))


async def one_test_run(request: web.Request, bearer: Bearer) -> web.Response:
    """One of them. Raises `NotFound`."""
    run = await show_run(request.app[INSTALLATION], _id(request), bearer.customer_id)
    return answer(TestRunBody.model_validate(run))


async def begin_test_run(request: web.Request, bearer: Bearer) -> web.Response:
    """Asks for one, and answers at once. Raises `BadValue`, `NotFound`, `Conflict`, `NoCallsHere`."""
    asked = await asked_in(request, AskedRunBody)
    installation, look = request.app[INSTALLATION], request.app[SWITCHBOARD].look
    if look is None:
        raise NoCallsHere
    speed = asked.speed or installation.settings.test_calls.speed
    run_id = await ask_for_run(installation, asked.customer, speed, bearer.actor, bearer.customer_id)
    look()
    made = answer(TestRunBody.model_validate(await show_run(installation, run_id, bearer.customer_id)))
    made.set_status(202)
    return made


async def end_test_run(request: web.Request, bearer: Bearer) -> web.Response:
    """Ends one where it is. Raises `NotFound`, `Conflict`."""
    run = await stop_run(request.app[INSTALLATION], _id(request), bearer.customer_id)
    return answer(TestRunBody.model_validate(run))


def _id(request: web.Request) -> int:
    return id_in(request, no_run)
