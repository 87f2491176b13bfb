"""Scans over real HTTP: a scanner is noticed and learns nothing, and nobody else notices the scanner."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from db.engine import Database
from db.schema import MissRow
from phone_templates.yealink.boot import Outcome
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations import scan_guard
from provisioner.operations.bans import Verdict, lift_ban, list_bans
from provisioner.operations.installation import Installation, utc_now
from provisioner.settings import Security
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    CLOSED,
    PHONE,
    STRANGER,
    T23G,
    T46S,
    T54W,
    VP530P,
    Reply,
    alarms,
    all_secrets,
    ask,
    ask_all,
    booted,
    claim,
    phone,
    requests,
    settled,
    shown,
    token_of,
)
from tests.provisioner.web.outside.doors import PATIENCE_S
from tests.provisioner.written import another_data_dir

MACS = 10_000 if os.environ.get("CENTRALKA_PROVE") else 2_000
ENDINGS = (".boot", "-local.cfg", "-contact.xml", "-calllog.xml")
"What phones ask for in vain at every start."


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers to scanners are late, but not by a second each."""
    monkeypatch.setattr(scan_guard, "DELAY_S", 0.001)


def unlisted(count: int, first: int = 0) -> list[str]:
    return [f"0015aa{number:06x}" for number in range(first, first + count)]


async def scan(server: Running, macs: list[str], source: str) -> list[Reply]:
    """Asks for all of them over one connection."""
    return await ask_all(server, [("GET", f"/{mac}.cfg") for mac in macs], source=source)


async def ban_stranger(server: Running, source: str = STRANGER) -> None:
    """Has a source banned for what it asked for."""
    await scan(server, unlisted(20), source)
    await server.settled()


async def banned(installation: Installation) -> set[str]:
    now = utc_now()
    return {ban.source for ban in await list_bans(installation, now) if ban.verdict is Verdict.BANNED}


async def listed(installation: Installation, count: int) -> list[str]:
    """Lists so many phones more."""
    macs = [f"805ec1{number:06x}" for number in range(count)]
    devices = "\n".join(f'      - {{mac: "{mac}", model: T46S}}' for mac in macs)
    company = f"customers:\n  - login: wielki\n    name: Wielki\n    devices:\n{devices}\n"
    await apply_text(installation, company)
    return macs


async def test_a_scan_is_noticed_within_twenty_misses(sample: Installation, running: Running):
    for mac in unlisted(20):
        await scan(running, [mac], STRANGER)
        await running.settled()
        if await banned(sample):
            break
    (ban,) = await list_bans(sample, utc_now())
    assert (ban.source, ban.verdict) == (STRANGER, Verdict.BANNED)
    assert 10 <= ban.misses <= 20
    (alarm,) = await alarms(sample)
    assert (alarm.kind, alarm.source) == ("mac-scan", STRANGER)


async def test_thousands_of_macs_from_many_addresses_are_noticed_and_all_answers_are_alike(
    sample: Installation, running: Running
):
    real = await listed(sample, MACS // 50)
    macs = unlisted(MACS - len(real)) + real
    # Each address has some of both.
    parts = [macs[start::40] for start in range(40)]
    sources = [f"127.0.9.{number}" for number in range(1, 41)]
    async with asyncio.TaskGroup() as tasks:
        scans = [
            tasks.create_task(scan(running, part, source))
            for part, source in zip(parts, sources, strict=True)
        ]
    replies = [reply for each in scans for reply in each.result()]
    assert len(replies) == MACS
    assert len({reply.looks for reply in replies}) == 1
    assert (replies[0].status, replies[0].body) == CLOSED
    await running.settled()
    assert await banned(sample) == set(sources)
    assert all(ban.misses <= 20 for ban in await list_bans(sample, utc_now()))
    # The alarms can be read by a person.
    assert len(await alarms(sample)) <= 21
    secrets = set((await all_secrets(sample)).values())
    said = b"".join(reply.body + repr(reply.headers).encode() for reply in replies[::100])
    assert not any(secret.encode() in said for secret in secrets)


async def test_a_scan_with_few_misses_from_each_of_many_addresses_is_reported(
    sample: Installation, running: Running
):
    parts = [unlisted(5, 5 * number) for number in range(50)]
    await asyncio.gather(*(scan(running, part, f"127.0.8.{number}") for number, part in enumerate(parts, 1)))
    await running.settled()
    assert await list_bans(sample, utc_now()) == []
    assert [alarm.kind for alarm in await alarms(sample)] == ["mac-scan-spread"]


async def test_a_banned_source_gets_what_everybody_gets_for_whatever_mac(
    sample: Installation, running: Running
):
    await settled(sample, running, T23G)
    await claim(sample, T54W)
    macs = (*unlisted(1), VP530P, T23G)
    before = [await ask(running, f"/{mac}.cfg", source=STRANGER) for mac in macs]
    await ban_stranger(running)
    after = [await ask(running, f"/{mac}.cfg", source=STRANGER) for mac in (*macs, T54W)]
    assert len({reply.looks for reply in before + after}) == 1
    newest = (await requests(sample, running))[-len(after) :]
    assert {row.reason for row in newest} == {"banned"}
    # Nobody has taken the window or ended it.
    assert (await ask(running, f"/{T54W}.cfg", source=PHONE)).status == 200


async def test_a_phone_with_a_token_is_served_behind_a_banned_address(sample: Installation, running: Running):
    machine = await settled(sample, running, T23G)
    await ban_stranger(running, PHONE)
    assert await banned(sample) == {PHONE}
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED
    path = f"/{await token_of(sample, T23G)}/{T23G}.cfg"
    assert (await ask(running, path)).status == 200
    assert (await ask(running, path, source="127.0.0.12")).status == 200
    # The secret-free file is nobody's: phones that come back find their way by it when the ban is over.
    assert (await ask(running, "/y000000000066.cfg")).status == 200


async def test_a_window_can_not_be_used_from_a_banned_address_until_the_ban_is_lifted(
    sample: Installation, running: Running
):
    await ban_stranger(running, PHONE)
    await claim(sample, VP530P)
    machine = phone(running, VP530P)
    fetched = {asked.url.rpartition("/")[2]: asked.status for asked in (await booted(machine)).asked}
    assert fetched[f"{VP530P}.cfg"] == 404
    details = await shown(sample, running, VP530P)
    assert "banned" in {request.reason for request in details.requests}
    (alarm,) = await alarms(sample)
    assert f"centralka bans lift {PHONE}" in alarm.text
    assert "open window" in alarm.text
    await lift_ban(sample, PHONE, COMMAND_LINE, utc_now())
    await booted(machine)
    await booted(machine)
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED


async def test_a_site_of_200_phones_that_boots_at_once_makes_no_miss(
    sample: Installation, running: Running, monkeypatch: pytest.MonkeyPatch
):
    # Who waits for the database for ten seconds is told to come later: on a machine that is busy with others
    # that is what a test sees, and not what it is about.
    monkeypatch.setattr(sample.database, "_busy_s", PATIENCE_S)
    macs = await listed(sample, 200)
    for mac in macs[:20]:
        await claim(sample, mac)
    tries = [[("GET", f"/{mac}{ending}") for ending in (*ENDINGS, ".cfg")] * 3 for mac in macs]
    replies = await asyncio.gather(*(ask_all(running, each, source=PHONE) for each in tries))
    own = [reply.status for each in replies for reply in each[4::5]]
    assert own == [200] * 60 + [404] * 540
    assert {reply.status for each in replies for index, reply in enumerate(each) if index % 5 != 4} == {404}
    await running.settled()
    assert await list_bans(sample, utc_now()) == []
    assert await alarms(sample) == []
    async with sample.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(MissRow)) == 0


