"""Soft phones call, and it is seen in records, events and on lamps of colleagues; and ended from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.exchange import Exchange, Site, exchange
from tests.e2e.keys import keys
from tests.e2e.softphones.baresip import baresip
from tests.e2e.tones import write_tone
from tests.provisioner.web.streams import following, get

_LONGEST_S = 30


async def said(served: Exchange, path: str) -> dict[str, Any]:
    async with get(served.running, path, served.token) as response:
        assert response.status == 200
        return dict(await response.json())


async def hang_up(served: Exchange, call: str) -> int:
    url = f"{served.running.portal_url}/api/v1/calls/live/{call}"
    headers = {"Authorization": f"Bearer {served.token}"}
    async with aiohttp.ClientSession() as http, http.delete(url, headers=headers) as response:
        return response.status


async def comes_to(look: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """What is seen when it is so: records are some hundredths of a second behind."""
    async with asyncio.timeout(_LONGEST_S):
        while not is_so(found := await look()):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)
        return found


async def test_a_call_to_a_group_is_seen_everywhere_and_ended_from_outside(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    alice, bob, carol = (site.phone(number) for number in (2, 3, 4))
    company = (
        "    extensions:\n"
        f"      - {alice.extension('101', 'Recepcja')}\n      - {bob.extension('102', 'Biuro')}\n"
        f"      - {carol.extension('103', 'Magazyn')}\n"
        "    hunt_groups:\n"
        '      - {number: "600", name: Wszyscy, members: [{extension: "103"}, {extension: "102"}]}\n'
    )
    async with (
        exchange(tmp_path, migrated_sqlite, site, [alice, bob, carol], company=company) as served,
        following(served.running, served.token, "?kind=call") as stream,
        baresip(
            await served.account(alice), tmp_path / "101", served.host(alice),
            tone=write_tone(tmp_path / "440.wav", 440),
        ) as first,
        baresip(
            await served.account(bob), tmp_path / "102", served.host(bob),
            tone=write_tone(tmp_path / "1000.wav", 1000),
        ) as second,
        keys(await served.account(carol)) as lamps,
    ):  # fmt: skip
        await first.registers()
        await second.registers()
        for number in ("101", "102", "600"):
            await lamps.watch(number)
        await first.dials("600")
        await second.rings()
        await lamps.shows("102", ("early", "recipient"))
        await lamps.shows("600", ("early", "recipient"))
        await lamps.shows("101", ("proceeding", "initiator"))
        await second.accepts()
        await asyncio.gather(first.talks(), second.talks())
        for number, direction in (("101", "initiator"), ("102", "recipient"), ("600", "recipient")):
            await lamps.shows(number, ("confirmed", direction))

        live = await comes_to(
            lambda: said(served, "/calls/live"),
            lambda found: any(call["answered_at"] is not None for call in found["calls"]),
        )
        [call] = live["calls"]
        assert (call["from_number"], call["from_name"], call["to_number"]) == ("101", "Recepcja", "600")
        assert [(leg["extension"], leg["reason"], leg["phones"]) for leg in call["legs"]] == [
            ("103", "unreachable", 0),
            ("102", "answered", 1),
        ]
        assert await hang_up(served, call["id"]) == 204
        await asyncio.gather(first.is_hung_up(), second.is_hung_up())
        for number, direction in (("101", "initiator"), ("102", "recipient"), ("600", "recipient")):
            await lamps.shows(number, ("terminated", direction))
        # Each was told in this order; what is sent again says the same.
        for number, states in lamps.lamps.items():
            told = [state for state, _ in groupby(lit[0][0] for lit in states if lit)]
            first = "proceeding" if number == "101" else "early"
            assert told == [first, "confirmed", "terminated"]

        over = await comes_to(
            lambda: said(served, f"/calls/{call['id']}"), lambda found: found["ended_at"] is not None
        )
        assert over["end"] == "operator"
        assert await hang_up(served, call["id"]) == 409
        frames = await stream.take(5)
        assert [frame.event.removeprefix("call.") for frame in frames] == [
            *("began", "skipped", "ringing", "answered", "ended")
        ]
