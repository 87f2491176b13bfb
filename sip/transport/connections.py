"""The connections of one process, by peer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress

from sip.bans import Bans, Verdict
from sip.transport.errors import CantConnect
from sip.transport.flow import Address, Flow, Transport
from sip.transport.limits import TransportLimits
from sip.transport.places import Place, Places
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.receiver import Receiver
from sip.transport.stream import Connection

logger = logging.getLogger(__name__)

_SHUTDOWN_S = 2.0
"How long a peer may take to say that it is closing, too (TLS), or to take our last bytes."
_DEAD_S, _PROBES, _PROBE_S = 60, 4, 15
"When the system begins to ask a silent peer whether it is there, how often, and how far apart."
_UNTAKEN_MS = 30_000
"How long what we send may find no receiver before the connection counts as lost (RFC 5482)."


class Connections:
    """Those that were accepted, and those that we made."""

    def __init__(
        self,
        limits: TransportLimits,
        receiver: Receiver,
        proven: Proven,
        bans: Bans,
        rates: Rates,
        secure: ssl.SSLContext | None = None,
    ) -> None:
        """`secure`: for the TLS connections that are made from here; None: none are."""
        self._secure = secure
        self._loop = asyncio.get_running_loop()
        self.limits = limits
        self.receiver = receiver
        self.proven = proven
        self.bans = bans
        self.rates = rates
        self.places = Places(limits)
        self._by_place: dict[Place, Connection] = {}
        self._by_remote: dict[tuple[Transport, Address], Connection] = {}
        self._being_made: dict[tuple[Transport, Address], asyncio.Event] = {}
        self._one_less = asyncio.Event()
        self.turned_away = 0
        "Connections that got no place, or lost it to another."

    def __len__(self) -> int:
        return self.places.taken

    def to(self, transport: Transport, remote: Address) -> Connection | None:
        """The connection with this peer, if there is one."""
        found = self._by_remote.get((transport, remote))
        return found if found is not None and found.is_open else None

    def keep(self, flow: Flow) -> None:
        """Nothing needs to come by it for hours."""
        if isinstance(flow, Connection):
            self.places.keep(flow.place, self._loop.time())

    def enter(self, remote: Address, *, shakes: bool) -> Place | None:
        """A place for a connection with `remote`; None where there is none."""
        now, host = self._loop.time(), remote.host
        if self.bans.of_remote(remote, now) is Verdict.BANNED:
            return None
        if (place := self.places.enter(host, now, shakes=shakes)) is not None:
            return place
        self.turned_away += 1
        if (other := self.places.gives_way(host, now, shakes=shakes)) is None:
            return None
        self._drop(other)
        return self.places.enter(host, now, shakes=shakes)

    def leave(self, place: Place) -> None:
        """What has got a place has come to nothing."""
        self.places.leave(place)
        self._by_place.pop(place, None)

    async def open(
        self, accepted: socket.socket, transport: Transport, place: Place, context: ssl.SSLContext | None
    ) -> None:
        """Serves a connection that was accepted; over TLS when the handshake is done. Raises `OSError`."""
        watch(accepted)
        connection = self._made(transport, place, accepted)
        await self._loop.connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=context,
            ssl_handshake_timeout=None if context is None else self.limits.handshake_s,
            ssl_shutdown_timeout=None if context is None else _SHUTDOWN_S,
        )

    async def connect(self, transport: Transport, remote: Address) -> Connection:
        """A new connection, or the one that somebody else is making. Raises `CantConnect`."""
        if transport is not Transport.TCP and (transport is not Transport.TLS or self._secure is None):
            raise CantConnect(f"{transport} connections to {remote} are not made from here")
        while (made := self._being_made.get((transport, remote))) is not None:
            await made.wait()
            if (found := self.to(transport, remote)) is not None:
                return found
        self._being_made[transport, remote] = asyncio.Event()
        try:
            return await self._connect(transport, remote)
        finally:
            self._being_made.pop((transport, remote)).set()

    async def _connect(self, transport: Transport, remote: Address) -> Connection:
        context = self._secure if transport is Transport.TLS else None
        place = self.enter(remote, shakes=context is not None)
        if place is None:
            raise CantConnect(f"no connection to {remote}: there are too many")
        made = socket.socket(socket.AF_INET6 if ":" in remote.host else socket.AF_INET)
        try:
            made.setblocking(False)
            watch(made)
            async with asyncio.timeout(self.limits.connect_s):
                await self._loop.sock_connect(made, remote)
            connection = self._made(transport, place, made)
            await self._loop.create_connection(
                lambda: connection,
                sock=made,
                ssl=context,
                server_hostname=None if context is None else remote.host,
                ssl_handshake_timeout=None if context is None else self.limits.handshake_s,
                ssl_shutdown_timeout=None if context is None else _SHUTDOWN_S,
            )
        except BaseException as error:
            made.close()
            self.leave(place)
            if isinstance(error, OSError | TimeoutError):
                raise CantConnect(f"no connection to {remote}: {error or 'no answer'}") from error
            raise
        self.keep(connection)
        return connection

    def sweep(self, now: float) -> None:
        """Ends those whose time is over."""
        for place in self.places.overdue(now):
            if (connection := self._by_place.get(place)) is not None:
                connection.is_overdue()

    async def close(self) -> None:
        """Ends all; what was sent has a moment to get out."""
        for connection in tuple(self._by_place.values()):
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHUTDOWN_S):
                while self._by_place:
                    self._one_less.clear()
                    await self._one_less.wait()
        for connection in tuple(self._by_place.values()):
            connection.abort()

    def _made(self, transport: Transport, place: Place, bare: socket.socket) -> Connection:
        connection = self._by_place[place] = Connection(self, transport, place, bare)
        return connection

    def has_begun(self, connection: Connection) -> None:
        """It can be found from now on."""
        self._by_remote[connection.transport, connection.remote] = connection

    def has_ended(self, connection: Connection) -> None:
        """It is gone, and whoever is above is told."""
        self._by_place.pop(connection.place, None)
        self._one_less.set()
        key = connection.transport, connection.remote
        if self._by_remote.get(key) is connection:
            del self._by_remote[key]
        self.receiver.closed(connection)

    def _drop(self, place: Place) -> None:
        connection = self._by_place.pop(place, None)
        self.places.leave(place)
        if connection is not None:
            connection.abort()


def watch(connected: socket.socket) -> None:
    """Has the system find out when a peer is gone that could not say so."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _DEAD_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_MS)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