async def test_a_technician_whose_five_phones_are_not_listed_yet_is_not_hindered(
    sample: Installation, running: Running
):
    early = [f"805ec0aaaa{number:02x}" for number in range(5)]
    names = [("GET", f"/{mac}{ending}") for mac in early for ending in (*ENDINGS, ".cfg")]
    for _ in range(5):
        await ask_all(running, names, source=PHONE)
        await running.settled()
    assert await list_bans(sample, utc_now()) == []
    await claim(sample, T46S)
    assert (await ask(running, f"/{T46S}.cfg", source=PHONE)).status == 200


async def test_what_comes_with_a_made_up_token_or_is_no_mac_file_is_no_miss(
    sample: Installation, running: Running
):
    macs = unlisted(30)
    names = [f"/{mac}{ending}" for mac in macs for ending in ENDINGS]
    names += [f"/{'0' * 32}/{mac}.cfg" for mac in macs]
    await ask_all(running, [("GET", name) for name in names], source=STRANGER)
    await ask_all(running, [("POST", f"/{mac}.cfg") for mac in macs], source=STRANGER)
    await running.settled()
    assert await list_bans(sample, utc_now()) == []


async def test_the_same_mac_in_other_spellings_and_again_is_one_miss(sample: Installation, running: Running):
    mac = unlisted(1)[0]
    spellings = (mac, mac.upper(), "-".join(mac[i : i + 2] for i in range(0, 12, 2)), f"/{mac}")
    names = [f"/{each}.cfg" for each in spellings] * 10
    await ask_all(running, [(method, name) for name in names for method in ("GET", "HEAD")], source=STRANGER)
    await running.settled()
    async with sample.database.read() as session:
        assert list(await session.scalars(select(MissRow.mac))) == [mac]


@pytest.fixture
async def second(sample: Installation, database_url: str) -> AsyncIterator[Running]:
    """Another server on the same database."""
    database = await Database.open(database_url)
    there = replace(sample, data_dir=another_data_dir(sample.data_dir), database=database)
    async with serving(there, lambda _: None) as server:
        yield server
    await database.close()


async def test_servers_on_one_database_count_together_and_know_at_once(
    sample: Installation, running: Running, second: Running
):
    await claim(sample, T54W)
    macs = unlisted(20)
    for server, part in ((running, macs[::2]), (second, macs[1::2])):
        await scan(server, part, STRANGER)
        await server.settled()
    assert await banned(sample) == {STRANGER}
    for server in (running, second):
        assert (await ask(server, f"/{T54W}.cfg", source=STRANGER)).status == 404
    assert {row.reason for row in (await requests(sample, second)) if row.mac == T54W} == {"banned"}


async def test_a_ban_outlives_the_server(sample: Installation):
    async with serving(sample, lambda _: None) as server:
        await scan(server, unlisted(20), STRANGER)
    assert await banned(sample) == {STRANGER}, "what came in last is judged before the server ends"
    await claim(sample, T54W)
    async with serving(sample, lambda _: None) as server:
        assert (await ask(server, f"/{T54W}.cfg", source=STRANGER)).status == 404
        assert (await ask(server, f"/{T54W}.cfg", source=PHONE)).status == 200


async def test_with_scans_turned_off_nothing_is_counted(sample: Installation):
    settings = sample.settings.model_copy(update={"security": Security(scan_misses=0)})
    async with serving(replace(sample, settings=settings), lambda _: None) as server:
        await scan(server, unlisted(100), STRANGER)
    assert await list_bans(sample, utc_now()) == []
