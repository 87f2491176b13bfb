"""`/api/v1/events`: what phones report and ask for, as programs see it happen."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from db.schema import DeviceRow, PhoneEventRow
from db.tail import announce
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import event_tail as event_tail_module
from provisioner.operations.api_tokens import create_token, revoke_token
from provisioner.operations.event_tail import EventTail, Subscription, event_tail
from provisioner.operations.events import Position, Wanted
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.web.api.app import api_app
from provisioner.web.api.events import EventStreams
from provisioner.web.streams import Streams
from sip.transport.flow import Address
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    PHONE,
    T23G,
    T46S,
    T54W,
    VP530P,
    ask,
    booted,
    claim,
    phone,
    service_of,
)
from tests.provisioner.web.streams import Frame, following, get, token_for
from tests.provisioner.web.test_killed_server import killed
from tests.provisioner.written import another_data_dir

LOGIN = "nowyklienttestowy"
OTHER = "001565000001"
OTHERS = f"""
customers:
  - login: inny
    name: Inny
    lines: [{{number: "48223333333", product: telefonia-ip-plus}}]
    devices: [{{mac: "{OTHER}", model: T46S, accounts: [{{account: 1, line: "48223333333"}}]}}]
"""


async def report(installation: Installation, server: Running, mac: str, event: str, query: str = "") -> None:
    """A phone's action URL, asked for and acknowledged."""
    service = await service_of(installation, mac)
    assert (await ask(server, f"/{service}/action/{event}{query}")).status == 200


def calls(frames: list[Frame]) -> list[str]:
    """What the reports of a test are told apart by."""
    return [frame.data["details"]["call"] for frame in frames]


async def keep(installation: Installation, mac: str, count: int, **said: str) -> None:
    """So many reports of a phone, kept at once."""
    async with installation.database.append() as session:
        await announce(session)
        device_id = await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == mac))
        session.add_all(
            PhoneEventRow(
                at=datetime(2026, 3, 2, tzinfo=UTC),
                device_id=device_id,
                event="hold",
                source=PHONE,
                details=json.dumps({**said, "call": str(number)}),
            )
            for number in range(count)
        )


@asynccontextmanager
async def granting(tail: EventTail, installation: Installation, **grants: Any) -> AsyncIterator[Running]:
    """The API alone, with other limits than the server's."""
    portal = web.Application()
    portal.add_subapp("/api/v1", api_app(installation, EventStreams(tail, Streams(**grants)), Switchboard()))
    async with TestServer(portal) as server:
        url = str(server.make_url("")).rstrip("/")
        yield Running(url, url, Address("127.0.0.1", 0))


@pytest.fixture
async def tail(sample: Installation) -> AsyncIterator[EventTail]:
    async with event_tail(sample.database) as running:
        yield running


async def test_what_a_phone_reports_is_seen_as_it_happens(sample: Installation, running: Running):
    async with following(running, await token_for(sample)) as stream:
        await report(sample, running, T46S, "log_on", f"?mac={T46S}&account=48223809880&call=")
        [frame] = await stream.take(1)
    assert frame.event == frame.data["kind"] == "phone.registered"
    assert frame.data["mac"] == "80:5e:c0:12:34:56"
    assert frame.data["customer"] == LOGIN
    assert frame.data["source"] == PHONE
    assert frame.data["details"] == {"account": "48223809880"}
    assert frame.data["at"].endswith("Z")
    assert datetime.fromisoformat(frame.data["at"]).tzinfo is not None


async def test_a_phone_is_seen_coming_up(sample: Installation, running: Running):
    await claim(sample, VP530P)
    token = await token_for(sample)
    async with following(running, token, "?kind=device.fetched") as stream:
        machine = phone(running, VP530P)
        await booted(machine)
        await booted(machine)
        first, second = await stream.take(2)
    assert first.data["details"] == {
        "method": "GET",
        "file": f"{VP530P}.cfg",
        "status": 200,
        "reason": first.data["details"]["reason"],
        "revision": first.data["details"]["revision"],
    }
    assert first.data["details"]["reason"].startswith("window-")
    assert second.data["details"]["reason"] == "current"
    assert first.data["details"]["revision"] == second.data["details"]["revision"] > 0
    async with following(running, token, f"?after=0-0&mac={VP530P}") as stream:
        seen = [frame.event for frame in await stream.take(3)]
    assert set(seen) == {"device.fetched", "device.contacted"}


