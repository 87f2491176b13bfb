"""The last day of a line on a phone, as spans that meet and end in what is true now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.queries.registered import Happened
from provisioner.operations.installation import Installation
from provisioner.operations.registered import LIVE, Device, Registration, State
from provisioner.operations.registration_board import board
from provisioner.operations.registration_history import Span, Was, spans_of
from provisioner.operations.registrations import Wanted
from tests.provisioner.bindings import HOUR, bind, happened, now
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, phone, put

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MIDNIGHT = NOON - 12 * HOUR
MINUTE = timedelta(minutes=1)
WORDS = [*map(str, State), "moved", "flapping", "refreshed"]


def shown(state: State, since: datetime | None = None, ended_at: datetime | None = None) -> Registration:
    return Registration(
        line=ONE,
        customer="firma",
        extension=None,
        name="",
        device=Device(str(DESK), "T46S", "", None),
        state=state,
        rungs=(),
        model=None,
        firmware=None,
        differences=(),
        user_agent=None,
        contact=None,
        transport=None,
        source=None,
        since=since,
        until=None,
        ended_at=ended_at,
        refreshed_at=None,
        refreshes=0,
        heard_at=None,
        rtt_ms=None,
    )


def event(kind: str, at: datetime) -> Happened:
    return Happened(1, 1, at, kind, "", "", "udp", "")


def test_a_phone_that_came_and_went_is_drawn_so():
    events = [
        event("registered", NOON - 30 * HOUR),
        event("reachable", NOON - 10 * HOUR),
        event("flapping", NOON - 9 * HOUR),
        event("unreachable", NOON - 2 * HOUR),
        event("expired", NOON - HOUR),
    ]
    assert spans_of(shown(State.EXPIRED, ended_at=NOON - HOUR), events, MIDNIGHT, NOON) == (
        Span(MIDNIGHT, NOON - 10 * HOUR, Was.REGISTERED),
        Span(NOON - 10 * HOUR, NOON - 2 * HOUR, Was.REACHABLE),
        Span(NOON - 2 * HOUR, NOON - HOUR, Was.UNREACHABLE),
        Span(NOON - HOUR, NOON, Was.GONE),
    )


def test_what_nothing_is_remembered_of_is_not_made_up():
    assert spans_of(shown(State.NEVER), [], MIDNIGHT, NOON) == (Span(MIDNIGHT, NOON, Was.UNKNOWN),)
    assert spans_of(shown(State.REGISTERED, since=NOON - HOUR), [], MIDNIGHT, NOON) == (
        Span(MIDNIGHT, NOON - HOUR, Was.UNKNOWN),
        Span(NOON - HOUR, NOON, Was.REGISTERED),
    )


def test_a_phone_that_moves_stays_reachable():
    events = [event("reachable", MIDNIGHT), event("moved", NOON - HOUR)]
    assert spans_of(shown(State.REACHABLE, since=MIDNIGHT), events, MIDNIGHT, NOON) == (
        Span(MIDNIGHT, NOON, Was.REACHABLE),
    )


@given(
    st.lists(st.tuples(st.integers(-2000, 720), st.sampled_from(WORDS))),
    st.sampled_from(State),
    st.integers(-2000, 720),
)
def test_spans_meet_from_the_first_moment_to_the_last_and_never_repeat(
    happened: list[tuple[int, str]], state: State, known: int
):
    events = [event(kind, MIDNIGHT + MINUTE * at) for at, kind in sorted(happened)]
    at = MIDNIGHT + MINUTE * known
    of_now = shown(state, since=at) if state in LIVE else shown(state, ended_at=at)
    spans = spans_of(of_now, events, MIDNIGHT, NOON)
    assert (spans[0].start, spans[-1].end) == (MIDNIGHT, NOON)
    assert all(span.start < span.end for span in spans)
    for one, two in pairwise(spans):
        assert one.end == two.start
        assert one.was is not two.was


@pytest.mark.parametrize("shared", [False, True])
async def test_each_phone_of_a_line_has_a_history_of_its_own(firma: Installation, shared: bool):
    if shared:
        devices = [phone(DESK, "T46S", ONE), phone(HALL, "VP530P", ONE)]
        await put(firma, {"login": "firma", "devices": devices})
    other = ONE if shared else TWO
    ago = now() - 2 * HOUR
    await happened(firma, "registered", ONE, DESK, at=ago)
    await bind(firma, ONE, DESK, registered_at=ago)
    await happened(firma, "registered", other, HALL, at=now() - 40 * HOUR)
    await happened(firma, "expired", other, HALL, at=now() - 30 * HOUR)
    found = await board(firma, Wanted(), "", 10)
    drawn = {row.device.mac: [span.was for span in spans] for row, spans in found.rows if row.device}
    assert drawn == {str(DESK): [Was.UNKNOWN, Was.REGISTERED], str(HALL): [Was.GONE]}
    assert (found.counts.registered, found.counts.chosen, found.next) == (1, 2, None)
