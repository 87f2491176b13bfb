"""A staged change reaches the phones that are released; the others keep all but their secrets."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from provisioner.centrex.actor import COMMAND_LINE, Actor, Role
from provisioner.centrex.errors import Conflict, Forbidden, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, device_files, devices, rollouts
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import Installation
from provisioner.operations.rollouts import Reach, Rollout, Standing
from provisioner.phones.render import DeviceFile
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    audits,
    dump,
    exact,
    just,
    line,
    other,
    phone,
    phones,
    put,
    small,
)

PROJECT = Path(__file__).parents[3]
URL = "static.auto_provision.server.url"
ALL = Reach()
NEW = MacAddress("001565000003")
SITES = {
    "sites": [{"name": "Kraków"}, {"name": "Gdynia"}],
    "devices": [phone(DESK, "T46S", ONE, site="Kraków"), phone(HALL, "VP530P", TWO, site="Gdynia")],
}


def named(first: str, second: str = "Biuro") -> dict[str, object]:
    return {
        "extensions": [
            {"number": "101", "line": ONE, "name": first, "published": True},
            {"number": "102", "line": TWO, "name": second, "published": True},
        ]
    }


async def stage(installation: Installation, dry_run: bool = False, **changes: object) -> Plan:
    return await put(installation, {"login": "firma", **changes}, staged=True, dry_run=dry_run)


async def release(installation: Installation, reach: Reach = ALL, dry_run: bool = False) -> Plan:
    return await rollouts.release(installation, "firma", reach, COMMAND_LINE, dry_run=dry_run)


async def back(installation: Installation, reach: Reach = ALL, dry_run: bool = False) -> Plan:
    return await rollouts.take_back(installation, "firma", reach, COMMAND_LINE, dry_run=dry_run)


async def last(installation: Installation) -> Rollout:
    (rollout,) = await rollouts.show(installation, "firma")
    return rollout


async def texts(installation: Installation) -> list[str]:
    files = [(mac, file) for mac in (DESK, HALL) for file in (DeviceFile.MAC, DeviceFile.MODEL)]
    return [await device_files.render_device(installation, mac, file) for mac, file in files]


async def label(installation: Installation, mac: MacAddress = DESK) -> str:
    # The VP530P calls it otherwise.
    settings = await exact(installation, mac)
    return settings.get("account.1.label") or settings["account.1.display_name"]


async def labels(installation: Installation) -> tuple[str, str]:
    return await label(installation, DESK), await label(installation, HALL)


async def standings(installation: Installation) -> dict[str, Standing]:
    return {each.mac: each.standing for each in (await last(installation)).phones}


async def test_a_staged_change_is_kept_and_reaches_no_phone(firma: Installation):
    before = await texts(firma)
    plan = await stage(firma, **named("Portiernia", "Serwis"))
    assert {(each.owner, each.staged) for each in plan.files if ":" in each.owner} == {
        (str(DESK), True),
        (str(HALL), True),
    }
    assert plan.rollouts == ("firma",)
    assert await texts(firma) == before
    rollout = await last(firma)
    assert (rollout.waiting, rollout.released, rollout.cause) == (2, 0, "apply test.yaml")
    # The data are the new ones already: the same file again changes nothing.
    assert (await stage(firma, **named("Portiernia", "Serwis"))).changes == ()


async def test_one_phone_then_a_site_then_all(firma: Installation):
    await just(firma, **SITES)
    await stage(firma, **named("Portiernia", "Serwis"))
    assert await labels(firma) == ("Recepcja", "Biuro")
    plan = await release(firma, Reach(mac=DESK))
    assert phones(plan) == {str(DESK)}
    assert await labels(firma) == ("Portiernia", "Biuro")
    await release(firma, Reach(site="Gdynia"))
    assert await labels(firma) == ("Portiernia", "Serwis")
    assert (await last(firma)).closed_at is not None
    assert await rollouts.show(firma) == []


async def test_releasing_all_ends_the_rollout_and_later_changes_go_out_at_once(firma: Installation):
    await stage(firma, **named("Portiernia", "Serwis"))
    await release(firma)
    assert await labels(firma) == ("Portiernia", "Serwis")
    await just(firma, **named("Ochrona", "Serwis"))
    assert await labels(firma) == ("Ochrona", "Serwis")


async def test_a_phone_that_waits_gets_new_passwords_and_tokens_and_nothing_else(firma: Installation):
    old = await exact(firma)
    await stage(firma, **named("Portiernia"))
    await just(firma, lines=[line(ONE, password="Tajne-123"), line(TWO)])
    await claims.claim(firma, DESK, COMMAND_LINE)
    today = await exact(firma)
    assert today[URL] != old[URL]
    assert today == old | {"account.1.password": "Tajne-123", URL: today[URL]}
    await release(firma)
    assert (await exact(firma))["account.1.label"] == "Portiernia"
    assert (await exact(firma))["account.1.password"] == "Tajne-123"


async def test_a_plain_change_waits_with_the_open_rollout_and_says_so(firma: Installation):
    await stage(firma, **named("Portiernia"))
    plan = await just(firma, **named("Ochrona"))
    assert plan.rollouts == ("firma",)
    assert all(each.staged for each in plan.files if each.owner == str(DESK))
    assert await label(firma) == "Recepcja"
    await release(firma, Reach(mac=DESK))
    assert await label(firma) == "Ochrona"


async def test_a_released_phone_follows_the_data_while_the_others_wait(firma: Installation):
    await stage(firma, **named("Portiernia", "Serwis"))
    await release(firma, Reach(mac=DESK))
    await just(firma, **named("Ochrona", "Warsztat"))
    assert await labels(firma) == ("Ochrona", "Biuro")


async def test_a_second_staged_change_is_refused_while_one_is_open(firma: Installation):
    await stage(firma, **named("Portiernia"))
    before = await dump(firma)
    with pytest.raises(Conflict, match="rollout release firma --all"):
        await stage(firma, **named("Ochrona"))
    assert await dump(firma) == before


async def test_each_customer_of_a_file_has_a_rollout_of_its_own(firma: Installation):
    await put(firma, other(devices=[phone(NEW, "T46S", "48333000001")]))
    changed = other(phone={"language": "en"})
    await put(firma, {"login": "firma", **named("Portiernia", "Serwis")}, changed, staged=True)
    assert [each.customer for each in await rollouts.show(firma)] == ["firma", "inna"]
    await release(firma)
    assert [each.customer for each in await rollouts.show(firma)] == ["inna"]
    assert await labels(firma) == ("Portiernia", "Serwis")


async def test_what_touches_no_phone_opens_no_rollout(firma: Installation):
    plan = await stage(firma, credit_limit="10.00")
    assert (len(plan.changes), plan.files, plan.rollouts) == (1, (), ())
    assert await rollouts.show(firma, "firma") == []
    await put(firma, other(), staged=True)
    assert await rollouts.show(firma) == []


async def test_a_dry_run_of_each_step_says_the_same_and_keeps_nothing(firma: Installation):
    before = await dump(firma)
    dry = await stage(firma, dry_run=True, **named("Portiernia"))
    assert await dump(firma) == before
    assert await stage(firma, **named("Portiernia")) == dry
    for step in (release, back):
        before = await dump(firma)
        dry = await step(firma, dry_run=True)
        assert dry.files != ()
        assert await dump(firma) == before
        assert await step(firma) == dry


async def test_vendors_and_models_can_not_be_staged(firma: Installation):
    before = await dump(firma)
    vendors = [{"vendor": "yealink", "phone": {"language": "en"}}]
    with pytest.raises(Conflict, match="without --staged"):
        await put(firma, {"login": "firma", **named("Portiernia")}, vendors=vendors, staged=True)
    assert await dump(firma) == before


async def test_a_new_phone_follows_the_data_and_is_shown_as_new(firma: Installation):
    await stage(firma, **named("Portiernia"))
    listed = [phone(DESK, "T46S", ONE), phone(HALL, "VP530P", TWO), phone(NEW, "T46S", ONE)]
    await just(firma, devices=listed)
    assert (await label(firma), await label(firma, NEW)) == ("Recepcja", "Portiernia")
    assert (await standings(firma))[str(NEW)] is Standing.NEW
    with pytest.raises(Conflict, match="came after the rollout was opened"):
        await release(firma, Reach(mac=NEW))


async def test_back_gives_phones_what_they_had(firma: Installation):
    old = await exact(firma)
    await stage(firma, **named("Portiernia", "Serwis"))
    await release(firma, Reach(mac=DESK))
    plan = await back(firma)
    assert phones(plan) == {str(DESK)}
    assert await exact(firma) == old
    assert set((await standings(firma)).values()) == {Standing.WAITS}


async def test_a_closed_rollout_is_taken_back_for_some_and_then_for_all(firma: Installation):
    await just(firma, **SITES)
    old = await exact(firma)
    await stage(firma, **named("Portiernia", "Serwis"))
    await release(firma)
    await just(firma, lines=[line(ONE, password="Tajne-123"), line(TWO)])
    await back(firma, Reach(site="Kraków"))
    assert await exact(firma) == old | {"account.1.password": "Tajne-123"}
    assert await label(firma, HALL) == "Serwis"
    assert await standings(firma) == {str(DESK): Standing.WAITS, str(HALL): Standing.RELEASED}
    await back(firma)
    assert await labels(firma) == ("Recepcja", "Biuro")
    await release(firma)
    assert await labels(firma) == ("Portiernia", "Serwis")
    assert (await last(firma)).closed_at is not None


async def test_only_the_last_rollout_is_taken_back(firma: Installation):
    for name in ("Portiernia", "Ochrona"):
        await stage(firma, **named(name))
        await release(firma)
    await back(firma)
    assert await label(firma) == "Portiernia"


@pytest.mark.parametrize("to_another_phone", [False, True])
async def test_a_phone_that_loses_its_line_does_not_wait_with_the_password(
    firma: Installation, to_another_phone: bool
):
    await stage(firma, **named("Portiernia"))
    secret = (await exact(firma))["account.1.password"]
    lines = [TWO, ONE] if to_another_phone else [TWO]
    plan = await just(firma, devices=[phone(DESK, "T46S"), phone(HALL, "VP530P", *lines)])
    assert secret not in (await exact(firma)).values()
    assert not any(each.staged for each in plan.files if each.owner == str(DESK))
    shown = {each.mac: each for each in (await last(firma)).phones}[str(DESK)]
    assert (shown.standing, shown.actor) == (Standing.RELEASED, "system")
    assert "no claim" in (shown.cause or "")
    with pytest.raises(Conflict, match="can't go back"):
        await back(firma, Reach(mac=DESK))
    await back(firma)
    assert secret not in (await exact(firma)).values()


async def test_a_file_that_is_rolled_back_stays_there_through_every_step(firma: Installation):
    await just(firma, **named("Druga"))
    await just(firma, **named("Trzecia"))
    await device_files.roll_back(firma, DESK, 1, COMMAND_LINE)
    await stage(firma, **named("Portiernia"))
    for step in (release, back, release):
        await step(firma)
        assert await label(firma) == "Recepcja"
        assert (await devices.show_device(firma, DESK)).files[0].held == 1
    await device_files.roll_back(firma, DESK, None, COMMAND_LINE)
    assert await label(firma) == "Portiernia"


async def test_a_phone_that_waits_can_be_held_elsewhere_and_comes_back_to_wait(firma: Installation):
    await just(firma, **named("Druga"))
    await stage(firma, **named("Portiernia"))
    await device_files.roll_back(firma, DESK, 1, COMMAND_LINE)
    assert await label(firma) == "Recepcja"
    await device_files.roll_back(firma, DESK, None, COMMAND_LINE)
    assert await label(firma) == "Druga"
    assert (await devices.show_device(firma, DESK)).files[0].staged is not None


async def test_a_file_that_comes_or_goes_with_the_change_waits_too(firma: Installation):
    await stage(firma, phone={"boot_mode": "true"})
    with pytest.raises(NotFound, match="no boot file"):
        await device_files.render_device(firma, DESK, DeviceFile.BOOT)
    await release(firma)
    boot = await device_files.render_device(firma, DESK, DeviceFile.BOOT)
    await stage(firma, phone={"boot_mode": None})
    assert await device_files.render_device(firma, DESK, DeviceFile.BOOT) == boot
    assert "+" not in (await device_files.diff_staged(firma, DESK, DeviceFile.BOOT)).split("\n", 3)[3]
    staged = next(each for each in (await devices.show_device(firma, DESK)).files if "boot" in each.name)
    with pytest.raises(Conflict, match="has no boot file"):
        await device_files.roll_back(firma, DESK, staged.staged, COMMAND_LINE, DeviceFile.BOOT)
    await release(firma)
    with pytest.raises(NotFound, match="no boot file"):
        await device_files.render_device(firma, DESK, DeviceFile.BOOT)
    await back(firma)
    assert await device_files.render_device(firma, DESK, DeviceFile.BOOT) == boot


async def test_the_model_file_waits_as_the_phones_own_does(firma: Installation):
    before = await exact(firma, DESK, DeviceFile.MODEL)
    await stage(firma, phone={"language": "en"})
    assert await exact(firma, DESK, DeviceFile.MODEL) == before
    files = {each.name: each for each in (await last(firma)).phones[0].files}
    assert files["y000000000066.cfg"].staged == 2
    await release(firma)
    assert await exact(firma, DESK, DeviceFile.MODEL) != before


async def test_what_waits_can_be_compared(firma: Installation):
    await stage(firma, **named("Portiernia"), lines=[line(ONE, password="Tajne-123"), line(TWO)])
    difference = await device_files.diff_staged(firma, DESK)
    assert "-account.1.label = Recepcja" in difference
    assert "+account.1.label = Portiernia" in difference
    assert "Tajne" not in difference
    # The new password is in both: it doesn't wait.
    assert "+account.1.password" not in difference
    await release(firma)
    with pytest.raises(NotFound, match="nothing is staged"):
        await device_files.diff_staged(firma, DESK)


async def test_a_change_that_is_taken_out_of_the_data_is_staged_no_more(firma: Installation):
    await stage(firma, **named("Portiernia"))
    await just(firma, **named("Recepcja"))
    assert (await devices.show_device(firma, DESK)).files[0].staged is None
    assert (await release(firma)).files == ()
    assert await label(firma) == "Recepcja"


async def test_lists_tell_what_each_phone_gets_will_get_and_is_held_at(firma: Installation):
    await just(firma, **named("Druga"))
    await device_files.roll_back(firma, HALL, 1, COMMAND_LINE)
    await stage(firma, **named("Portiernia", "Serwis"))
    desk, hall = await devices.list_devices(firma)
    assert (desk.revision, desk.staged_revision, desk.held_revision) == (2, 3, None)
    assert hall.held_revision == 1
    assert (await devices.show_device(firma, DESK)).summary == desk


async def test_each_step_is_audited_and_names_who_did_what(firma: Installation):
    await stage(firma, **named("Portiernia"))
    anna = Actor("anna", Role.TECHNICIAN)
    await rollouts.release(firma, "firma", Reach(mac=DESK), anna)
    await rollouts.take_back(firma, "firma", Reach(mac=DESK), anna)
    released, taken = (await audits(firma))[-2:]
    assert (released.verb, released.actor, released.subject) == ("rollout.release", "anna", "firma")
    assert released.summary == f"release phone {DESK}: apply test.yaml"
    assert (taken.verb, taken.summary) == ("rollout.back", f"take back phone {DESK}: apply test.yaml")
    newest = (await device_files.history_of(firma, DESK))[0]
    assert (newest.actor, newest.cause) == ("anna", taken.summary)


async def test_customers_do_not_lead_rollouts(firma: Installation):
    customer = Actor("firma", Role.CUSTOMER)
    await stage(firma, **named("Portiernia"))
    for step in (rollouts.release, rollouts.take_back):
        with pytest.raises(Forbidden, match="operator or a technician"):
            await step(firma, "firma", ALL, customer)
    await release(firma)
    with pytest.raises(Forbidden):
        await put(firma, {"login": "firma", **named("Ochrona")}, actor=customer, staged=True)


async def test_what_is_not_there_is_refused_with_what_is(firma: Installation):
    with pytest.raises(NotFound, match="no customer 'nikt'"):
        await rollouts.show(firma, "nikt")
    with pytest.raises(Conflict, match="no open rollout"):
        await release(firma)
    with pytest.raises(Conflict, match="rollback MAC"):
        await back(firma)
    await just(firma, **SITES)
    await stage(firma, **named("Portiernia"))
    with pytest.raises(NotFound, match="its sites: Gdynia, Kraków"):
        await release(firma, Reach(site="Radom"))
    with pytest.raises(NotFound, match="has no device"):
        await release(firma, Reach(mac=NEW))


async def test_a_step_that_was_taken_already_changes_nothing(firma: Installation):
    await stage(firma, **named("Portiernia"))
    assert (await back(firma)).files == ()
    await release(firma, Reach(mac=DESK))
    before = await dump(firma)
    assert (await release(firma, Reach(mac=DESK))).files == ()
    assert await dump(firma) == before


async def test_a_phone_that_moves_to_another_site_stands_as_it_stood(firma: Installation):
    await just(firma, **SITES)
    await stage(firma, **named("Portiernia", "Serwis"))
    await release(firma, Reach(site="Kraków"))
    await just(
        firma,
        sites=[{"name": "Gdynia"}],
        devices=[phone(DESK, "T46S", ONE, site="Gdynia"), phone(HALL, "VP530P", TWO, site="Gdynia")],
    )
    assert await labels(firma) == ("Portiernia", "Biuro")


async def test_a_phone_that_is_taken_off_the_list_leaves_the_rollout(firma: Installation):
    await stage(firma, **named("Portiernia"))
    await just(firma, devices=[phone(DESK, "T46S", ONE)])
    assert set(await standings(firma)) == {str(DESK)}
    await release(firma, Reach(mac=DESK))
    assert (await last(firma)).closed_at is not None


async def test_a_step_that_is_killed_leaves_nothing_of_itself(firma: Installation, firma_url: str):
    script = "tests.provisioner.operations.killed_rollouts"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", script, firma.data_dir, firma_url, stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    said, _ = await child.communicate()
    assert child.returncode == 0
    seen = json.loads(said)
    assert len(seen) == 4
    assert all(kills >= 3 and halves == 0 for kills, halves in seen.values()), seen
    assert set((await standings(firma)).values()) == {Standing.WAITS}


async def test_a_customer_that_was_never_staged_is_as_before(firma: Installation):
    await put(firma, small(name="Firma 2"))
    assert await rollouts.show(firma) == []
    assert await rollouts.show(firma, "firma") == []
