"""Calls through a whole server, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from provisioner.app import Running
from provisioner.operations.installation import Installation
from sip.dialog import Dialog
from sip.message.values import RAck
from sip.transport.flow import Transport
from tests.provisioner.pbx.story import ANNA, RECEPTION
from tests.provisioner.pbx.wired import Wired, wired
from tests.provisioner.web.asking import all_secrets
from tests.sip.call.phones import sdp
from tests.sip.call.test_large_requests import LARGE


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


async def test_an_invite_that_is_too_large_for_a_datagram_comes_by_tcp(two: Two):
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
