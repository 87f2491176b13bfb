"""Soft phones ring as their company has set: who, in which order, and whom their displays show."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from sip.transport.flow import Transport
from tests.e2e.exchange import Site
from tests.e2e.office import group, office, shown
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import running


async def test_members_ring_one_after_another_on_every_transport(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    groups = group("order", "102", "103", "101")
    transports = (Transport.UDP, Transport.TCP, Transport.TLS, Transport.UDP)
    async with office(tmp_path, migrated_sqlite, groups, transports) as (first, second, third, caller):
        await caller.dials("600")
        assert await shown(second) == "Serwis 104"
        await second.is_hung_up()
        assert await shown(third) == "Serwis 104"
        await third.is_hung_up()
        assert await shown(first) == "Serwis 104"
        await first.accepts()
        await asyncio.gather(first.talks(), caller.talks())
        await first.hangs_up()
        await caller.is_hung_up()


@pytest.mark.parametrize(
    ("presentation", "expected"), [("group", "Sprzedaz 600"), ("group_name", "Sprzedaz 104")]
)
async def test_all_ring_together_and_see_the_group(
    presentation: str, expected: str, tmp_path: Path, migrated_sqlite: Path
) -> None:
    groups = group("simultaneous", "101", "102", "103", presentation=presentation, ring_time=20)
    async with office(tmp_path, migrated_sqlite, groups) as (first, second, third, caller):
        await caller.dials("600")
        assert await asyncio.gather(shown(first), shown(second), shown(third)) == [expected] * 3
        await second.accepts()
        await asyncio.gather(second.talks(), caller.talks(), first.is_hung_up(), third.is_hung_up())
        await caller.hangs_up()
        await second.is_hung_up()


async def test_codes_take_effect_with_the_next_call(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with office(tmp_path, migrated_sqlite, group("order", "101", "102")) as (
        first, second, third, caller,
    ):  # fmt: skip
        await first.dials("*21*103")
        await first.is_hung_up()
        await caller.dials("101")
        assert await shown(third) == "Serwis 104"
        await third.hangs_up()
        await caller.is_hung_up()
        await second.dials("*51")
        await second.is_hung_up()
        # Of the group the one is forwarded, and the other has logged out.
        await caller.dials("600")
        assert await shown(third) == "Serwis 104"
        await third.accepts()
        await asyncio.gather(caller.talks(), third.talks())
        await third.hangs_up()
        await caller.is_hung_up()
        await third.dials("*26")
        # Not the end of the call before, which it tells as well.
        await third.talks()
        await third.is_hung_up()
        await caller.dials("103")
        await caller.program.says("486")


async def test_who_hides_is_shown_to_nobody(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with office(tmp_path, migrated_sqlite, group("order", "101")) as (first, _, _, caller):
        await caller.dials("*67101")
        assert await shown(first) == "Anonymous anonymous"
        await first.hangs_up()
        await caller.is_hung_up()
        await caller.dials("101")
        assert await shown(first) == "Serwis 104"


async def test_a_call_that_nobody_answers_goes_to_the_overflow(tmp_path: Path, migrated_sqlite: Path) -> None:
    groups = group("order", "101", "102", presentation="group", ring_time=1)
    groups = groups.replace("members:", 'overflow: "103", members:')
    async with office(tmp_path, migrated_sqlite, groups) as (first, second, third, caller):
        await caller.dials("600")
        assert await shown(first) == "Sprzedaz 600"
        assert await shown(second) == "Sprzedaz 600"
        assert await shown(third) == "Serwis 104"
        await third.accepts()
        await asyncio.gather(third.talks(), caller.talks())


async def test_an_emergency_call_reaches_the_gateway(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    gateway = free(site.host(200))
    command = ["sipp", "-sn", "uas", "-m", "1", "-nostdin", "-i", gateway.host, "-p", str(gateway.port)]
    command += ["-timeout", "30", "-trace_msg", "-message_file", "messages"]
    tables = f'[sip]\nemergency_gateway = "{gateway}"\n'
    async with (
        running(command, tmp_path) as sipp,
        office(tmp_path, migrated_sqlite, group("order", "101"), site=site, tables=tables) as phones,
    ):
        caller = phones[-1]
        await caller.dials("*67112")
        await caller.talks()
        await caller.hangs_up()
        assert await sipp.ended() == 0
    said = (tmp_path / "messages").read_text()
    assert f"INVITE sip:112@{gateway} SIP/2.0" in said
    assert re.search(r"^From: <sip:48225550005@", said, re.MULTILINE)
