"""A server that is killed (kill -9) while it makes test calls: what is left, and who goes on."""

from __future__ import annotations

import asyncio
import signal

import pytest

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations.installation import Installation
from provisioner.operations.proof_runs import State, ask_for_run, show_run
from provisioner.operations.run_owner import run_owner
from tests.provisioner.processes import is_alive, served, wait_until

ONE_AT_A_TIME = "[test_calls]\nat_once = 1\n"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_next_server_goes_on_with_its_run_and_no_test_phone_is_left(
    sample: Installation, database_url: str
):
    run_id = await ask_for_run(sample, None, 4, COMMAND_LINE)
    async with served(sample.data_dir, database_url, tables=ONE_AT_A_TIME) as server:
        async with asyncio.timeout(60):
            while not server.workers() or not (await show_run(sample, run_id)).numbers:  # noqa: ASYNC110 - told of by nobody
                await asyncio.sleep(0.05)
        phones = server.workers()
        server.process.send_signal(signal.SIGKILL)
        await server.process.wait()
    wait_until(lambda: not any(map(is_alive, phones)))
    # For all that anybody else can know it may be stuck.
    assert (await show_run(sample, run_id)).state is State.UNDER_WAY
    await run_owner(sample)
    left = await show_run(sample, run_id)
    assert (left.state, left.is_over) == (State.WAITING, False)
