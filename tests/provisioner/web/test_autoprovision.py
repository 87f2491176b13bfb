"""What each name is answered with: model and boot files, spellings, ETags; and changes, served at once."""

from __future__ import annotations

import asyncio
import re

import pytest

from phone_templates.yealink.boot import Outcome
from phone_templates.yealink.models import all_models
from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    CLOSED,
    MODELS,
    STRANGER,
    T23G,
    T46G,
    T46S,
    T54W,
    UNLISTED,
    VP530P,
    Reply,
    ask,
    booted,
    claim,
    phone,
    release,
    requests,
    settled,
    token_of,
)

BOOT_MODE = "customers: [{login: nowyklienttestowy, phone: {boot_mode: true}}]"


def renamed(number: str, name: str) -> str:
    """A company file that gives one extension another name."""
    kept = [f'{{number: "{each}"}}' for each in range(101, 107) if str(each) != number]
    extensions = ", ".join([f'{{number: "{number}", name: "{name}"}}', *kept])
    return f"customers: [{{login: nowyklienttestowy, extensions: [{extensions}]}}]"


def is_closed(reply: Reply) -> bool:
    return (reply.status, reply.body) == CLOSED


# The y-file


async def test_a_model_file_is_chosen_by_its_name_alone(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    replies = [
        await ask(running, "/y000000000066.cfg", source=source, agent=agent)
        for source in ("127.0.0.11", STRANGER)
        for agent in (
            "",
            "Yealink SIP-T46S 66.85.0.5 80:5e:c0:12:34:56",
            "VP530P 23.70.0.40 00:15:65:31:4b:c0",
            "Yealink SIP-T46S 66.81.0.5 00:15:65:ff:ff:ff",
        )
    ]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.looks for reply in replies}) == 1


async def test_a_model_file_says_language_time_and_schedule_only(sample: Installation, running: Running):
    for mac in MODELS:
        said = (await ask(running, f"/{phone(running, mac).model.model_file}")).settings
        said.pop("sip.notify_reboot_enable", None)
        own = {name.removeprefix("static.") for name in said}
        assert {name.partition(".")[0] for name in own} == {"lang", "local_time", "auto_provision"}
        schedule = re.compile(r"auto_provision\.(power_on|mode|(repeat|weekly|schedule)\.\w+)")
        assert [name for name in own if name.startswith("auto") and not schedule.fullmatch(name)] == []
        values = " ".join(said.values())
        customers = ("4822380", "127.0.0.1", "nowyklient", "Recepcja", "http", "Magazyn")
        assert [word for word in customers if word in values] == []


async def test_every_model_has_its_file(running: Running):
    for model in all_models():
        for name in model.model_files:
            reply = await ask(running, f"/{name}")
            assert (reply.status, model.name) == (404 if model.sectioned else 200, model.name)


async def test_numbers_that_no_model_has_are_closed(running: Running):
    for name in ("y000000000999.cfg", "y0000000000066.cfg", "y00000000066.cfg", "y999999999999.cfg", "y.cfg"):
        assert is_closed(await ask(running, f"/{name}"))


async def test_the_t28s_own_file_is_served_and_the_common_boot_file_is_not(
    sample: Installation, running: Running
):
    """y000000000000.cfg looks like the common boot file's name, and servers that block it lose the T28P."""
    assert (await ask(running, "/y000000000000.cfg")).status == 200
    await apply_text(sample, BOOT_MODE)
    await settled(sample, running, T46S)
    token = await token_of(sample, T46S)
    assert is_closed(await ask(running, "/y000000000000.boot"))
    assert is_closed(await ask(running, f"/{token}/y000000000000.boot"))


async def test_a_phone_asks_every_five_minutes_until_its_token_restores_the_schedule(
    sample: Installation, running: Running
):
    for mac in MODELS:
        machine = phone(running, mac)
        await booted(machine)
        assert machine.asks_again_after_minutes == 5
        await claim(sample, mac)
        await booted(machine)
        await booted(machine)
        assert machine.asks_again_after_minutes != 5
        own = await ask(running, f"/{await token_of(sample, mac)}/{machine.model.model_file}")
        assert own.settings.items() <= machine.memory.settings.items(), "both files say the same"


