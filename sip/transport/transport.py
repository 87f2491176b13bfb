"""All sockets of the SIP side, open while a context lasts."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from sip.bans import Bans
from sip.message.message import Request
from sip.transport.accepting import Accepting
from sip.transport.answers import response_address
from sip.transport.connections import Connections
from sip.transport.errors import CantConnect
from sip.transport.flow import LARGEST_DATAGRAM, Address, Flow, Transport
from sip.transport.intake import Intake
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.receiver import Receiver
from sip.transport.sockets import Listener
from sip.transport.udp import UdpEndpoint
from sip.transport.udp_flow import UdpFlow

logger = logging.getLogger(__name__)

_SWEEP_S = 1.0
_PATIENCE_S = 2.0
"How long a request waits for a connection, which it goes without as well: somebody else waits for it."
_TRY_AGAIN_S = 600.0
"When a peer that takes no connection is tried again."
_MOST_UNREACHABLE = 1000


class SipTransport:
    """What is above asks it for flows."""

    def __init__(self, listeners: Sequence[Listener], endpoints: list[UdpEndpoint], connections: Connections):
        self.listeners = tuple((listener.transport, listener.local) for listener in listeners)
        "What is listened on, in the order that was given; a wildcard is no address that a peer can reach."
        self._endpoints = endpoints
        self._connections = connections
        self._unreachable: dict[Address, float] = {}
        "Until when peers that took no connection are not tried again, the oldest first."

    @property
    def lost(self) -> int:
        """Datagrams that the system didn't take."""
        return sum(endpoint.lost for endpoint in self._endpoints)

    @property
    def dropped(self) -> int:
        """Datagrams that were not looked at: their source is held back, or there were too many."""
        return sum(endpoint.dropped for endpoint in self._endpoints)

    @property
    def turned_away(self) -> int:
        """Connections that got no place, or lost it to another."""
        return self._connections.turned_away

    @property
    def connections(self) -> int:
        """Those that are there now."""
        return len(self._connections)

    def answer_flow(self, request: Request, flow: Flow) -> Flow:
        """The flow on which `request`, which came by `flow`, is to be answered (§18.2.2, RFC 3581 §4).

        Over TCP and TLS it is the connection that it came by. Where that is gone, nobody is answered: a new
        connection to what the Via says (§18.2.2) would reach no phone behind a NAT, and the peer asks again.
        """
        if not isinstance(flow, UdpFlow):
            return flow
        address = response_address(request, flow)
        return flow if address == flow.remote else flow.to_port(address.port)

    def flow_to(self, transport: Transport, remote: Address, local: Address | None = None) -> Flow | None:
        """A way to `remote` that is there: any over UDP, else the connection; None: there is none.

        `local` is our end, where that matters: a NAT lets in only what comes from where it sent to. Where we
        listen there no more, it is tried from elsewhere.
        """
        if transport is not Transport.UDP:
            return self._connections.to(transport, remote)
        for ours in (local, None):
            for endpoint in self._endpoints:
                if (flow := endpoint.flow_to(remote, ours)) is not None:
                    return flow
        return None

    async def connect(self, transport: Transport, remote: Address) -> Flow:
        """The connection to `remote`, made if there is none; over UDP any way there.

        Raises `CantConnect`.
        """
        found = self.flow_to(transport, remote)
        return found if found is not None else await self._connections.connect(transport, remote)

    async def fitting(self, flow: Flow, size: int) -> Flow:
        """The flow for a request of `size` bytes to the peer of `flow`.

        It is a connection where the request is too large for UDP. Whoever takes none, a phone behind a NAT
        mostly, gets it by UDP all the same, in fragments (§18.1.1).
        """
        if flow.transport is not Transport.UDP or size <= LARGEST_DATAGRAM:
            return flow
        now = asyncio.get_running_loop().time()
        if self._unreachable.get(flow.remote, now) > now:
            return flow
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self.connect(Transport.TCP, flow.remote)
        except (CantConnect, TimeoutError) as error:
            logger.debug("by UDP, however large: %s", error)
            self._unreachable.pop(flow.remote, None)
            if len(self._unreachable) >= _MOST_UNREACHABLE:
                del self._unreachable[next(iter(self._unreachable))]
            self._unreachable[flow.remote] = now + _TRY_AGAIN_S
            return flow

    def keep(self, flow: Flow) -> None:
        """A phone is registered by this flow: a connection stays, though nothing comes for long."""
        self._connections.keep(flow)

    def sweep(self, now: float) -> None:
        """Ends connections that have been waited for too long; it is called every second."""
        self._connections.sweep(now)


@asynccontextmanager
async def listening(
    listeners: Sequence[Listener],
    receiver: Receiver,
    *,
    limits: TransportLimits | None = None,
    certificate: Callable[[], ssl.SSLContext] | None = None,
    proven: Proven | None = None,
    bans: Bans | None = None,
    is_busy: Callable[[], bool] = lambda: False,
    secure: ssl.SSLContext | None = None,
) -> AsyncIterator[SipTransport]:
    """Takes messages at `listeners`, and closes them in the end.

    `certificate` gives the context for the next TLS handshake. Whoever is above notes in `proven` and `bans`
    who logs in and who fails. While it `is_busy`, datagrams that would only begin something new are dropped.
    `secure` is for TLS connections that are made from here; None: none are.
    """
    limits = limits or TransportLimits()
    proven = proven or Proven()
    bans = bans or Bans(proven)
    loop = asyncio.get_running_loop()
    rates = Rates(limits, proven)
    connections = Connections(limits, receiver, proven, bans, rates, secure)
    endpoints: list[UdpEndpoint] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            accepting: list[Accepting] = []
            transport = SipTransport(listeners, endpoints, connections)
            for listener in listeners:
                if listener.transport is Transport.UDP:
                    intake = Intake(rates, proven, bans, is_busy)
                    endpoints.append(UdpEndpoint(listener, receiver, intake))
                else:
                    context = certificate if listener.transport is Transport.TLS else None
                    accepting.append(Accepting(listener, connections, tasks, context))
            sweeping = tasks.create_task(_sweep(transport, loop), name="sip connections")
            try:
                yield transport
            finally:
                sweeping.cancel()
                for each in accepting:
                    each.close()
                await connections.close()
    finally:
        for endpoint in endpoints:
            endpoint.close()
        for listener in listeners:
            listener.socket.close()


async def _sweep(transport: SipTransport, loop: asyncio.AbstractEventLoop) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        transport.sweep(loop.time())
