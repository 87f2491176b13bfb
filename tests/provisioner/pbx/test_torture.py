"""The messages of RFC 4475 and RFC 5118 to the whole server."""

from __future__ import annotations

import asyncio

from provisioner.app import Running
from sip.transport.flow import Address
from tests.sip.message.messages import vector
from tests.sip.test_torture_on_the_wire import VECTORS, asked, is_allowed, is_served, source_of, status_of
from tests.sip.transport.peers import PATIENCE_S, peer


async def by_datagram(server: Address, rfc: str, name: str) -> list[int | None]:
    data = vector(rfc, name)
    async with peer(server, source_of(rfc, name)) as phone:
        answer = await asked(phone, data)
    assert len(answer or b"") <= 2 * len(data), name
    return [None if answer is None else status_of(answer)]


async def by_connection(server: Address, rfc: str, name: str, piece: int) -> list[int | None]:
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


async def test_each_gets_an_answer_that_its_rfc_allows_and_the_next_phone_is_served(running: Running):
    server = running.sip
    wrong = []
    for rfc, name in VECTORS:
        for way, statuses in {
            "UDP": await by_datagram(server, rfc, name),
            "TCP": await by_connection(server, rfc, name, 100_000),
            "TCP in pieces": await by_connection(server, rfc, name, 5),
        }.items():
            # On a connection two requests in one are two.
            requests = 2 if name == "dblreq" and way != "UDP" else 1
            if not is_allowed(statuses[0], rfc, name) or len(statuses) != requests:
                wrong.append((name, way, statuses))
    assert wrong == []
    await is_served(server)