async def test_a_token_gives_no_other_models_file(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    token = await token_of(sample, T46S)
    assert (await ask(running, f"/{token}/y000000000066.cfg")).status == 200
    assert is_closed(await ask(running, f"/{token}/y000000000028.cfg"))
    assert (await requests(sample, running))[-1].reason == "other-model"


# Boot files


async def test_boot_files_are_not_there_unless_boot_mode_is_on(sample: Installation, running: Running):
    for mac in (VP530P, T54W):
        await settled(sample, running, mac)
        token = await token_of(sample, mac)
        for path in (f"/{mac}.boot", f"/{token}/{mac}.boot", f"/{token}/y000000000000.boot"):
            assert is_closed(await ask(running, path))


@pytest.mark.parametrize("mac", [T46S, T54W])
async def test_in_boot_mode_a_phone_boots_through_its_boot_file(
    sample: Installation, running: Running, mac: str
):
    await apply_text(sample, BOOT_MODE)
    machine = await settled(sample, running, mac)
    token = await token_of(sample, mac)
    boot_file = await ask(running, f"/{token}/{mac}.boot")
    assert boot_file.header("Content-Type") == "text/plain; charset=utf-8"
    included = [line for line in boot_file.body.decode().splitlines() if line.startswith("include")]
    assert included == [f'include:config "{machine.model.model_file}"', f'include:config "{mac}.cfg"']
    assert is_closed(await ask(running, f"/{mac}.boot")), "outside of the token nobody hears of it"
    await apply_text(sample, renamed("101", "Centrala"))
    again = await booted(machine)
    names = [(asked.url.rpartition("/")[2], asked.status) for asked in again.asked[:3]]
    assert names == [(f"{mac}.boot", 200), (machine.model.model_file, 200), (f"{mac}.cfg", 200)]
    assert again.done.outcome in (Outcome.APPLIED, Outcome.UNCHANGED)
    assert not machine.discovers
    assert machine.stored_url == f"{running.provisioning_url}/{token}/"


async def test_a_phone_older_than_v81_never_gets_a_boot_file(sample: Installation, running: Running):
    await apply_text(sample, BOOT_MODE)
    for mac in (VP530P, T46G, T23G):
        await settled(sample, running, mac)
        assert is_closed(await ask(running, f"/{await token_of(sample, mac)}/{mac}.boot"))


async def test_when_boot_mode_goes_so_does_the_boot_file(sample: Installation, running: Running):
    await apply_text(sample, BOOT_MODE)
    await settled(sample, running, T46S)
    await apply_text(sample, BOOT_MODE.replace("true", "false"))
    assert is_closed(await ask(running, f"/{await token_of(sample, T46S)}/{T46S}.boot"))


# HTTP


async def test_any_spelling_of_a_mac_names_the_phone(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    token = await token_of(sample, T46S)
    plain = await ask(running, f"/{token}/{T46S}.cfg")
    for name in (
        "805EC0123456.cfg",
        "805ec0123456.CFG",
        "80:5e:c0:12:34:56.cfg",
        "80-5E-C0-12-34-56.cfg",
        "80%3A5e%3Ac0%3A12%3A34%3A56.cfg",
        "805e.c012.3456.cfg",
        "%38%305ec0123456.cfg",
    ):
        assert (await ask(running, f"/{token}/{name}")).looks == plain.looks
    for path in (f"//{token}/{T46S}.cfg", f"/{token}//{T46S}.cfg", f"/{token}/{T46S}.cfg?x=1"):
        assert (await ask(running, path)).looks == plain.looks


async def test_first_contact_takes_any_spelling_and_a_slash_too_many(sample: Installation, running: Running):
    await claim(sample, T46S)
    replies = [await ask(running, path) for path in ("//80:5E:C0:12:34:56.cfg", f"/{T46S}.cfg")]
    assert {reply.status for reply in replies} == {200}
    assert replies[0].looks == replies[1].looks


async def test_a_file_goes_out_as_text_that_nobody_keeps(sample: Installation, running: Running):
    await claim(sample, VP530P)
    reply = await ask(running, f"/{VP530P}.cfg")
    assert reply.header("Content-Type") == "text/plain; charset=utf-8"
    assert reply.header("Cache-Control") == "no-cache"
    assert reply.header("Content-Length") == str(len(reply.body))
    assert reply.body.startswith(b"#!version:1.0.0.1\n")


async def test_a_phone_that_has_the_file_hears_so(sample: Installation, running: Running):
    path = "/y000000000066.cfg"
    plain = await ask(running, path)
    etag = plain.header("ETag")
    conditions = dict.fromkeys((f"{etag}", f"W/{etag}", f'"other", {etag}', f'W/"a",W/{etag}', "*"), 304)
    conditions |= {'"other"': 200, "x": 200, f"{etag}"[:-2] + '"': 200}
    for condition, status in conditions.items():
        headers = {"If-None-Match": condition}
        reply = await ask(running, path, headers=headers)
        assert (reply.status, reply.header("ETag")) == (status, etag)
        assert reply.body == (b"" if status == 304 else plain.body)
        head = await ask(running, path, method="HEAD", headers=headers)
        assert (head.status, head.header("ETag"), head.body) == (status, etag, b"")


async def test_head_says_what_get_would(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    token = await token_of(sample, T46S)
    for path in (
        f"/{token}/{T46S}.cfg",
        f"/{token}/y000000000066.cfg",
        "/y000000000066.cfg",
        f"/{UNLISTED}.cfg",
    ):
        get, head = await ask(running, path), await ask(running, path, method="HEAD")
        assert (head.looks[:2], head.body) == (get.looks[:2], b"")


async def test_a_change_gives_a_new_etag_to_the_phones_that_it_touches(
    sample: Installation, running: Running
):
    paths = {}
    for mac in MODELS:
        await settled(sample, running, mac)
        paths[mac] = f"/{await token_of(sample, mac)}/{mac}.cfg"
    before = {mac: (await ask(running, path)).header("ETag") for mac, path in paths.items()}
    plan = await apply_text(sample, renamed("105", "Magazyn główny"))
    after = {mac: (await ask(running, path)).header("ETag") for mac, path in paths.items()}
    touched = {file.owner.replace(":", "") for file in plan.files if file.file.endswith(".cfg")}
    assert {mac for mac in MODELS if before[mac] != after[mac]} == touched == {T23G}


async def test_the_same_data_are_the_same_bytes_for_ever(sample: Installation, running: Running):
    machine = await settled(sample, running, T54W)
    path = f"/{await token_of(sample, T54W)}/{T54W}.cfg"
    first = await ask(running, path)
    await apply_text(sample, renamed("104", "Inna sala"))
    await apply_text(sample, renamed("104", "Sala konferencyjna"))
    assert (await ask(running, path)).looks == first.looks
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED


async def test_other_methods_are_refused_whatever_they_name(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    paths = [f"/{await token_of(sample, T46S)}/{T46S}.cfg", f"/{T46S}.cfg", f"/{UNLISTED}.cfg", "/"]
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        replies = [await ask(running, path, method=method, data=b"x" * 1000) for path in paths]
        assert len({reply.looks for reply in replies}) == 1
        assert (replies[0].status, replies[0].header("Allow")) == (405, "GET, HEAD")


# What must always hold, 2


async def test_no_request_after_a_change_sees_the_file_before_it(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    path = f"/{await token_of(sample, T23G)}/{T23G}.cfg"
    changing = True
    acknowledged = 0

    async def read() -> int:
        rounds = 0
        while changing:
            least = acknowledged
            reply = await ask(running, path)
            assert reply.status == 200
            number = int(reply.settings["account.1.label"].rpartition(" ")[2])
            assert number >= least
            rounds += 1
        return rounds

    await apply_text(sample, renamed("105", "Magazyn 0"))
    async with asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(read()) for _ in range(3)]
        for number in range(1, 13):
            await apply_text(sample, renamed("105", f"Magazyn {number}"))
            acknowledged = number
            assert f"Magazyn {number}\n" in (await ask(running, path)).body.decode()
        changing = False
    assert all(reader.result() > 2 for reader in readers)


async def test_no_request_after_a_release_gets_anything(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    path = f"/{await token_of(sample, T23G)}/{T23G}.cfg"
    released = False

    async def read() -> None:
        while not released:
            before = released
            reply = await ask(running, path)
            assert reply.status == 200 or not before
        assert (await ask(running, path)).status == 404

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(read())
        await release(sample, T23G)
        released = True
