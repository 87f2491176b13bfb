"""Sockets that hear a multicast group on chosen interfaces (RFC 1112), beside listeners at the same port.

Linux alone: each socket hears its own interface and nothing else, so that what comes says by itself where.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sip.transport.errors import CantListen
from sip.transport.flow import Address

_IP_MULTICAST_ALL = 49
"Of <linux/in.h>; those below of <linux/sockios.h> and <linux/if.h>. Python's `socket` names none of them."
_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915
_IFF_UP, _IFF_LOOPBACK, _IFF_MULTICAST = 0x1, 0x8, 0x1000
_IFREQ = 40
_NAME = 16


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of this machine that has an IPv4 address."""

    name: str
    index: int
    host: str
    "Its first address."
    can_multicast: bool
    "It is up, and no loopback."


def interfaces() -> list[Interface]:
    """Those of this machine's that have an IPv4 address, by the system's order."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for index, name in socket.if_nameindex():
            try:
                flags = struct.unpack_from("H", _ask(asking, _SIOCGIFFLAGS, name), _NAME)[0]
                host = socket.inet_ntoa(_ask(asking, _SIOCGIFADDR, name)[_NAME + 4 : _NAME + 8])
            except OSError:
                # It has no such address, or has just gone.
                continue
            can_multicast = flags & (_IFF_UP | _IFF_MULTICAST | _IFF_LOOPBACK) == _IFF_UP | _IFF_MULTICAST
            found.append(Interface(name, index, host, can_multicast))
    return found


def _ask(asking: socket.socket, what: int, name: str) -> bytes:
    request = array.array("B", name.encode()[: _NAME - 1].ljust(_IFREQ, b"\0"))
    fcntl.ioctl(asking.fileno(), what, request)
    return request.tobytes()


@contextmanager
def joined(
    group: Address, chosen: Iterable[Interface], beside: Collection[socket.socket] = ()
) -> Iterator[list[tuple[Interface, socket.socket]]]:
    """A socket for each interface that hears `group` there; closed at the end. Raises `CantListen`.

    `beside` are bound UDP sockets that may have the group's port. They hear no group, and lend their port to
    ours alone: nobody who comes later gets it.
    """
    with ExitStack() as stack:
        made: list[tuple[Interface, socket.socket]] = []
        for each in beside:
            if each.family == socket.AF_INET:
                each.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        with _sharing(beside):
            for interface in chosen:
                hearing = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                try:
                    _join(hearing, group, interface)
                except OSError as error:
                    raise CantListen(
                        f"can't hear {group} on {interface.name}: {error.strerror or error};"
                        " choose other interfaces or stop what is there"
                    ) from error
                made.append((interface, hearing))
        for _, hearing in made:
            hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        yield made


@contextmanager
def _sharing(bound: Collection[socket.socket]) -> Iterator[None]:
    """While the context lasts others may be bound to the ports of these (socket(7), SO_REUSEADDR)."""
    for each in bound:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        yield
    finally:
        for each in bound:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def _join(hearing: socket.socket, group: Address, interface: Interface) -> None:
    hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hearing.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    # Bound to the group, it gets nothing that is sent to one of our own addresses.
    hearing.bind(group)
    member = struct.pack("4s4si", socket.inet_aton(group.host), b"\0" * 4, interface.index)
    hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    hearing.setblocking(False)
