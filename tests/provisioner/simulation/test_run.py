"""Virtual phones on a real server: they come up, call, and leave nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims
from provisioner.operations.installation import Installation
from provisioner.operations.registered import LIVE
from provisioner.operations.registrations import Wanted as Registrations
from provisioner.operations.registrations import list_registrations
from provisioner.simulation.causes import Cause
from provisioner.simulation.profile import profiles
from provisioner.simulation.ready import InUse, Ready, Wanted, from_stock
from provisioner.simulation.run import Plan, Simulation
from provisioner.simulation.tally import Report
from provisioner.virtual_phones.booting import boot
from provisioner.virtual_phones.phone import registered
from tests.provisioner.conftest import apply_text

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CUSTOMER = "nowyklienttestowy"
ALL = Wanted(CUSTOMER, claims=True)
RECEPTION = MacAddress.parse("00:15:65:31:4b:c0")
"Its line is on another phone, too."
BUSY = replace(profiles()["office"], calls_per_hour=20_000, talks_s=0.2, answers_s=0.1, patience_s=1)
SILENT = replace(BUSY, calls_per_hour=0)
RENAMED = """
customers:
  - login: nowyklienttestowy
    extensions:
      - {number: "101"}
      - {number: "102"}
      - {number: "103", name: Sprzedaz}
      - {number: "104"}
      - {number: "105"}
      - {number: "106"}
"""


async def simulated(ready: Ready, plan: Plan) -> Report:
    simulation = Simulation(ready.packed.boxes, ready.network, plan, ready.server)
    return await simulation.run(asyncio.Event())


async def until(met: Callable[[], bool]) -> None:
    """Waits for what only has to happen."""
    async with asyncio.timeout(120):
        for look in itertools.repeat(met):
            if look():
                return
            await asyncio.sleep(0.02)


async def live(installation: Installation) -> list[str]:
    listed = await list_registrations(installation, Registrations(states=LIVE))
    return sorted(row.line for row in listed.rows)


async def test_phones_come_from_their_boxes_call_and_leave_nothing(sample: Installation, running: Running):
    async with from_stock(sample.data_dir, sample.settings, ALL) as ready:
        report = await simulated(ready, Plan(BUSY, over_s=0, for_s=1.5))
    assert report.passed, report.failures
    assert (report.up, report.registered, report.failures) == (5, 6, ())
    assert report.calls > 0
    assert report.server_cpu_s is not None
    assert await live(sample) == []
    # Now they have come: they have tokens, and no need of a claim.
    await running.settled()
    async with from_stock(sample.data_dir, sample.settings, replace(ALL, claims=False, most=3)) as ready:
        report = await simulated(ready, Plan(SILENT, over_s=0, for_s=0))
    assert (report.up, report.calls, report.failures) == (3, 0, ())
    assert set(report.requests) <= {"200", "404"}


async def test_what_is_changed_meanwhile_is_fetched(sample: Installation, running: Running):
    over = asyncio.Event()
    async with from_stock(sample.data_dir, sample.settings, ALL) as ready, asyncio.TaskGroup() as tasks:
        simulation = Simulation(ready.packed.boxes, ready.network, Plan(SILENT, over_s=0, for_s=600))
        running_task = tasks.create_task(simulation.run(over))
        await until(lambda: simulation.is_calling)
        await running.settled()
        await apply_text(sample, RENAMED)
        await until(lambda: simulation.tally.fetched_again > 0)
        over.set()
        report = await running_task
    assert report.interrupted
    assert report.passed, report.failures
    assert await live(sample) == []


async def test_phones_that_never_came_are_not_claimed_in_passing(sample: Installation, running: Running):
    with pytest.raises(BadValue, match=r"it has never come.*--claim"):
        async with from_stock(sample.data_dir, sample.settings, replace(ALL, claims=False)):
            pass


async def test_a_phone_that_is_not_there_is_not_found(sample: Installation, running: Running):
    wanted = Wanted(CUSTOMER, frozenset({MacAddress.parse("00:15:65:00:00:01")}))
    with pytest.raises(NotFound, match="there is no device 00:15:65:00:00:01"):
        async with from_stock(sample.data_dir, sample.settings, wanted):
            pass


async def test_lines_of_phones_that_are_registered_are_left_to_them(sample: Installation, running: Running):
    await claims.claim(sample, RECEPTION, COMMAND_LINE)
    url = f"{running.provisioning_url}/"
    machine = BootMachine(RECEPTION.hex, find_model("VP530P"), "23.70.0.40", dhcp_url=url)
    await boot(machine, "127.0.0.9")
    await running.settled()
    async with registered(machine, "127.0.0.9"):
        with pytest.raises(InUse, match=r"1 of these lines are registered now \(48223809887\).*--yes"):
            async with from_stock(sample.data_dir, sample.settings, ALL):
                pass
        async with from_stock(sample.data_dir, sample.settings, replace(ALL, replaces=True)) as ready:
            assert len(ready.packed.boxes) == 5


async def test_a_phone_without_its_password_is_named(sample: Installation, running: Running):
    over = asyncio.Event()
    async with from_stock(sample.data_dir, sample.settings, replace(ALL, most=1)) as ready:
        (box,) = ready.packed.boxes
        for _ in range(2):
            # From its box, and under its token; whatever comes after that changes nothing.
            await boot(box.machine, box.source, ready.network)
        box.machine.memory.settings["account.1.password"] = "wrong"
        simulation = Simulation(ready.packed.boxes, ready.network, Plan(SILENT, over_s=0, for_s=0))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(simulation.run(over))
            await until(lambda: bool(simulation.tally.failures))
            over.set()
    report = task.result()
    assert not report.passed
    causes = {failure.cause: failure.phones for failure in report.failures}
    assert causes == {Cause.REGISTER_REFUSED: (box.mac,), Cause.LATE: (box.mac,)}
