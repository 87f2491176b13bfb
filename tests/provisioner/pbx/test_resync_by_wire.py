"""A change, a registered phone, the NOTIFY on its socket, and its fetch: all of it by the whole server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from db.queries.resyncs import how_far
from phone_templates import cfg
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.control.client import ask
from provisioner.operations import claims
from provisioner.operations.device_files import render_device
from provisioner.operations.installation import Installation
from sip.message.message import Request
from sip.message.parser import parse_datagram
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.phone import Phone, phone
from tests.provisioner.web.asking import all_secrets

ANNA, LINE = MacAddress("0015654aa937"), "48223809986"
MOVED = MacAddress("001565000001")
OWN, PASSWORD = "48225550001", "a-password-of-its-own"
BEFORE = f"""
customers:
  - login: przenosiny
    name: Przenosiny
    lines: [{{number: "{OWN}", product: telefonia-ip-plus, password: {PASSWORD}}}]
    devices: [{{mac: "{MOVED}", model: T46S, accounts: [{{account: 1, line: "{OWN}"}}]}}]
"""
WITHOUT_ACCOUNT = BEFORE.replace(f'{{account: 1, line: "{OWN}"}}', "")
WITHOUT_LINE = WITHOUT_ACCOUNT.replace(
    f'{{number: "{OWN}", product: telefonia-ip-plus, password: {PASSWORD}}}', ""
)


async def is_told(mine: Phone, status: int = 200) -> str:
    """What the next NOTIFY says; it is answered with `status`."""
    while True:
        came = parse_datagram((await mine.peer.receive())[0])
        if isinstance(came, Request):
            answers = status if came.method == "NOTIFY" else 200
            mine.peer.send(bytes(came.response(answers, to_tag="phone")))
            # One that was sent again, because its answer took long, is none.
            if came.method == "NOTIFY" and came.via[0].branch not in mine.heard:
                mine.heard.add(came.via[0].branch)
                return str(came.event)


async def fetch(installation: Installation, mac: MacAddress = ANNA) -> None:
    """The phone gets its own file by the URL that it was told."""
    told = dict(cfg.parse(await render_device(installation, mac)))
    async with (
        ClientSession() as session,
        session.get(f"{told['static.auto_provision.server.url']}{mac.hex}.cfg") as answer,
    ):
        assert answer.status == 200


async def steps(installation: Installation, kind: str, said: asyncio.Queue[dict[str, Any]]) -> None:
    async for step in ask(installation.data_dir, "resync", {"mac": str(ANNA), "kind": kind}):
        said.put_nowait(step)


async def test_a_change_reaches_the_phone_and_is_followed_until_it_has_fetched(
    sample: Installation, running: Running
):
    secrets = await all_secrets(sample)
    async with phone(running.sip, LINE, secrets[f"line {LINE}"]) as mine:
        assert (await mine.register()).status == 200
        await claims.claim(sample, ANNA, COMMAND_LINE)
        assert await is_told(mine) == "check-sync;reboot=false"
        await fetch(sample)
        await running.settled()
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(steps(sample, "reboot", said))
            assert await is_told(mine) == "check-sync;reboot=true"
            while (await said.get())["step"] != "answered":
                pass
            await fetch(sample)
        assert (await said.get())["outcome"] == "fetched"
    rows = await sample.database.rows("SELECT kind, cause, answered_status, outcome FROM resyncs ORDER BY id")
    assert rows == [("resync", "change", 200, "fetched"), ("reboot", "asked", 200, "fetched")]


async def test_changes_are_followed_from_when_a_first_start_is_over(sample: Installation, running: Running):
    followed, newest = await how_far(sample.database)
    assert followed == newest


async def test_a_phone_that_refuses_is_seen_to_refuse(sample: Installation, running: Running):
    secrets = await all_secrets(sample)
    async with phone(running.sip, LINE, secrets[f"line {LINE}"]) as mine:
        assert (await mine.register()).status == 200
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(steps(sample, "resync", said))
            await is_told(mine, 481)
        found = [said.get_nowait() for _ in range(said.qsize())]
    assert [each["step"] for each in found] == ["asked", "told", "answered", "done"]
    assert (found[2]["status"], found[3]["outcome"]) == (481, "refused")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("after", [WITHOUT_ACCOUNT, WITHOUT_LINE])
async def test_a_phone_whose_only_line_is_taken_from_it_is_told(
    sample: Installation, running: Running, after: str
):
    """It would go on registering that until it came by itself."""
    await apply_text(sample, BEFORE)
    await claims.claim(sample, MOVED, COMMAND_LINE)
    await fetch(sample, MOVED)
    await running.settled()
    async with phone(running.sip, OWN, PASSWORD) as mine:
        assert (await mine.register()).status == 200
        await apply_text(sample, after)
        assert await is_told(mine) == "check-sync;reboot=false"
