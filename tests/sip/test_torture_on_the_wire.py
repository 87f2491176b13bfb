"""The messages of RFC 4475 and RFC 5118 over the wire: each gets an answer that its RFC allows, or none where
none belongs, and whoever comes next is served."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sip.digest_guard import Guard
from sip.message.errors import MessageError
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri
from sip.nonces import Nonces
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Transport
from sip.transport.proven import Proven
from sip.transport.sockets import bind
from sip.transport.transport import SipTransport, listening
from tests.sip.message.messages import REGISTER, response, vector, verdicts
from tests.sip.transport.peers import LOOPBACK, PATIENCE_S, Peer, peer

VECTORS = [(rfc, name) for rfc in ("rfc4475", "rfc5118") for name in verdicts(rfc)]
NAMES = [name for _, name in VECTORS]
NUMBERS = itertools.count()
NETWORK = f"127.{1 + secrets.randbelow(100)}.{secrets.randbelow(256)}"
"Of phones whose ports are given: another run on this machine has another one."
PHONE = REGISTER.replace(b"Authorization", b"X-Authorization")


@asynccontextmanager
async def serving(proven: Proven | None = None) -> AsyncIterator[SipTransport]:
    """A server that lets nobody in."""
    server = SipServer(proven)
    guard = Guard("pbx.example.com", Nonces(b"secret"))

    def asks(incoming: Incoming) -> None:
        if incoming.request.method == "REGISTER" and not isinstance(incoming.request.to.uri, SipUri):
            # §10.3, step 5: nobody is registered by such an address.
            incoming.reply(400)
            return
        challenges = guard.challenges(time.time(), incoming.flow.remote.host)
        incoming.reply(401, [("WWW-Authenticate", str(challenge)) for challenge in challenges])

    for method in ("REGISTER", "OPTIONS"):
        server.on(method, asks)
    async with listening(bind(LOOPBACK), server, proven=server.proven) as transport:
        server.use(transport)
        try:
            yield transport
        finally:
            server.close()


def address_of(transport: SipTransport, kind: Transport) -> Address:
    return next(address for each, address in transport.listeners if each is kind)


def source_of(rfc: str, name: str) -> Address:
    """An address of its own for each message, and the port at which its Via waits for the answer."""
    number = VECTORS.index((rfc, name))
    try:
        message = parse_datagram(vector(rfc, name))
    except MessageError as error:
        message = error.request
    try:
        port = message.via[0].port if message is not None else None
    except MessageError:
        port = None
    return Address(f"{NETWORK}.{number + 1}", port or 5060)


def is_allowed(status: int | None, rfc: str, name: str) -> bool:
    accepted = verdicts(rfc)[name]["accept"]
    if status is None:
        return "none" in accepted
    return bool({str(status), f"{status // 100}xx"} & set(accepted))


def status_of(data: bytes) -> int:
    """Of an answer, which repeats what may have been unreadable."""
    version, status, _ = data.split(b" ", 2)
    assert version == b"SIP/2.0"
    return int(status)


async def is_served(server: Address) -> None:
    """The next phone, at an address of its own, is asked for its password."""
    number = next(NUMBERS)
    async with peer(server, Address(f"127.45.{number // 100}.{number % 100 + 1}", 0)) as phone:
        answer = response(await phone.ask(PHONE))
        assert answer.status == 401
        assert answer.www_authenticate


async def asked(phone: Peer, data: bytes) -> bytes | None:
    """The one answer, if there is one when the next phone has been served."""
    phone.send(data)
    await is_served(phone.server)
    answers = []
    while True:
        try:
            answers.append(phone.socket.recv(65535))
        except BlockingIOError:
            assert len(answers) < 2
            return answers[0] if answers else None


@pytest.mark.parametrize(("rfc", "name"), VECTORS, ids=NAMES)
async def test_in_a_datagram(rfc, name):
    async with serving() as transport:
        async with peer(address_of(transport, Transport.UDP), source_of(rfc, name)) as phone:
            answer = await asked(phone, vector(rfc, name))
        status = None if answer is None else status_of(answer)
        assert is_allowed(status, rfc, name), status


@pytest.mark.parametrize("piece", [5, 100_000], ids=["pieces", "whole"])
@pytest.mark.parametrize(("rfc", "name"), VECTORS, ids=NAMES)
async def test_in_a_stream(rfc, name, piece):
    data = vector(rfc, name)
    async with serving() as transport:
        reader, writer = await asyncio.open_connection(*address_of(transport, Transport.TCP))
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await asyncio.sleep(0)
        await is_served(address_of(transport, Transport.UDP))
        # The time for half messages is over, and that of connections which nobody needs.
        transport.sweep(asyncio.get_running_loop().time() + 21)
        async with asyncio.timeout(PATIENCE_S):
            got = await reader.read()
        writer.close()
        first, *others = [int(part[:3]) for part in got.split(b"SIP/2.0 ")[1:]] or [None]
        # Over TCP, two requests in one are two.
        assert len(others) == (name == "dblreq")
        assert is_allowed(first, rfc, name), first
        await is_served(address_of(transport, Transport.UDP))


async def test_all_answers_together_are_little_longer_than_what_they_answer():
    sent = received = 0
    async with serving() as transport:
        for rfc, name in VECTORS:
            data = vector(rfc, name)
            async with peer(address_of(transport, Transport.UDP), source_of(rfc, name)) as phone:
                answer = await asked(phone, data)
            sent += len(data)
            received += len(answer or b"")
            assert len(answer or b"") <= 2 * len(data), name
    assert received <= 1.5 * sent


async def test_a_flood_hurts_neither_phones_elsewhere_nor_those_at_the_same_address_that_have_logged_in():
    proven = Proven()
    async with serving(proven) as transport:
        server = address_of(transport, Transport.UDP)
        async with peer(server) as flood, peer(server) as phone:
            flow = transport.flow_to(Transport.UDP, phone.address)
            assert flow is not None
            proven.note(flow, asyncio.get_running_loop().time())
            for number in range(50):
                for name in NAMES[:49]:
                    flood.send(vector("rfc4475", name))
                again = PHONE.replace(b"CSeq: 2", b"CSeq: %d" % (number + 3))
                assert response(await phone.ask(again)).status == 401
                await is_served(server)
