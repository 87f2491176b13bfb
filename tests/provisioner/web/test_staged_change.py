"""What phones get over real HTTP at each step of a rollout."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from db.backup import dump, load
from db.engine import Database
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations import rollouts
from provisioner.operations.companies import apply
from provisioner.operations.export import export
from provisioner.operations.installation import Installation
from provisioner.operations.rollouts import Reach
from tests.copies import spare_database
from tests.provisioner.web.asking import (
    PHONE,
    T46G,
    T46S,
    VP530P,
    Reply,
    ask,
    booted,
    claim,
    service_of,
    settled,
    shown,
    token_of,
)

LOGIN = "nowyklienttestowy"
LINE = "48223809887"
OTHER_LINES = [{"number": f"482238098{last}"} for last in ("80", "82", "83")] + [{"number": "48223809986"}]
ALL = Reach()


async def change(installation: Installation, *, staged: bool = False, **said: object) -> None:
    text = yaml.safe_dump({"customers": [{"login": LOGIN, **said}]}, allow_unicode=True)
    await apply(
        installation, read_company_file(text.encode(), "change.yaml"), COMMAND_LINE, staged=staged
    )


async def files(installation: Installation, server: Running, mac: str, model: str) -> list[Reply]:
    token = await token_of(installation, mac)
    names = [f"{mac}.cfg", find_model(model).model_file, f"{mac}.boot"]
    return [await ask(server, f"/{token}/{name}", source=PHONE) for name in names]


async def test_a_phone_has_its_files_byte_for_byte_until_it_is_released(
    sample: Installation, running: Running
):
    for mac in (T46G, T46S):
        await settled(sample, running, mac)
    models = {T46G: "T46G", T46S: "T46S"}
    before = {mac: await files(sample, running, mac, model) for mac, model in models.items()}
    await change(sample, staged=True, phone={"language": "en", "boot_mode": "true"})
    for mac, model in models.items():
        now = await files(sample, running, mac, model)
        assert [each.looks for each in now] == [each.looks for each in before[mac]]
    await rollouts.release(sample, LOGIN, Reach(mac=MacAddress(T46S)), COMMAND_LINE)
    own, of_model, boot = await files(sample, running, T46S, "T46S")
    assert own.body != before[T46S][0].body
    assert of_model.body != before[T46S][1].body
    assert (before[T46S][2].status, boot.status) == (404, 200)
    assert [each.looks for each in await files(sample, running, T46G, "T46G")] == [
        each.looks for each in before[T46G]
    ]
    await rollouts.release(sample, LOGIN, ALL, COMMAND_LINE)
    assert (await files(sample, running, T46G, "T46G"))[0].body != before[T46G][0].body
    await rollouts.take_back(sample, LOGIN, ALL, COMMAND_LINE)
    for mac, model in models.items():
        now = await files(sample, running, mac, model)
        assert [each.looks for each in now] == [each.looks for each in before[mac]]


async def test_a_phone_that_waits_is_claimed_anew_and_gets_todays_secrets(
    sample: Installation, running: Running
):
    before = (await files(sample, running, VP530P, "VP530P"))[0].settings
    await change(sample, staged=True, phone={"language": "en"})
    await change(sample, lines=[{"number": LINE, "password": "Tajne-123"}, *OTHER_LINES])
    await claim(sample, VP530P)
    first = await ask(running, f"/{VP530P}.cfg")
    assert first.settings["account.1.password"] == "Tajne-123"
    changed = {name for name, value in first.settings.items() if before.get(name) != value}
    assert changed <= {"account.1.password", "auto_provision.server.url"}
    assert set(before) == set(first.settings)


async def test_what_a_phone_has_fetched_is_shown_beside_what_it_will_get(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46S)
    await change(sample, staged=True, phone={"language": "en"})
    await booted(machine)
    summary = (await shown(sample, running, T46S)).summary
    assert summary.rung == "current"
    assert summary.staged_revision is not None
    await rollouts.release(sample, LOGIN, ALL, COMMAND_LINE)
    (rollout,) = await rollouts.show(sample, LOGIN)
    phone = next(each for each in rollout.phones if each.mac == str(MacAddress(T46S)))
    assert not phone.has_it
    await booted(machine)
    await shown(sample, running, T46S)
    (rollout,) = await rollouts.show(sample, LOGIN)
    phone = next(each for each in rollout.phones if each.mac == str(MacAddress(T46S)))
    assert phone.has_it
    assert phone.fetched_revision == phone.files[0].revision


async def test_the_phone_book_belongs_to_no_phone_and_follows_the_data_at_once(
    sample: Installation, running: Running
):
    service = await service_of(sample, T46S)
    await change(sample, staged=True, hunt_groups=[{"number": "600", "name": "Nowa nazwa", "members": []}])
    book = await ask(running, f"/{service}/phonebook.xml")
    assert "Nowa nazwa" in book.body.decode("utf-8")


@pytest.mark.parametrize("listed", [True, False])
async def test_a_stranger_learns_nothing_of_a_rollout(sample: Installation, running: Running, listed: bool):
    mac = T46S if listed else "001565ffffff"
    before = await ask(running, f"/{mac}.cfg")
    await change(sample, staged=True, phone={"language": "en"})
    assert (await ask(running, f"/{mac}.cfg")).looks == before.looks


async def test_an_export_holds_what_phones_get_and_not_what_is_staged(
    sample: Installation, running: Running, tmp_path: Path
):
    await change(sample, staged=True, phone={"language": "en", "boot_mode": "true"})
    await rollouts.release(sample, LOGIN, Reach(mac=MacAddress(T46S)), COMMAND_LINE)
    tree = tmp_path / "tree"
    await export(sample, tree)
    for mac, model in ((T46S, "T46S"), (T46G, "T46G")):
        folder = tree / await token_of(sample, mac)
        names = (f"{mac}.cfg", find_model(model).model_file, f"{mac}.boot")
        for name, reply in zip(names, await files(sample, running, mac, model), strict=True):
            assert (folder / name).exists() is (reply.status == 200)
            assert reply.status != 200 or (folder / name).read_bytes() == reply.body


async def test_a_backup_brings_a_rollout_back_as_it_stood(
    sample: Installation, database_url: str, tmp_path: Path
):
    await change(sample, staged=True, phone={"language": "en"})
    await rollouts.release(sample, LOGIN, Reach(mac=MacAddress(T46S)), COMMAND_LINE)
    (before,) = await rollouts.show(sample)
    with spare_database(database_url, tmp_path) as url:
        copy_file = tmp_path / "copy"
        await asyncio.to_thread(dump, database_url, copy_file)
        await asyncio.to_thread(load, url, copy_file)
        database = await Database.open(url)
        copy = replace(sample, database=database)
        assert await rollouts.show(copy) == [before]
        again, here = [
            await rollouts.release(each, LOGIN, ALL, COMMAND_LINE) for each in (copy, sample)
        ]
        await database.close()
    assert again == here
