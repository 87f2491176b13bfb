"""Which runs of test calls are made by themselves, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.queries.proof_runs import Said
from db.schema import ProofScheduleRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.customer import ProofSchedule
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations import companies
from provisioner.operations.installation import Installation
from provisioner.operations.line_services import set_dnd
from provisioner.operations.owed import SLICE
from provisioner.operations.proof_runs import Cause, ProofRun, list_runs
from provisioner.operations.proof_schedules import Schedule, list_schedules, set_schedule, show_schedule
from provisioner.operations.run_schedule import CALM, LONGEST_WAIT, has_own_night, make_due, nights, spared
from provisioner.pbx.codes import PHONE
from provisioner.settings import TestCallsSection as Section
from tests.provisioner.operations.small import ONE, just, other, put

NIGHT = datetime(2026, 3, 3, 1, 30, tzinfo=UTC)
"A Tuesday, half past two in Warsaw."
DAY = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def said(customer_id: int = 7, time_zone: str = "Europe/Warsaw", **otherwise: Any) -> Said:
    return Said(customer_id, "firma", time_zone, ProofScheduleRow(customer_id=customer_id, **otherwise))


def test_a_night_has_one_run_over_the_installation_and_one_a_week_is_of_full_length():
    week = [NIGHT + timedelta(days=day) for day in range(7)]
    made = [due for each in week for due in nights(Section(), [], each)]
    assert [due.cause for due in made] == [Cause.NIGHTLY] * 5 + [Cause.WEEKLY, Cause.NIGHTLY]
    assert [due.speed for due in made] == [4] * 5 + [1, 4]
    assert len({due.slot for due in made}) == 7
    assert made[0].until == datetime(2026, 3, 3, 4, 0, tzinfo=UTC)
    assert nights(Section(), [], DAY) == []
    assert nights(Section(nightly=False), [], NIGHT) == []
    assert {due.cause for each in week for due in nights(Section(full_length_day="never"), [], each)} == {
        Cause.NIGHTLY
    }


@pytest.mark.parametrize(
    ("otherwise", "installation", "at_night", "by_day"),
    [
        ({"nightly": False}, {}, [None], []),
        ({"nightly": True}, {}, [None], []),
        ({"nightly": True}, {"nightly": False}, [7], []),
        ({"window": "11:00-14:00"}, {}, [None], [7]),
        ({"window": "11:00-14:00", "nightly": False}, {}, [None], []),
        ({"window": "11:00-14:00"}, {"nightly": False}, [], []),
        ({"after_changes": False}, {}, [None], []),
    ],
)
def test_a_customer_may_have_its_own_night_or_none(
    otherwise: dict[str, Any], installation: dict[str, Any], at_night: list[int | None], by_day: list[int]
):
    settings, own = Section(**installation), said(**otherwise)
    assert [due.customer_id for due in nights(settings, [own], NIGHT)] == at_night
    assert [due.customer_id for due in nights(settings, [own], DAY)] == by_day
    # It is tested once, or not at all.
    apart = own.row.nightly is False or has_own_night(settings, own)
    assert spared(settings, [own], Cause.NIGHTLY) == (frozenset({7}) if apart else frozenset())
    assert spared(settings, [own], Cause.ASKED) == frozenset()
    quiet = otherwise.get("after_changes") is False
    assert spared(settings, [own], Cause.CHANGE) == (frozenset({7}) if quiet else frozenset())


def test_its_window_is_by_its_own_clock():
    here, there = said(window="02:00-03:00"), said(8, "America/New_York", window="02:00-03:00")
    assert [due.customer_id for due in nights(Section(nightly=False), [here, there], NIGHT)] == []
    own = Section(nightly=True)
    assert {due.customer_id for due in nights(own, [here, there], NIGHT)} == {None, 7}
    assert {due.customer_id for due in nights(own, [here, there], NIGHT + timedelta(hours=6))} == {8}


async def made(installation: Installation, now: datetime) -> list[ProofRun]:
    """The runs that there are then, the oldest first."""
    await make_due(installation, now)
    return list((await list_runs(installation)).runs)[::-1]


async def test_a_night_is_made_once_however_often_it_is_looked_at(firma: Installation):
    assert await made(firma, DAY - timedelta(days=1)) == []
    (run,) = await made(firma, NIGHT)
    assert (run.cause, run.customer, run.actor, run.speed) == (Cause.NIGHTLY, None, "system", 4)
    assert await made(firma, NIGHT + timedelta(minutes=9)) == [run]
    assert len(await made(firma, NIGHT + timedelta(days=1))) == 2


async def test_what_was_changed_is_tested_when_all_is_calm_and_not_for_ever_later(firma: Installation):
    await put(firma, other())
    # What was changed before anybody looked is nobody's business.
    assert await made(firma, DAY) == []
    await just(firma, name="Inna nazwa")
    (run,) = await made(firma, DAY)
    assert (run.cause, run.customer, run.due_at) == (Cause.CHANGE, "firma", DAY + CALM)
    assert await made(firma, DAY + CALM) == [run]
    for minute in range(1, 20):
        await set_dnd(firma, ONE, PHONE, dnd=bool(minute % 2))
        now = DAY + timedelta(minutes=minute) / 2
        (waits,) = await made(firma, now)
        assert waits.due_at == min(now + CALM, DAY + LONGEST_WAIT)


async def test_who_wants_no_tests_after_changes_gets_none(firma: Installation):
    await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(after_changes=False))
    await made(firma, DAY)
    await just(firma, name="Inna nazwa")
    assert await made(firma, DAY) == []


async def test_what_a_customer_has_otherwise_is_listed_and_taken_back(firma: Installation):
    (common,) = await list_schedules(firma)
    assert common == Schedule(None, True, "01:00-05:00", "Europe/Warsaw", "sunday", True)
    await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(nightly=False))
    await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(window="22:00-23:00"))
    own = ProofSchedule(False, None, "22:00-23:00")
    assert await list_schedules(firma) == [
        common,
        Schedule("firma", False, "22:00-23:00", "Europe/Warsaw", "sunday", True, own),
    ]
    await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(), reset=True)
    assert await list_schedules(firma) == [common]
    assert await show_schedule(firma, "firma") == replace(common, customer="firma")
    with pytest.raises(BadValue, match="must be a window"):
        await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(window="22-23"))
    with pytest.raises(NotFound):
        await set_schedule(firma, "nobody", COMMAND_LINE, ProofSchedule(nightly=True))


async def owns(installation: Installation) -> ProofSchedule:
    """What the customer has otherwise than all."""
    return (await show_schedule(installation, "firma")).own


@pytest.mark.parametrize("phones", [SLICE, 0], ids=["few phones", "many"])
async def test_a_company_file_says_it_too_and_touches_no_phone(
    firma: Installation, monkeypatch: pytest.MonkeyPatch, phones: int
):
    monkeypatch.setattr(companies, "SLICE", phones)
    plan = await just(firma, test_calls={"nightly": False, "window": "22:00-23:00"})
    assert [str(each) for each in plan.changes] == [
        "change customer firma: nightly of test_calls: none -> no",
        "change customer firma: window of test_calls: none -> 22:00-23:00",
    ]
    assert plan.files == ()
    assert await owns(firma) == ProofSchedule(False, None, "22:00-23:00")
    # What it leaves out stays, also beside what is a list; null takes one word back, or all.
    await just(firma, name="Firma 2", extensions=[{"number": "101", "line": ONE}], hunt_groups=[])
    await just(firma, test_calls={"nightly": None, "after_changes": True})
    assert await owns(firma) == ProofSchedule(None, True, "22:00-23:00")
    assert (await just(firma, test_calls={"window": "22:00-23:00"})).changes == ()
    await just(firma, test_calls=None)
    assert await owns(firma) == ProofSchedule()
    await put(firma, other("nowa", test_calls={"after_changes": False}))
    assert (await show_schedule(firma, "nowa")).own == ProofSchedule(after_changes=False)


async def test_what_was_said_while_a_company_file_was_looked_at_is_not_lost(
    firma: Installation, monkeypatch: pytest.MonkeyPatch
):
    await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(window="22:00-23:00"))
    monkeypatch.setattr(companies, "SLICE", 0)
    foreseen = companies._foreseen

    async def meanwhile(*asked: Any) -> Any:
        found = await foreseen(*asked)
        await set_schedule(firma, "firma", COMMAND_LINE, ProofSchedule(), reset=True)
        return found

    monkeypatch.setattr(companies, "_foreseen", meanwhile)
    await just(firma, test_calls={"after_changes": False})
    assert await owns(firma) == ProofSchedule(after_changes=False)