async def test_no_token_of_a_phone_is_ever_published(sample: Installation, running: Running):
    await claim(sample, VP530P)
    machine = phone(running, VP530P)
    await booted(machine)
    await booted(machine)
    service = await service_of(sample, VP530P)
    await ask(running, f"/{service}/nothing/{service}?x={service}")
    await report(sample, running, VP530P, "hold", f"?remote=x{service}x")
    text = ""
    async with following(running, await token_for(sample), "?after=0-0") as stream:
        while "phone.hold" not in text:
            [frame] = await stream.take(1)
            text += repr(frame)
    assert service not in text
    assert machine.memory.settings["auto_provision.server.url"].rstrip("/").rpartition("/")[2] not in text


async def test_a_stream_goes_on_where_it_was_left_also_after_a_restart(sample: Installation):
    token = await token_for(sample)
    async with serving(sample, lambda _: None) as server:
        async with following(server, token) as stream:
            await report(sample, server, T46S, "hold", "?call=1")
            [first] = await stream.take(1)
        await report(sample, server, T46S, "hold", "?call=2")
    async with serving(sample, lambda _: None) as server:
        await report(sample, server, T46S, "hold", "?call=3")
        async with following(server, token, last=first.id) as stream:
            await report(sample, server, T46S, "hold", "?call=4")
            missed = await stream.take(3)
    assert calls(missed) == ["2", "3", "4"]


async def test_what_was_acknowledged_before_a_kill_is_published_after_it(
    sample: Installation, database_url: str
):
    token = await token_for(sample)
    async with killed(sample.data_dir, database_url) as (server, kill), following(server, token) as stream:
        await report(sample, server, T46S, "hold", "?call=1")
        [first] = await stream.take(1)
        await report(sample, server, T46S, "hold", "?call=2")
        kill()
    async with (
        killed(sample.data_dir, database_url) as (server, _),
        following(server, token, last=first.id) as stream,
    ):
        assert calls(await stream.take(1)) == ["2"]


async def test_reports_that_another_process_keeps_are_published_too(sample: Installation, database_url: str):
    token = await token_for(sample)
    async with (
        serving(sample, lambda _: None) as server,
        killed(another_data_dir(sample.data_dir), database_url) as (other, _),
        following(server, token) as stream,
        following(other, token) as stream_of_other,
    ):
        for number in range(5):
            await report(sample, other if number % 2 else server, T46S, "hold", f"?call={number}")
        for each in (stream, stream_of_other):
            assert calls(await each.take(5)) == ["0", "1", "2", "3", "4"]


async def test_many_streams_that_begin_anywhere_miss_nothing_and_see_nothing_twice(
    sample: Installation, running: Running
):
    token = await token_for(sample)
    service = await service_of(sample, T46S)

    async def reports() -> None:
        for number in range(60):
            assert (await ask(running, f"/{service}/action/hold?call={number}")).status == 200

    async def follow(interrupted_after: int) -> list[str]:
        seen: list[Frame] = []
        last = "0-0"
        while len(seen) < 60:
            async with following(running, token, "?kind=phone", last=last) as stream:
                seen += await stream.take(min(interrupted_after, 60 - len(seen)))
                assert seen[-1].id is not None
                last = seen[-1].id
        return calls(seen)

    async with asyncio.TaskGroup() as tasks:
        following_it = [tasks.create_task(follow(count)) for count in (1, 7, 60)]
        tasks.create_task(reports())
    for each in following_it:
        assert each.result() == [str(number) for number in range(60)]


