"""The sockets that listeners stand on."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sip.transport.errors import CantListen
from sip.transport.flow import Address, Transport

_BACKLOG = 1024
_RECEIVE_BUFFER = 8 * 1024 * 1024
"Bytes that wait while we do something else; the system may give less (net.core.rmem_max)."
_SEND_BUFFER = 4 * 1024 * 1024
_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _FRAGMENT = 10, 23, 0
"Of <linux/in.h>: a datagram that is too large for a way goes in fragments, and is not lost to find that out."
_TRIES = 20
"To find a port that is free for UDP and for TCP, where any will do."


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and what is spoken there."""

    transport: Transport
    socket: socket.socket
    "Non-blocking; one for a stream listens."

    @property
    def local(self) -> Address:
        """What it is bound to; a wildcard is no address that a peer can reach."""
        return Address(*self.socket.getsockname()[:2])


def bind(address: Address) -> tuple[Listener, Listener]:
    """UDP and TCP at one port (RFC 3261 §18.2.1); port 0 takes any that is free for both.

    Raises `CantListen`.
    """
    for _ in range(_TRIES if address.port == 0 else 1):
        streams = _bound(address, Transport.TCP)
        try:
            return _bound(Address(address.host, streams.local.port), Transport.UDP), streams
        except CantListen:
            streams.socket.close()
            if address.port:
                raise
        except BaseException:
            streams.socket.close()
            raise
    raise CantListen(f"can't listen on {address}: no port is free for UDP and TCP; choose one")


def bind_tls(address: Address) -> Listener:
    """TLS at a port of its own. Raises `CantListen`."""
    return _bound(address, Transport.TLS)


def _bound(address: Address, transport: Transport) -> Listener:
    kind = socket.SOCK_STREAM if transport.is_reliable else socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        made = socket.socket(family, kind, protocol)
        try:
            if family == socket.AF_INET6:
                # Or `[::]` would take `0.0.0.0`, too.
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if transport.is_reliable:
                # What is left of closed connections is no hindrance to a restart.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
                if family == socket.AF_INET6:
                    made.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _FRAGMENT)
                else:
                    made.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _FRAGMENT)
            made.bind(place)
            if transport.is_reliable:
                made.listen(_BACKLOG)
            made.setblocking(False)
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise CantListen(
            f"can't listen on {transport} {address}: {error.strerror or error};"
            " choose another address or stop what is there"
        ) from error
    return Listener(transport, made)
