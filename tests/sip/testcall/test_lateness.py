"""How late a process is woken is noticed, and taken into account."""

from __future__ import annotations

import asyncio
import time

from sip.testcall.lateness import Lateness
from sip.testcall.verdict import TOLERANCES


async def test_a_process_that_stands_still_is_late_by_that():
    with Lateness() as late:
        await asyncio.sleep(0)
        # It has something else to do.
        time.sleep(0.3)  # noqa: ASYNC251
        await asyncio.sleep(0.05)
    assert late.total_s >= 0.2


async def test_it_is_counted_once_for_all_who_want_to_know():
    late = Lateness()
    with late:
        with late:
            pass
        # One has enough of it, another has not.
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251
        await asyncio.sleep(0.05)
    assert late.total_s >= 0.2


def test_for_late_machines_more_is_tolerated_up_to_a_second():
    assert TOLERANCES.late_by(0.0) == TOLERANCES
    assert TOLERANCES.late_by(0.5).late_s == TOLERANCES.late_s + 0.5
    assert TOLERANCES.late_by(60.0).stop_s == TOLERANCES.stop_s + 1
