"""A number that was red stays red until the same test has passed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from db.changes import newest
from db.queries.proof_runs import numbers, red_numbers
from db.schema import LineRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations import proof_board
from provisioner.operations.alarms import list_alarms
from provisioner.operations.installation import Installation
from provisioner.operations.proof_board import Standing, proof_stands
from provisioner.operations.proof_history import KEPT, Within, keep_proof, show_proof
from provisioner.operations.proof_runs import ask_for_run
from provisioner.operations.reds import Red, Way, reds_after, reds_in, reds_text
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.test_proof_history import customer

SAMPLE = "nowyklienttestowy"
WHOLE, SHARED, PLAIN, LIVE = Way


async def kept(installation: Installation, way: Way, *, passed: bool, calls: int = 1, run: int = 0) -> int:
    """The id of a test of 600."""
    async with installation.database.read() as session:
        since = await newest(session)
    made = proof("600", *([] if passed else [FINDING]))
    found = await keep_proof(
        installation,
        await customer(installation),
        replace(made, calls=made.calls * calls, live=way is LIVE),
        COMMAND_LINE,
        since,
        fingerprint="as expected" if way in (WHOLE, SHARED) else None,
        is_shared=way is SHARED,
        within=Within(run, "600 is red") if run else None,
    )
    assert found is not None
    return found


async def stand_of(installation: Installation) -> proof_board.Tested:
    """How 600 stands: the same on the page, in the list of customers, for runs and in the metrics."""
    board = await proof_board.proof_board(installation, SAMPLE, None, "", "", 50)
    (found,) = (each for each in board.numbers if each.number == "600")
    is_red = found.standing is Standing.RED
    (stand,) = await proof_stands(installation, "", "", 10)
    assert (stand.failed, stand.passed) == (int(is_red), int(not is_red))
    async with installation.database.read() as session:
        assert await red_numbers(session) == int(is_red)
    (known,) = (each for each in await numbers(installation.database, None) if each.number == "600")
    assert known.is_green is not is_red
    return found


async def proved(installation: Installation) -> bool:
    async with installation.database.read() as session:
        return await session.scalar(select(LineRow.id).where(LineRow.proved_at.is_not(None))) is not None


async def test_a_number_is_green_again_when_all_that_is_configured_has_passed_and_no_sooner(
    sample: Installation,
):
    run = await ask_for_run(sample, None, 4, COMMAND_LINE)
    red = await kept(sample, WHOLE, passed=False, run=run)
    assert (await stand_of(sample)).red_before is None, "its newest test says so itself"
    for way in (PLAIN, SHARED, LIVE):
        await kept(sample, way, passed=True, calls=20)
        assert (await stand_of(sample)).red_before == red, way
        assert not await proved(sample)
        assert [alarm.about for alarm in await list_alarms(sample)] == ["600"]
    await kept(sample, WHOLE, passed=True)
    assert (await stand_of(sample)).standing is Standing.PROVEN
    assert await proved(sample)
    assert await list_alarms(sample) == []


async def test_two_tests_that_are_over_at_once_hide_nothing_from_each_other(sample: Installation):
    for _ in range(5):
        await kept(sample, WHOLE, passed=True)
        tests = (kept(sample, WHOLE, passed=False), *(kept(sample, PLAIN, passed=True) for _ in range(3)))
        await asyncio.gather(*tests)
        assert (await stand_of(sample)).standing is Standing.RED


async def test_what_peoples_phones_did_wrong_is_forgotten_when_they_do_it_right(sample: Installation):
    await kept(sample, LIVE, passed=False, calls=2)
    for way, calls in ((WHOLE, 9), (LIVE, 1), (PLAIN, 9)):
        await kept(sample, way, passed=True, calls=calls)
        assert (await stand_of(sample)).standing is Standing.RED
    await kept(sample, LIVE, passed=True, calls=2)
    assert (await stand_of(sample)).standing is Standing.PROVEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_test_that_makes_a_number_red_is_kept_as_long_as_it_does(sample: Installation):
    red = await kept(sample, WHOLE, passed=False)
    for _ in range(KEPT + 1):
        await kept(sample, PLAIN, passed=True)
    assert (await stand_of(sample)).red_before == red
    assert (await show_proof(sample, red))[0].passed is False


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([(WHOLE, 9, False), (WHOLE, 9, True)], []),
        ([(PLAIN, 20, False), (PLAIN, 19, True)], [PLAIN]),
        ([(PLAIN, 20, False), (PLAIN, 20, True)], []),
        ([(PLAIN, 20, False), (WHOLE, 9, True)], []),
        ([(PLAIN, 20, False), (PLAIN, 1, False), (PLAIN, 1, True)], [PLAIN]),
        ([(PLAIN, 1, False), (WHOLE, 9, False), (PLAIN, 20, True)], [WHOLE]),
        ([(LIVE, 1, False), (WHOLE, 9, False), (WHOLE, 9, True)], [LIVE]),
        ([(LIVE, 1, False), (WHOLE, 9, False), (LIVE, 1, True)], [WHOLE]),
        ([(WHOLE, 9, False), (SHARED, 5, True)], [WHOLE]),
    ],
)
def test_only_the_same_takes_back_what_was_found(steps: list[tuple[Way, int, bool]], left: list[Way]):
    reds: tuple[Red, ...] = ()
    for number, (way, calls, passed) in enumerate(steps):
        reds = reds_in(reds_text(reds_after(reds, Red(way, number, calls), passed=passed)))
    assert [each.way for each in reds] == left
