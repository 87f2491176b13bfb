"""Calls through a whole server, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import yaml

from provisioner.app import Running, serving
from provisioner.operations.calls import Wanted, list_calls
from provisioner.operations.installation import Installation
from sip.dialog import Dialog
from sip.message.message import Request
from sip.message.sdp import parse_sdp
from sip.message.uri import SipUri
from sip.message.values import MediaType, RAck
from sip.transport.flow import Address, Transport
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.small import other, written
from tests.provisioner.pbx.registering import eventually
from tests.provisioner.pbx.story import ANNA, RECEPTION, SALES
from tests.provisioner.pbx.wired import Wired, wired
from tests.provisioner.web.asking import all_secrets
from tests.sip.call.phones import sdp
from tests.sip.call.test_large_requests import LARGE
from tests.sip.transport.peers import PATIENCE_S

STRANGER = "48333000001"
"A line of another company."


@dataclass
class Two:
    """Two phones of one company, which are registered."""

    reception: Wired
    anna: Wired


@pytest.fixture
async def two(sample: Installation, running: Running) -> AsyncIterator[Two]:
    secrets = await all_secrets(sample)
    async with (
        wired(running.sip, RECEPTION, secrets[f"line {RECEPTION}"]) as reception,
        wired(running.sip, ANNA, secrets[f"line {ANNA}"]) as anna,
    ):
        await reception.registers()
        await anna.registers()
        yield Two(reception, anna)


async def test_an_invite_that_is_too_large_for_a_datagram_comes_by_tcp(
    two: Two, monkeypatch: pytest.MonkeyPatch
):
    # However busy the machine is.
    monkeypatch.setattr("sip.transport.transport._PATIENCE_S", PATIENCE_S)
    invite = await two.reception.calls(two.reception.made("INVITE", "102", sdp(4000) + LARGE))
    incoming, flow = await two.anna.request("INVITE")
    assert (flow.transport, incoming.via[0].transport) == (Transport.TCP, "TCP")
    two.anna.says(incoming, flow, 200, sdp(4010))
    accepted = await two.reception.response("200 INVITE")
    two.reception.acks(invite, accepted)
    _, small = await two.anna.request("ACK")
    assert small.transport is Transport.UDP


async def test_a_caller_who_requires_reliable_provisional_responses_is_served(two: Two):
    invite = await two.reception.calls(two.reception.made("INVITE", "102", sdp(4000), Require="100rel"))
    incoming, flow = await two.anna.request("INVITE")
    two.anna.says(incoming, flow, 180)
    ringing = await two.reception.response("180 INVITE")
    assert ringing.require == ("100rel",)
    prack = Dialog.as_client(invite, ringing).request("PRACK")
    assert ringing.rseq is not None
    prack.rack = RAck(ringing.rseq, ringing.cseq)
    two.reception.asks(prack)
    await two.reception.gets("200 PRACK")
    two.anna.says(incoming, flow, 200, sdp(4010))
    assert (await two.reception.response("200 INVITE")).body


async def test_a_colleague_picks_up_a_call_that_rings_and_a_stranger_does_not(
    two: Two, sample: Installation, running: Running
):
    await apply_text(sample, written(other()))
    secrets = await all_secrets(sample)
    invite = await two.reception.calls(two.reception.made("INVITE", "102", sdp(4000)))
    incoming, flow = await two.anna.request("INVITE")
    ringing = two.anna.says(incoming, flow, 180)
    await two.reception.gets("180 INVITE")
    dialog = f"{incoming.call_id};to-tag={ringing.to.tag};from-tag={incoming.from_.tag}"
    async with (
        wired(running.sip, STRANGER, secrets[f"line {STRANGER}"]) as stranger,
        wired(running.sip, SALES, secrets[f"line {SALES}"]) as sales,
    ):
        await stranger.proves(stranger.made("INVITE", "102", sdp(4020), Replaces=dialog), "481 INVITE")
        own = await sales.calls(sales.made("INVITE", "102", Replaces=dialog, Require="replaces"))
        offered = await sales.response("200 INVITE")
        (shown,) = offered.p_asserted_identity
        assert (shown.display_name, str(shown.uri).partition("@")[0]) == ("Recepcja", "sip:101")
        at_sales = Dialog.as_client(own, offered)
        ack = at_sales.ack(own)
        ack.content_type, ack.body = MediaType("application", "sdp"), sdp(4030)
        sales.asks(ack)
        accepted = await two.reception.response("200 INVITE")
        (shown,) = accepted.p_asserted_identity
        assert str(shown.uri).partition("@")[0] == "sip:103"
        assert parse_sdp(accepted.body).media[0].port == 4030
        two.reception.acks(invite, accepted)
        await two.anna.gets("CANCEL")

        async def it_is_written() -> bool:
            calls = (await list_calls(sample, Wanted())).calls
            legs = [(leg.extension, leg.answered_at is not None) for call in calls for leg in call.legs]
            return legs == [("102", False), ("103", True)]

        await eventually(it_is_written)


async def test_a_number_of_a_host_that_is_not_ours_rings_nobody(two: Two, sample: Installation):
    def at(host: str) -> Request:
        invite = two.reception.made("INVITE", "102", sdp(4000))
        return Request("INVITE", SipUri(host, "102"), invite.headers, invite.body)

    await two.reception.proves(at("pbx.example.com"), "404 INVITE")

    async def it_is_written() -> bool:
        calls = (await list_calls(sample, Wanted())).calls
        return [(call.line, call.to_number, call.status) for call in calls] == [
            (RECEPTION, "102@pbx.example.com", 404)
        ]

    await eventually(it_is_written)
    # Phones that are told to register by it call by it.
    options = {"login": "nowyklienttestowy", "phone": {"sip_host": "pbx.example.com"}}
    await apply_text(sample, yaml.safe_dump({"customers": [options]}))
    for host in ("pbx.example.com", "localhost"):
        await two.reception.calls(at(host))
        incoming, flow = await two.anna.request("INVITE")
        two.anna.says(incoming, flow, 486)
        await two.anna.gets("ACK")
        await two.reception.gets("486 INVITE")


async def test_a_call_passed_on_to_a_host_that_is_not_ours_comes_back_and_is_in_the_log(
    two: Two, sample: Installation
):
    invite = await two.reception.calls(two.reception.made("INVITE", "102", sdp(4000)))
    incoming, flow = await two.anna.request("INVITE")
    two.anna.says(incoming, flow, 200, sdp(4010))
    dialog = two.reception.acks(invite, await two.reception.response("200 INVITE"))
    await two.anna.gets("ACK")
    refer = dialog.request("REFER")
    refer.headers.set("Refer-To", "<sip:103@elsewhere.example>")
    two.reception.asks(refer)
    await two.reception.gets("202 REFER")
    told = []
    while not told or b" 100 " in told[-1]:
        notify, flow = await two.reception.request("NOTIFY")
        two.reception.says(notify, flow, 200)
        told.append(notify.body)
    assert b" 404 " in told[-1]

    async def it_is_written() -> bool:
        calls = (await list_calls(sample, Wanted())).calls
        return [call.to_number for call in calls] == ["103@elsewhere.example", "102"]

    await eventually(it_is_written)
    two.reception.asks(dialog.request("BYE"))
    await two.reception.gets("200 BYE")
    await two.anna.gets("BYE")


async def test_what_is_in_a_dialog_that_is_not_there_is_told_so(two: Two):
    for method in ("OPTIONS", "INFO", "UPDATE", "BYE", "INVITE"):
        request = two.reception.made(method, "102")
        request.to = request.to.with_tag("nobodys")
        two.reception.asks(request)
        await two.reception.gets(f"481 {method}")
    # Without a tag it is in none, and keeps the way open.
    two.reception.asks(two.reception.made("OPTIONS", ""))
    await two.reception.gets("200 OPTIONS")


@asynccontextmanager
async def stoppable(sample: Installation) -> AsyncIterator[tuple[Address, asyncio.Event]]:
    """A server, and what stops it; it has ended with the context."""
    up: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(sample, lambda _: None) as running:
            up.set_result(running)
            await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve())
        yield (await up).sip, stop


async def test_a_server_that_is_stopped_has_phones_subscribe_anew_at_the_next_one(sample: Installation):
    secrets = await all_secrets(sample)
    async with (
        stoppable(sample) as (address, stop),
        wired(address, RECEPTION, secrets[f"line {RECEPTION}"]) as reception,
    ):
        await reception.registers()
        headers = {"Event": "dialog", "Expires": "600", "Contact": str(reception.contact)}
        await reception.proves(reception.made("SUBSCRIBE", "102", **headers), "200 SUBSCRIBE")
        for state in ("active", "terminated"):
            told, flow = await reception.request("NOTIFY")
            assert told.subscription_state is not None
            assert told.subscription_state.state == state
            reception.says(told, flow, 200)
            stop.set()


async def test_a_server_that_is_stopped_hangs_up_and_says_so_in_its_records(sample: Installation):
    secrets = await all_secrets(sample)
    async with (
        stoppable(sample) as (address, stop),
        wired(address, RECEPTION, secrets[f"line {RECEPTION}"]) as reception,
        wired(address, ANNA, secrets[f"line {ANNA}"]) as anna,
    ):
        await reception.registers()
        await anna.registers()
        invite = await reception.calls(reception.made("INVITE", "102", sdp(4000)))
        incoming, flow = await anna.request("INVITE")
        anna.says(incoming, flow, 200, sdp(4010))
        reception.acks(invite, await reception.response("200 INVITE"))
        await anna.gets("ACK")
        stop.set()
        for phone in (reception, anna):
            bye, flow = await phone.request("BYE")
            phone.says(bye, flow, 200)
    [call] = (await list_calls(sample, Wanted())).calls
    assert (call.end, call.is_live) == ("server-stopped", False)
    assert call.answered_at is not None
    assert call.ended_at is not None


async def test_who_knows_the_tags_of_a_dialog_has_no_say_in_it_without_the_password_of_its_line(
    two: Two, sample: Installation, running: Running
):
    secrets = await all_secrets(sample)
    invite = await two.reception.calls(two.reception.made("INVITE", "102", sdp(4000)))
    incoming, flow = await two.anna.request("INVITE")
    dialog = Dialog.as_server(incoming, two.anna.says(incoming, flow, 200, sdp(4010)))
    two.reception.acks(invite, await two.reception.response("200 INVITE"))
    await two.anna.gets("ACK")
    async with (
        wired(running.sip, SALES, secrets[f"line {SALES}"]) as sales,
        wired(running.sip, ANNA, secrets[f"line {ANNA}"]) as elsewhere,
    ):
        for method in ("INVITE", "REFER", "BYE"):
            await sales.proves(dialog.request(method), f"481 {method}")
        assert two.reception.came.empty()
        # It has another address since, and is not registered there yet.
        elsewhere.asks(dialog.request("OPTIONS"))
        await elsewhere.gets("401 OPTIONS")
        await elsewhere.proves(dialog.request("BYE"), "200 BYE")
        bye, flow = await two.reception.request("BYE")
        two.reception.says(bye, flow, 200)
