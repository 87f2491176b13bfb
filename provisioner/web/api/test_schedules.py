"""`/api/v1/test-schedules`: when numbers are tested by themselves, and whose otherwise than all."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from provisioner.centrex.customer import ProofSchedule
from provisioner.operations.api_tokens import Bearer
from provisioner.operations.proof_schedules import (
    MOST_SCHEDULES,
    page_of_schedules,
    set_schedule,
    show_schedule,
)
from provisioner.web.api.auth import INSTALLATION
from provisioner.web.api.bodies import Body, answer, asked_in, check_listing, number_in

PARAMETERS = frozenset({"cursor", "limit"})
USUAL_SCHEDULES: Final = 100
"Of a page, unless `limit` says otherwise."


class OwnScheduleBody(Body):
    """What a customer has otherwise than all. What is null or left out is as with all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nightly: bool | None = None
    after_changes: bool | None = None
    window: str | None = None
    "From when to when at night, in the customer's time zone, such as `22:00-05:00`."


class TestScheduleBody(Body):
    """When numbers are tested by themselves."""

    customer: str | None
    "Whose, by login; null: of all that have nothing otherwise, as the configuration file says it."
    nightly: bool
    window: str
    "From when to when at night."
    time_zone: str
    "Of the window."
    full_length_day: str
    "The night that begins then has ring times of their full length; or `never`."
    after_changes: bool
    own: OwnScheduleBody
    "What of it is the customer's own."


class TestSchedulesBody(BaseModel):
    """What holds for all, and a page of what customers have otherwise, by login."""

    all: TestScheduleBody
    test_schedules: list[TestScheduleBody]
    next: str | None
    "The `cursor` of the next page; null: this was the last."


async def test_schedules(request: web.Request, bearer: Bearer) -> web.Response:
    """Of all, and of those that have something otherwise. Raises `BadValue`."""
    query = request.query
    check_listing(query, PARAMETERS)
    most = number_in(query, "limit", MOST_SCHEDULES) or USUAL_SCHEDULES
    page = await page_of_schedules(
        request.app[INSTALLATION], bearer.customer_id, query.get("cursor", ""), most
    )
    rows = [TestScheduleBody.model_validate(each) for each in page.schedules]
    common = TestScheduleBody.model_validate(page.common)
    return answer(TestSchedulesBody(all=common, test_schedules=rows, next=page.next))


async def one_test_schedule(request: web.Request, bearer: Bearer) -> web.Response:
    """That of one customer. Raises `NotFound`."""
    return await _shown(request, bearer)


async def put_test_schedule(request: web.Request, bearer: Bearer) -> web.Response:
    """Makes what a customer has otherwise this, and nothing more. Raises `BadValue`, `NotFound`."""
    asked = await asked_in(request, OwnScheduleBody)
    await set_schedule(
        request.app[INSTALLATION],
        request.match_info["customer"],
        bearer.actor,
        ProofSchedule(asked.nightly, asked.after_changes, asked.window),
        bearer.customer_id,
        reset=True,
    )
    return await _shown(request, bearer)


async def _shown(request: web.Request, bearer: Bearer) -> web.Response:
    login = request.match_info["customer"]
    return answer(
        TestScheduleBody.model_validate(
            await show_schedule(request.app[INSTALLATION], login, bearer.customer_id)
        )
    )
