"""The whole server is killed while phones ring: the next one says of their call what is true."""

from __future__ import annotations

import asyncio
from uuid import UUID

from provisioner.operations.calls import Call, Wanted, list_calls, show_call
from provisioner.operations.installation import Installation
from sip.digest import parse_challenges
from sip.message.message import Request
from sip.message.parser import parse_datagram
from tests.provisioner.pbx.phone import Phone, phone
from tests.provisioner.pbx.registering import eventually
from tests.provisioner.pbx.story import ANNA, RECEPTION
from tests.provisioner.web.asking import all_secrets
from tests.provisioner.web.test_killed_server import killed


async def calls(caller: Phone, number: str) -> None:
    """Sends an INVITE that has proved whose it is; the session is for the other end to offer."""

    def invite(*more: str) -> bytes:
        data = caller.message("INVITE", f"Contact: {caller.contact}", *more).decode()
        return data.replace(f"sip:{caller.domain} ", f"sip:{number}@{caller.domain} ", 1).encode()

    refused = await caller.ask(invite())
    challenge = parse_challenges(refused.headers.all("WWW-Authenticate"))[0]
    caller.peer.send(invite(f"Authorization: {caller.answered(challenge, 'INVITE')}"))


async def rings(callee: Phone) -> None:
    """Says that it rings, when it is called."""
    while True:
        came = parse_datagram((await callee.peer.receive())[0])
        assert isinstance(came, Request)
        if came.method == "INVITE":
            callee.peer.send(bytes(came.response(180, to_tag="callee")))
            return
        callee.peer.send(bytes(came.response(200, to_tag="callee")))


async def test_a_call_that_rang_when_the_server_was_killed_is_closed_by_the_next_one(
    sample: Installation, database_url: str
):
    found: list[Call] = []

    async def it_is_written() -> bool:
        found[:] = (await list_calls(sample, Wanted())).calls
        return any(leg.rang_at is not None for call in found for leg in call.legs)

    secrets = await all_secrets(sample)
    async with (
        killed(sample.data_dir, database_url) as (server, kill),
        phone(server.sip, ANNA, secrets[f"line {ANNA}"]) as callee,
        phone(server.sip, RECEPTION, secrets[f"line {RECEPTION}"]) as caller,
    ):
        assert (await callee.register()).status == 200
        await asyncio.gather(calls(caller, "102"), rings(callee))
        await eventually(it_is_written)
        kill()
    [call] = found
    assert call.is_live
    async with killed(sample.data_dir, database_url):
        closed = await show_call(sample, UUID(call.id))
    assert (closed.end, closed.answered_at) == ("server-restarted", None)
    assert closed.ended_at is not None
    assert closed.ended_at >= closed.started_at
    [leg] = closed.legs
    assert (leg.extension, leg.reason, leg.ended_at) == ("102", "server-restarted", closed.ended_at)
