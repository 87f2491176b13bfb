"""What users changed on a phone, on the phone that takes its place."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.schema import AuditRow
from phone_templates.yealink.backups import Backup
from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.files.devices_csv import read_devices_csv
from provisioner.operations.carrying import CarriedFile, CarriedOver, carry_over
from provisioner.operations.devices import import_devices
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import list_uploads, show_upload
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import T23G, T46S, T54W, VP530P, ask, booted, claim, service_of, settled

BACKUPS = "customers: [{login: nowyklienttestowy, phone: {backups: true}}]"
SAME = "805ec0999999"
"A second T46S."
LOCAL = (
    "#!version:1.0.0.1\n"
    "local_time.time_format = 0\n"
    "account.1.missed_calllog = 0\n"
    "account.16.label = Magazyn\n"
    "linekey.2.label = Anna\n"
    "account.1.password = geheim4711\n"
    "features.made_up = 1\n"
)
CONTACTS = '<root_contact><contact display_name="Żaneta" office_number="102"/></root_contact>'


async def bring(installation: Installation, server: Running, mac: str, ending: str, text: str) -> None:
    """One file, brought as phones do."""
    path = f"/{await service_of(installation, mac)}/{mac}{ending}"
    assert (await ask(server, path, method="PUT", data=text.encode())).status == 200


async def carried(installation: Installation, old: str, new: str, *, dry_run: bool = False) -> CarriedOver:
    """Carries what there is."""
    return await carry_over(installation, MacAddress(old), MacAddress(new), COMMAND_LINE, dry_run=dry_run)


@pytest.fixture
async def company(sample: Installation, running: Running) -> Installation:
    """Phones bring their files; the T46S has brought some, and another T46S is listed."""
    await apply_text(sample, BACKUPS)
    rows = read_devices_csv(f"mac,model,line\n{SAME},T46S,48223809880\n".encode(), "phones.csv")
    await import_devices(sample, "nowyklienttestowy", rows, COMMAND_LINE)
    await bring(sample, running, T46S, "-local.cfg", LOCAL)
    await bring(sample, running, T46S, "-contact.xml", CONTACTS)
    return sample


async def test_a_replacement_of_the_same_model_boots_with_what_users_changed(
    company: Installation, running: Running
):
    done = await carried(company, T46S, SAME)
    assert done.settings == (
        "local_time.time_format",
        "account.1.missed_calllog",
        "account.16.label",
        "linekey.2.label",
    )
    assert [left.name for left in done.left] == ["account.1.password", "features.made_up"]
    assert done.files == (CarriedFile("local", 1), CarriedFile("contacts", 1))
    assert done.notes == ()
    await claim(company, SAME)
    machine = BootMachine(SAME, find_model("T46S"), "66.86.0.15", dhcp_url=f"{running.provisioning_url}/")
    await booted(machine)
    await booted(machine)
    assert machine.memory.settings["local_time.time_format"] == "0"
    assert machine.memory.settings["linekey.2.label"] == "Anna"
    contacts = await ask(running, f"/{await service_of(company, SAME)}/{SAME}-contact.xml")
    assert contacts.body.decode() == CONTACTS


async def test_what_another_model_can_not_have_is_named_with_the_reason(
    company: Installation, running: Running
):
    done = await carried(company, T46S, T54W)
    reasons = {left.name: left.reason for left in done.left}
    assert done.settings == (
        "local_time.time_format",
        "account.1.missed_calllog",
        "account.16.label",
        "linekey.2.label",
    )
    assert set(reasons) == {"account.1.password", "features.made_up"}
    # The T23G has three accounts only.
    await settled(company, running, T23G, "44.84.0.140")
    done = await carried(company, T46S, T23G)
    reasons = {left.name: left.reason for left in done.left}
    assert "it has from 1 to 3" in reasons["account.16.label"]
    assert not any("geheim" in reason for reason in reasons.values())
    shown = await show_upload(company, MacAddress(T23G), Backup.LOCAL)
    assert "account.16" not in shown
    assert "linekey.2.label = Anna" in shown


async def test_a_dry_run_says_the_same_and_keeps_nothing(company: Installation):
    dry = await carried(company, T46S, SAME, dry_run=True)
    assert dry.files == (CarriedFile("local", None), CarriedFile("contacts", None))
    assert await list_uploads(company, MacAddress(SAME)) == []
    done = await carried(company, T46S, SAME)
    assert (done.settings, done.left) == (dry.settings, dry.left)


async def test_what_users_changed_on_the_new_phone_stays_where_the_old_one_says_nothing(
    company: Installation, running: Running
):
    own = "#!version:1.0.0.1\nlocal_time.time_format = 1\nphone_setting.ring_type = Ring5.wav\nlang.gui =\n"
    await bring(company, running, SAME, "-local.cfg", own)
    await carried(company, T46S, SAME)
    newest, before = await list_uploads(company, MacAddress(SAME), Backup.LOCAL)
    assert (newest.origin, before.origin) == ("carried from 80:5e:c0:12:34:56", "127.0.0.11")
    text = await show_upload(company, MacAddress(SAME), Backup.LOCAL)
    assert "local_time.time_format = 0\n" in text
    assert "phone_setting.ring_type = Ring5.wav\n" in text
    assert "lang.gui = %NULL%\n" in text


async def test_carrying_twice_makes_no_second_version(company: Installation):
    await carried(company, T46S, SAME)
    again = await carried(company, T46S, SAME)
    assert {file.version for file in again.files} == {None}
    assert {each.version for each in await list_uploads(company, MacAddress(SAME))} == {1}


async def test_who_carried_what_is_on_record_without_values(company: Installation):
    await carried(company, T46S, SAME)
    async with company.database.read() as session:
        entry = (await session.scalars(select(AuditRow).where(AuditRow.verb == "uploads.carry"))).one()
    assert (entry.subject, entry.actor) == ("80:5e:c0:99:99:99", "cli")
    assert "linekey.2.label is set" in (entry.plan or "")
    assert "Anna" not in (entry.plan or "")


async def test_a_phone_that_does_not_ask_for_its_files_is_pointed_out(company: Installation):
    await apply_text(company, BACKUPS.replace("true", "false"))
    [note] = (await carried(company, T46S, SAME)).notes
    assert "backups: true" in note


async def test_phones_that_can_not_be_carried_to_are_refused(company: Installation, running: Running):
    with pytest.raises(Conflict, match="fetches no such files"):
        await carried(company, T46S, VP530P)
    with pytest.raises(Conflict, match="itself"):
        await carried(company, T46S, T46S)
    with pytest.raises(NotFound, match="nothing to carry"):
        await carried(company, T54W, T46S)
    with pytest.raises(NotFound, match="no device"):
        await carried(company, T46S, "001565ffffff")
    other = "805ec0777777"
    await apply_text(
        company,
        "customers: [{login: inny, name: Inny, lines: [{number: '48221111111', product: telefonia-ip-plus}],"
        f" devices: [{{mac: '{other}', model: T46S, accounts: [{{account: 1, line: '48221111111'}}]}}]}}]",
    )
    with pytest.raises(Conflict, match="different customers"):
        await carried(company, T46S, other)
