"""A receiver that remembers, and peers with real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parser import AnyMessage
from sip.transport.flow import Address, Flow
from sip.transport.transport import SipTransport
from tests.sip.message.messages import wire

OPTIONS = wire(
    """
OPTIONS sip:pbx.example.com SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bK1503467461;rport
From: <sip:101@pbx.example.com>;tag=1
To: <sip:pbx.example.com>
Call-ID: 1
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0
"""
)
LOOPBACK = Address("127.0.0.1", 0)
PATIENCE_S = 60.0
"What takes longer has failed, on however busy a machine."


@dataclass
class Remembers:
    """All that a transport has told, and answers at once if it is to."""

    answers: bool = True
    messages: list[AnyMessage] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    errors: list[MessageError] = field(default_factory=list)
    ended: list[Flow] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def received(self, message: AnyMessage, flow: Flow) -> None:
        self.messages.append(message)
        self.flows.append(flow)
        if self.answers and isinstance(message, Request):
            flow.send(bytes(message.response(200)))
        self.told.set()

    def refused(self, error: MessageError, flow: Flow) -> None:
        self.errors.append(error)
        self.flows.append(flow)
        if self.answers and error.request is not None:
            flow.send(bytes(error.request.response(error.status)))
        self.told.set()

    def closed(self, flow: Flow) -> None:
        self.ended.append(flow)
        self.told.set()

    async def until(self, condition: str, count: int = 1) -> None:
        """Until so many of one kind were told."""
        async with asyncio.timeout(PATIENCE_S):
            while len(getattr(self, condition)) < count:
                self.told.clear()
                await self.told.wait()


class Peer:
    """A phone's UDP socket."""

    def __init__(self, server: Address, bound: Address = LOOPBACK) -> None:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(bound)
        self.server = server
        self.address = Address(*self.socket.getsockname()[:2])

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.server)

    def close(self) -> None:
        self.socket.close()

    async def receive(self) -> tuple[bytes, Address]:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.socket, ready.set)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await ready.wait()
        finally:
            loop.remove_reader(self.socket)
        data, address = self.socket.recvfrom(65535)
        return data, Address(*address[:2])

    async def ask(self, data: bytes) -> bytes:
        self.send(data)
        return (await self.receive())[0]


async def connections(transport: SipTransport, count: int) -> None:
    """Until there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while transport.connections != count:  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def peer(server: Address, bound: Address = LOOPBACK) -> AsyncIterator[Peer]:
    with closing(Peer(server, bound)) as made:
        yield made
