"""A file that was rolled back stays at its text, but never at an old secret, nor at a foreign one."""

from __future__ import annotations

import pytest

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import Conflict, NotFound
from provisioner.operations import claims, device_files, devices
from provisioner.operations.installation import Installation
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
    phone,
    put,
)

URL = "static.auto_provision.server.url"


async def rename(installation: Installation, name: str) -> None:
    await just(installation, extensions=[{"number": "101", "name": name}, {"number": "102"}])


async def back(installation: Installation, number: int | None) -> None:
    await device_files.roll_back(installation, DESK, number, COMMAND_LINE)


async def held(installation: Installation) -> int | None:
    return (await devices.show_device(installation, DESK)).files[0].held


async def test_a_roll_back_brings_the_text_back_with_todays_password_and_token(firma: Installation):
    old = await exact(firma)
    await rename(firma, "Portiernia")
    await just(firma, lines=[line(ONE, password="Tajne-123"), line(TWO)])
    await claims.claim(firma, DESK, COMMAND_LINE)
    today = await exact(firma)
    assert today[URL] != old[URL]
    await back(firma, 1)
    assert await exact(firma) == old | {"account.1.password": "Tajne-123", URL: today[URL]}


async def test_a_roll_back_is_a_revision_and_an_entry_of_the_audit(firma: Installation):
    await rename(firma, "Portiernia")
    (change,) = await device_files.roll_back(firma, DESK, 1, COMMAND_LINE)
    assert (change.owner, change.number) == (str(DESK), 3)
    newest = (await device_files.history_of(firma, DESK))[0]
    assert newest.cause == f"roll {DESK.hex}.cfg back to revision 1"
    entry = (await audits(firma))[-1]
    assert (entry.verb, entry.subject, entry.summary) == ("devices.rollback", str(DESK), newest.cause)
    assert entry.customer_id is not None


async def test_a_held_file_keeps_its_text_over_later_files_and_follows_new_secrets(firma: Installation):
    await rename(firma, "Portiernia")
    await back(firma, 1)
    await rename(firma, "Ochrona")
    assert (await exact(firma))["account.1.label"] == "Recepcja"
    plan = await just(firma, lines=[line(ONE, password="Tajne-123"), line(TWO)])
    assert [file.file for file in plan.files] == [f"{DESK.hex}.cfg"]
    assert (await exact(firma))["account.1.password"] == "Tajne-123"
    before = (await exact(firma))[URL]
    await claims.claim(firma, DESK, COMMAND_LINE)
    settings = await exact(firma)
    assert settings[URL] != before
    assert settings["account.1.label"] == "Recepcja"
    assert await held(firma) == 1


async def test_a_file_that_is_let_go_follows_the_data_again(firma: Installation):
    await rename(firma, "Portiernia")
    await back(firma, 1)
    await rename(firma, "Ochrona")
    await back(firma, None)
    assert (await exact(firma))["account.1.label"] == "Ochrona"
    assert await held(firma) is None
    assert (await audits(firma))[-1].summary == f"let {DESK.hex}.cfg follow the data again"


async def test_letting_go_of_what_is_not_held_changes_no_bytes(firma: Installation):
    assert await device_files.roll_back(firma, DESK, None, COMMAND_LINE) == ()


async def test_each_file_of_a_phone_is_held_by_itself(firma: Installation):
    await just(firma, phone={"boot_mode": "true"})
    await rename(firma, "Portiernia")
    await device_files.roll_back(firma, DESK, 1, COMMAND_LINE, DeviceFile.MODEL)
    states = {file.name: file.held for file in (await devices.show_device(firma, DESK)).files}
    assert [name for name, number in states.items() if number == 1] == ["y000000000066.cfg"]
    assert (await exact(firma))["account.1.label"] == "Portiernia"


@pytest.mark.parametrize("number", [0, 2, 99])
async def test_a_revision_that_is_not_there_can_not_be_rolled_back_to(firma: Installation, number: int):
    before = await dump(firma)
    with pytest.raises(NotFound, match=f"no revision {number}: this file has revisions 1 to 1"):
        await back(firma, number)
    assert await dump(firma) == before


@pytest.mark.parametrize("to_another_phone", [False, True])
async def test_a_revision_with_the_password_of_a_lost_line_is_refused(
    firma: Installation, to_another_phone: bool
):
    lines = [TWO, ONE] if to_another_phone else [TWO]
    await just(firma, devices=[phone(DESK, "T46S"), phone(HALL, "VP530P", *lines)])
    before = await dump(firma)
    with pytest.raises(Conflict, match="the password of a line that it lost"):
        await back(firma, 1)
    assert await dump(firma) == before


@pytest.mark.parametrize("to_another_phone", [False, True])
async def test_a_hold_ends_where_the_phone_loses_the_line(firma: Installation, to_another_phone: bool):
    await rename(firma, "Portiernia")
    await back(firma, 1)
    secret = (await exact(firma))["account.1.password"]
    lines = [TWO, ONE] if to_another_phone else [TWO]
    await just(firma, devices=[phone(DESK, "T46S"), phone(HALL, "VP530P", *lines)])
    assert secret not in (await exact(firma)).values()
    assert await held(firma) is None
    assert (secret in (await exact(firma, HALL)).values()) is to_another_phone


async def test_a_hold_ends_where_the_line_goes_to_another_customer(firma: Installation):
    await rename(firma, "Portiernia")
    await back(firma, 1)
    await just(
        firma,
        lines=[line(TWO)],
        extensions=[{"number": "102"}],
        hunt_groups=[],
        devices=[phone(DESK, "T46S"), {"mac": str(HALL)}],
    )
    await put(firma, {"login": "inna", "name": "Inna", "lines": [line(ONE, password="Cudze-1")]})
    assert "Cudze-1" not in (await exact(firma)).values()
    with pytest.raises(Conflict):
        await back(firma, 1)


async def test_a_hold_ends_where_a_secret_word_is_taken_back(firma: Installation):
    await just(firma, settings={"ldap.password": "Tajne-1"})
    await rename(firma, "Portiernia")
    await back(firma, 2)
    await just(firma, settings={"ldap.password": "Tajne-2"})
    assert (await exact(firma))["ldap.password"] == "Tajne-2"
    assert (await exact(firma))["account.1.label"] == "Recepcja"
    await just(firma, settings={"ldap.password": None})
    settings = await exact(firma)
    assert "ldap.password" not in settings
    assert settings["account.1.label"] == "Portiernia"
    with pytest.raises(Conflict):
        await back(firma, 2)