async def test_what_happens_while_a_reader_is_let_in_is_told_once(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    async with event_tail(sample.database) as tail, tail.subscribed(Wanted()):
        existing = EventTail._existing

        async def meanwhile(self: EventTail, after: Position) -> Position:
            told = asyncio.Event()
            monkeypatch.setattr(Subscription, "offer", noticed(Subscription.offer, told))
            await keep(sample, T46S, 1)
            await told.wait()
            return await existing(self, after)

        monkeypatch.setattr(EventTail, "_existing", meanwhile)
        async with tail.subscribed(Wanted(), Position(0, 0, 0, 0, 0)) as late:
            seen = list(await late.next())
            await keep(sample, T46S, 1)
            seen += await late.next()
            numbers = [event.position.report for event in seen]
            assert numbers == sorted(set(numbers))
            assert len(numbers) == 2


async def test_who_comes_when_the_last_reader_has_just_left_waits_for_nobody(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    # Longer than this test may take: nothing is written that would wake the one who looks.
    monkeypatch.setattr(event_tail_module, "_IDLE_S", 3600)
    async with event_tail(sample.database) as tail, asyncio.timeout(60):
        for _ in range(3):
            async with tail.subscribed(Wanted()) as last:
                pass
        async with tail.subscribed(Wanted()) as last:
            await keep(sample, T46S, 1)
            [event] = await last.next()
    assert event.position == Position(1, 0, 0, 0, 0)


def noticed(offer: Callable[..., None], told: asyncio.Event) -> Callable[..., None]:
    """`offer`, which sets `told`."""

    def offered(self: Subscription, *arguments: Any) -> None:
        offer(self, *arguments)
        told.set()

    return offered


async def test_very_much_that_was_missed_comes_in_order(sample: Installation, running: Running):
    await keep(sample, T46S, 1700)
    async with following(running, await token_for(sample), "?after=0-0") as stream:
        assert calls(await stream.take(1700)) == [str(number) for number in range(1700)]


async def test_a_stream_may_be_of_some_kinds_and_of_one_phone(sample: Installation, running: Running):
    for mac in (T46S, T54W):
        for event in ("hold", "dnd_on", "unhold"):
            await report(sample, running, mac, event)
    token = await token_for(sample)
    query = f"?after=0-0&kind=phone.hold,phone.unhold&kind=device&mac={T54W}"
    async with following(running, token, query) as stream:
        seen = [(frame.event, frame.data["mac"]) for frame in await stream.take(2)]
        await report(sample, running, T54W, "mute")
        await report(sample, running, T46S, "hold")
        await report(sample, running, T54W, "hold")
        seen += [(frame.event, frame.data["mac"]) for frame in await stream.take(1)]
    assert seen == [(f"phone.{event}", "24:9a:d8:00:00:54") for event in ("hold", "unhold", "hold")]


async def test_a_customer_sees_the_events_of_its_own_phones_alone(sample: Installation, running: Running):
    await apply_text(sample, OTHERS)
    token, others = await token_for(sample, LOGIN), await token_for(sample, "inny")
    async with (
        following(running, token) as stream,
        following(running, others) as stream_of_other,
        following(running, await token_for(sample)) as operators,
    ):
        await report(sample, running, OTHER, "hold", "?call=theirs")
        await report(sample, running, T46S, "hold", "?call=ours")
        assert calls(await stream.take(1)) == ["ours"]
        await report(sample, running, OTHER, "hold", "?call=last")
        assert calls(await stream_of_other.take(2)) == ["theirs", "last"]
        assert calls(await operators.take(3)) == ["theirs", "ours", "last"]
    # The same holds for what was missed.
    async with following(running, token, "?after=0-0") as stream:
        await report(sample, running, T46S, "hold", "?call=again")
        assert calls(await stream.take(2)) == ["ours", "again"]


async def test_a_phone_of_another_customer_looks_like_none(sample: Installation, running: Running):
    await apply_text(sample, OTHERS)
    token = await token_for(sample, LOGIN)
    looks = []
    for mac in (OTHER, "001565000002"):
        async with get(running, f"/events?mac={mac}", token) as response:
            text = (await response.text()).replace(str(MacAddress(mac)), "MAC")
            looks.append((response.status, response.content_type, text))
    assert looks[0] == looks[1]
    assert looks[0][:2] == (404, "application/problem+json")


async def test_revoking_a_token_ends_its_streams_and_no_others(sample: Installation, running: Running):
    made = await create_token(sample, "a program", COMMAND_LINE, customer=LOGIN)
    async with (
        following(running, await token_for(sample, LOGIN)) as other,
        following(running, made.token) as stream,
    ):
        await revoke_token(sample, made.id, COMMAND_LINE)
        ended = await stream.next()
        assert ended == Frame(None, "stream.ended", {"reason": "revoked"})
        assert await stream.next() is None
        await report(sample, running, T46S, "hold")
        assert len(await other.take(1)) == 1
    async with get(running, "/events", made.token) as response:
        assert response.status == 401


async def test_a_server_that_stops_ends_its_streams(sample: Installation):
    token = await token_for(sample)
    async with asyncio.TaskGroup() as tasks:
        async with serving(sample, lambda _: None) as server:
            streams = following(server, token)
            stream = await streams.__aenter__()
            ended = tasks.create_task(stream.next())
        assert await ended == Frame(None, "stream.ended", {"reason": "shutdown"})
        await streams.__aexit__(None, None, None)


async def test_a_reader_for_which_too_much_waits_is_told_and_goes_on_later(sample: Installation):
    async with event_tail(sample.database, most_waiting=3) as tail, granting(tail, sample) as server:
        token = await token_for(sample)
        async with following(server, token) as stream:
            # All of them become known in the same moment: nobody could have read faster.
            await keep(sample, T46S, 10)
            seen = await stream.take(3)
            assert await stream.next() == Frame(None, "stream.ended", {"reason": "slow"})
            assert await stream.next() is None
        async with following(server, token, last=seen[-1].id) as stream:
            assert calls(seen + await stream.take(7)) == [str(number) for number in range(10)]


async def test_a_reader_that_takes_nothing_is_cut_off(sample: Installation, tail: EventTail):
    await keep(sample, T46S, 3000, local="x" * 8000)
    async with granting(tail, sample, send_s=0.2, most=1) as server:
        token = await token_for(sample)
        host, _, port = server.portal_url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as silent:
            lines = ("GET /api/v1/events?after=0-0 HTTP/1.1", "Host: x", f"Authorization: Bearer {token}")
            silent.sendall("\r\n".join((*lines, "", "")).encode())
            # Its place is free again as soon as it is cut off.
            async with asyncio.timeout(60):
                status = 0
                while status != 200:
                    async with get(server, "/events", token) as response:
                        status = response.status
                        assert status in (200, 429)


async def test_a_silent_stream_says_that_it_lives(sample: Installation, tail: EventTail):
    async with (
        granting(tail, sample, heartbeat_s=0.01) as server,
        following(server, await token_for(sample)) as stream,
    ):
        async with asyncio.timeout(60):
            while not (await stream.response.content.readline()).startswith(b":"):
                pass
        await keep(sample, T46S, 1)
        assert calls(await stream.take(1)) == ["0"]


@pytest.mark.parametrize("grants", [{"most": 1}, {"most_of_each": 1}])
async def test_there_are_so_many_streams_at_a_time_and_no_more(
    sample: Installation, tail: EventTail, grants: dict[str, int]
):
    token, other = await token_for(sample), await token_for(sample)
    async with granting(tail, sample, **grants) as server:
        async with following(server, token):
            for each, status in ((token, 429), (other, 429 if "most" in grants else 200)):
                async with get(server, "/events", each) as response:
                    assert response.status == status
                    if status == 429:
                        assert (await response.json())["code"] == "too-many-streams"
        async with asyncio.timeout(60):
            status = 429
            while status == 429:
                async with get(server, "/events", token) as response:
                    status = response.status
        assert status == 200


async def test_curl_follows(sample: Installation, running: Running):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    token = await token_for(sample)
    await report(sample, running, T46S, "hold", "?call=1")
    curl = await asyncio.create_subprocess_exec(
        *("curl", "-sN", "-H", f"Authorization: Bearer {token}"),
        f"{running.portal_url}/api/v1/events?after=0-0",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert curl.stdout is not None
        async with asyncio.timeout(60):
            lines = [(await curl.stdout.readline()).decode() for _ in range(6)]
            await report(sample, running, T23G, "unhold")
            lines += [(await curl.stdout.readline()).decode() for _ in range(3)]
    finally:
        curl.kill()
        await curl.wait()
    assert lines[:4] == ["retry: 2000\n", "\n", "id: 1-0-0-0-0\n", "event: phone.hold\n"]
    assert json.loads(lines[4].removeprefix("data: "))["details"] == {"call": "1"}
    assert lines[5:8] == ["\n", "id: 2-0-0-0-0\n", "event: phone.unhold\n"]
