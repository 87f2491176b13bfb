"""The messages of RFC 4475 and RFC 5118 to the whole server."""

from __future__ import annotations

import asyncio

import pytest

from provisioner.app import Running
from sip.transport.flow import Address
from tests.sip.message.messages import vector
from tests.sip.test_torture_on_the_wire import VECTORS, asked, is_allowed, is_served, source_of, status_of
from tests.sip.transport.peers import PATIENCE_S, peer


@pytest.fixture
def server(running: Running) -> Address:
    return running.sip


async def test_each_datagram_gets_an_answer_that_its_rfc_allows(server: Address):
    wrong = {}
    for rfc, name in VECTORS:
        async with peer(server, source_of(rfc, name)) as phone:
            answer = await asked(phone, vector(rfc, name))
        status = None if answer is None else status_of(answer)
        if not is_allowed(status, rfc, name) or len(answer or b"") > 2 * len(vector(rfc, name)):
            wrong[name] = answer
    assert wrong == {}


@pytest.mark.parametrize("piece", [5, 100_000], ids=["pieces", "whole"])
async def test_so_does_each_on_a_connection(server: Address, piece: int):
    async def statuses(rfc: str, name: str) -> list[int | None]:
        data = vector(rfc, name)
        reader, writer = await asyncio.open_connection(*server)
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await asyncio.sleep(0)
        # What is half there is refused for that, before its time is over.
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            got = await reader.read()
        writer.close()
        return [int(part[:3]) for part in got.split(b"SIP/2.0 ")[1:]] or [None]

    wrong = {}
    for rfc, name in VECTORS:
        first, *others = await statuses(rfc, name)
        if not is_allowed(first, rfc, name) or len(others) != (name == "dblreq"):
            wrong[name] = [first, *others]
    assert wrong == {}
    await is_served(server)
