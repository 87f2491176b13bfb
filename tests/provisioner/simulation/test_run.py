"""Virtual phones on a real server: they come up, call, and leave nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from phone_templates.yealink.boot import BootMachine, Outcome
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
from provisioner.simulation.profile import Profile, profiles
from provisioner.simulation.ready import InUse, Ready, Wanted, from_stock
from provisioner.simulation.run import Plan, Simulation
from provisioner.simulation.tally import Report
from provisioner.virtual_phones.booting import boot
from provisioner.virtual_phones.phone import registered
from tests.provisioner.conftest import RENAMED, apply_text

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CUSTOMER = "nowyklienttestowy"
ALL = Wanted(CUSTOMER, claims=True)
RECEPTION = MacAddress.parse("00:15:65:31:4b:c0")
"Its line is on another phone, too."
STORE = MacAddress.parse("00:15:65:93:70:f2")
BUSY = replace(profiles()["office"], calls_per_hour=20_000, talks_s=0.2, answers_s=0.1, patience_s=1)
SILENT = replace(BUSY, calls_per_hour=0)


async def nothing(_: Simulation) -> None:
    """Is done meanwhile."""


async def simulated(
    ready: Ready,
    profile: Profile,
    ends: Callable[[Simulation], bool],
    meanwhile: Callable[[Simulation], Awaitable[None]] = nothing,
) -> Report:
    """Until `ends` holds, however long that takes on this machine."""
    plan = Plan(profile, over_s=0, for_s=600, patience_s=600, hurry=1000)
    simulation, over = Simulation(ready.packed.boxes, ready.network, plan, ready.server), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(simulation.run(over))
        await meanwhile(simulation)
        await until(lambda: ends(simulation))
        over.set()
    return task.result()


async def until(met: Callable[[], bool]) -> None:
    """Waits for what only has to happen."""
    async with asyncio.timeout(300):
        for look in itertools.repeat(met):
            if look():
                return
            await asyncio.sleep(0.02)


async def live(installation: Installation) -> list[str]:
    listed = await list_registrations(installation, Registrations(states=LIVE))
    return sorted(row.line for row in listed.rows)


async def test_phones_come_from_their_boxes_call_and_leave_nothing(sample: Installation, running: Running):
    async with from_stock(sample.data_dir, sample.settings, ALL) as ready:
        report = await simulated(ready, BUSY, lambda simulation: simulation.tally.talked > 2)
    assert (report.up, report.never_up) == (5, ())
    assert report.registered >= 6
    counted = report.talked, report.refused, report.unanswered, report.failed, report.cut_short
    assert report.calls == sum(counted)
    assert report.post_dial_s is not None
    assert report.server_cpu_s is not None
    assert await live(sample) == []
    # Now they have come: they have tokens, and no need of a claim.
    await running.settled()
    wanted = replace(ALL, claims=False, most=3)
    async with from_stock(sample.data_dir, sample.settings, wanted) as ready:
        report = await simulated(ready, SILENT, lambda simulation: simulation.is_calling)
    assert (report.phones, report.up, report.calls) == (3, 3, 0)


async def test_what_is_changed_meanwhile_is_fetched_and_registered(sample: Installation, running: Running):
    async def change(simulation: Simulation) -> None:
        await until(lambda: simulation.is_calling)
        await running.settled()
        await apply_text(sample, RENAMED)

    def both_accounts_of_the_phone_again(simulation: Simulation) -> bool:
        return simulation.tally.fetched_again > 0 and simulation.tally.registered >= 8

    async with from_stock(sample.data_dir, sample.settings, ALL) as ready:
        report = await simulated(ready, SILENT, both_accounts_of_the_phone_again, change)
    assert report.interrupted
    assert (report.up, report.fetched_again > 0) == (5, True)
    assert await live(sample) == []


async def test_phones_that_never_came_are_not_claimed_in_passing(sample: Installation, running: Running):
    with pytest.raises(BadValue, match=r"it has never come.*--claim"):
        async with from_stock(sample.data_dir, sample.settings, replace(ALL, claims=False)):
            pass


async def test_a_phone_that_is_not_there_is_not_found(sample: Installation, running: Running):
    wanted = Wanted(CUSTOMER, frozenset({MacAddress.parse("00:15:65:00:00:01")}))
    with pytest.raises(NotFound, match="has no device 00:15:65:00:00:01: `centralka devices list`"):
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
    async with from_stock(sample.data_dir, sample.settings, replace(ALL, most=1)) as ready:
        (box,) = ready.packed.boxes
        for _ in range(2):
            # From its box, and under its token; whatever comes after that changes nothing.
            await boot(box.machine, box.source, ready.network)
        box.machine.memory.settings["account.1.password"] = "wrong"
        report = await simulated(ready, SILENT, lambda simulation: bool(simulation.tally.failures))
    assert not report.passed
    causes = {failure.cause: failure.phones for failure in report.failures}
    assert causes == {Cause.REGISTER_REFUSED: (box.mac,), Cause.LATE: (box.mac,)}


async def test_all_phones_that_were_never_claimed_are_claimed_at_once(sample: Installation, running: Running):
    await claims.claim(sample, RECEPTION, COMMAND_LINE)
    assert await claims.claim_new(sample, CUSTOMER, COMMAND_LINE) == 4
    assert await claims.claim_new(sample, CUSTOMER, COMMAND_LINE) == 0
    machine = BootMachine(STORE.hex, find_model("T23G"), dhcp_url=f"{running.provisioning_url}/")
    first = await boot(machine, "127.0.0.9")
    again = await boot(machine, "127.0.0.9")
    assert (first.done.outcome, again.done.server_url) == (Outcome.APPLIED, machine.stored_url)
    assert not machine.discovers
