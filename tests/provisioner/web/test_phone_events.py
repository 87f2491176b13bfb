"""Action URLs: what phones report, whose it is, and how much of it is kept."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.schema import PhoneEventRow
from provisioner.app import Running, serving
from provisioner.operations.installation import Installation
from provisioner.operations.phone_events import Event
from provisioner.settings import Memory
from tests.provisioner.web.asking import (
    MODELS,
    PHONE,
    STRANGER,
    T23G,
    T46S,
    VP530P,
    ask,
    release,
    requests,
    service_of,
    settled,
    shown,
    token_of,
)

_VALUES = {
    "$mac": "{mac}",
    "$ip": "192.0.2.7",
    "$model": "SIP-T46S",
    "$firmware": "66.86.0.15",
    "$active_user": "48223809880",
    "$active_host": "sip.example.pl",
    "$local": "sip:101@sip.example.pl",
    "$remote": "sip:102@sip.example.pl",
    "$call_id": "0_1234@192.0.2.7",
}


async def events(installation: Installation, server: Running, mac: str) -> list[Event]:
    """What `devices show` says, the latest first."""
    return list((await shown(installation, server, mac)).events)


@pytest.mark.parametrize("mac", sorted(MODELS))
async def test_every_event_that_a_phone_is_told_to_report_is_kept(
    sample: Installation, running: Running, mac: str
):
    machine = await settled(sample, running, mac)
    told = {
        name.partition(".")[2]: value
        for name, value in machine.memory.settings.items()
        if name.startswith("action_url.")
    }
    assert len(told) > 25
    for url in told.values():
        for word, value in _VALUES.items():
            url = re.sub(rf"{re.escape(word)}\b", value.format(mac=mac), url)
        parts = urlsplit(url)
        assert "$" not in parts.query
        reply = await ask(running, f"{parts.path}?{parts.query}")
        assert (reply.status, reply.body) == (200, b"")
    async with sample.database.read() as session:
        kept = list(await session.scalars(select(PhoneEventRow.event).order_by(PhoneEventRow.id)))
    respelled = {"log_on": "registered", "log_off": "unregistered"}
    assert kept == [respelled.get(event, event) for event in told]


async def test_an_event_is_shown_with_what_the_phone_said_of_it(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    path = f"/{service}/action/incoming_call"
    await ask(running, f"{path}?mac={T46S}&account=48223809880&remote=sip%3A102%40x&call=&x-y=1")
    [event] = await events(sample, running, T46S)
    assert (event.event, event.source) == ("incoming_call", PHONE)
    assert dict(event.details) == {"account": "48223809880", "remote": "sip:102@x"}


async def test_a_report_may_be_posted(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    reply = await ask(running, f"/{service}/action/dnd_on?mac={T46S}", method="POST", data=b"x" * 5000)
    assert (reply.status, reply.body) == (200, b"")
    assert [event.event for event in await events(sample, running, T46S)] == ["dnd_on"]


async def test_reports_of_another_phone_are_refused_and_noted(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    other = await ask(running, f"/{service}/action/registered?mac={T23G}")
    unknown = await ask(running, f"/{'0' * 32}/action/registered?mac={T46S}")
    assert other.looks == unknown.looks
    noted = (await requests(sample, running))[-2]
    assert (noted.reason, noted.mac, noted.status) == ("other-device", T23G, 404)
    assert await events(sample, running, T46S) == await events(sample, running, T23G) == []


async def test_a_mac_is_known_in_any_spelling_and_what_is_none_does_no_harm(
    sample: Installation, running: Running
):
    service = await service_of(sample, T46S)
    for mac in ("80:5E:C0:12:34:56", "805ec0123456", "$mac", "", "%ff%00"):
        assert (await ask(running, f"/{service}/action/hold?mac={mac}")).status == 200
    assert len(await events(sample, running, T46S)) == 5


async def test_what_is_no_event_or_has_no_service_token_is_closed(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    service, token = await service_of(sample, T46S), await token_of(sample, T46S)
    closed = await ask(running, f"/{'0' * 32}/nothing")
    for path in (
        f"/{service}/action/reboot",
        f"/{service}/action/",
        f"/{service}/action/registered/x",
        f"/{service}/action",
        f"/{token}/action/registered",
        "/action/registered",
    ):
        assert (await ask(running, path)).looks == closed.looks
    posted = await ask(running, f"/{'0' * 32}/nothing", method="POST")
    assert (await ask(running, f"/{service}/action/reboot", method="POST")).looks == posted.looks
    await release(sample, T46S)
    assert (await ask(running, f"/{service}/action/registered")).looks == closed.looks
    assert await events(sample, running, T46S) == []


async def test_looking_is_not_reporting(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    assert (await ask(running, f"/{service}/action/registered", method="HEAD")).status == 200
    assert await events(sample, running, T46S) == []


async def test_values_are_bounded_and_printable(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    many = "&".join(f"v{chr(97 + number)}=1" for number in range(26))
    await ask(running, f"/{service}/action/hold?remote=%1b%5b2J%00%e2%80%a8{'x' * 2000}&{many}")
    [event] = await events(sample, running, T46S)
    assert event.details["remote"] == "?[2J??" + "x" * 506
    assert len(event.details) == 16


async def test_the_token_and_the_requests_of_events_are_not_kept(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    for _ in range(5):
        await ask(running, f"/{service}/action/hold?mac={T46S}")
    assert await requests(sample, running) == []


async def test_only_the_newest_events_of_each_phone_are_kept(sample: Installation):
    memory = Memory(events_per_device=10)
    bounded = replace(sample, settings=sample.settings.model_copy(update={"memory": memory}))
    async with serving(bounded, lambda _: None) as server:
        few = await service_of(sample, VP530P)
        await ask(server, f"/{few}/action/hold")
        many = await service_of(sample, T46S)
        await asyncio.gather(*(ask(server, f"/{many}/action/hold?call={number}") for number in range(300)))
    async with sample.database.read() as session:
        counts = dict(
            (
                await session.execute(
                    select(PhoneEventRow.device_id, func.count()).group_by(PhoneEventRow.device_id)
                )
            ).all()  # type: ignore[arg-type]
        )
    # They are pruned once in 256 requests.
    assert sorted(counts.values())[0] == 1
    assert 10 <= sorted(counts.values())[1] < 300


async def test_an_event_that_can_not_be_kept_is_not_acknowledged(
    sample: Installation, running: Running, monkeypatch: pytest.MonkeyPatch
):
    service = await service_of(sample, T46S)

    async def full(_: Database, work: object) -> None:
        raise DatabaseUnavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "appended", full)
        assert (await ask(running, f"/{service}/action/hold")).status == 503
    assert (await ask(running, f"/{service}/action/hold", source=STRANGER)).status == 200
    assert [event.source for event in await events(sample, running, T46S)] == [STRANGER]
