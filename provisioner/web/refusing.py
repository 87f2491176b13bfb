"""The status of each refusal, for pages and the API alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from provisioner.centrex.errors import BadValue, CentralkaError, Conflict, Forbidden, NotFound
from provisioner.operations.live_calls import NotConfirmed
from provisioner.operations.living import LiveTestGoesOn
from provisioner.operations.test_calls import NoCallsHere, ProofBroke
from provisioner.operations.twins import TooManyTestCalls
from provisioner.web.streams import TooManyStreams

_STATUS: Mapping[type[CentralkaError], HTTPStatus] = {
    BadValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooManyTestCalls: HTTPStatus.TOO_MANY_REQUESTS,
    LiveTestGoesOn: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyStreams: HTTPStatus.TOO_MANY_REQUESTS,
    NotConfirmed: HTTPStatus.CONFLICT,
    NoCallsHere: HTTPStatus.SERVICE_UNAVAILABLE,
    ProofBroke: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: CentralkaError) -> HTTPStatus:
    """What it is answered with."""
    known = (each for each in type(error).__mro__ if each in _STATUS)
    return next((_STATUS[each] for each in known), HTTPStatus.BAD_REQUEST)


def headers_of(error: CentralkaError) -> dict[str, str]:
    """What the answer says besides."""
    return {"Retry-After": "60"} if isinstance(error, TooManyStreams) else {}
