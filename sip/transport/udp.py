"""Datagrams (RFC 3261 §18)."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, TypeAlias

from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.transport.answers import note_source
from sip.transport.flow import Address, Flow, Transport
from sip.transport.receiver import Receiver
from sip.transport.sockets import Listener

logger = logging.getLogger(__name__)

_LARGEST = 65535
_AT_ONCE = 32
"Datagrams that are taken before others have their turn."
_IP_PKTINFO = 8
"Of <linux/in.h>, which Python's `socket` doesn't name."
_ROOM = socket.CMSG_SPACE(20)

Place: TypeAlias = tuple[Any, ...]
"An address as sockets write it: with IPv6 it has four parts."


class UdpFlow:
    """The way between one of our addresses and one of theirs."""

    __slots__ = ("_endpoint", "_place", "asked_bytes", "local", "remote")

    def __init__(self, endpoint: UdpEndpoint, local: Address, place: Place, asked_bytes: int = 0) -> None:
        self._endpoint = endpoint
        self._place = place
        "As sockets name the peer: of a link-local IPv6 address they say on which link."
        self.local = local
        self.remote = Address(place[0], place[1])
        self.asked_bytes = asked_bytes
        "Length of the datagram that came by it, which an answer is measured by."

    @property
    def transport(self) -> Transport:
        """UDP."""
        return Transport.UDP

    @property
    def is_open(self) -> bool:
        """As long as we listen."""
        return self._endpoint.is_open

    def send(self, data: bytes) -> bool:
        """One datagram; False where the system has no room for it, or no way there."""
        return self._endpoint.send(data, self.local, self._place)

    def to_port(self, port: int) -> UdpFlow:
        """The same way to another port there."""
        place = (self._place[0], port, *self._place[2:])
        return UdpFlow(self._endpoint, self.local, place, self.asked_bytes)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UdpFlow)
            and self.remote == other.remote
            and self.local == other.local
            and self._endpoint is other._endpoint
        )

    def __hash__(self) -> int:
        return hash((self.local, self.remote))

    def __repr__(self) -> str:
        return f"<udp {self.local} {self.remote}>"


class UdpEndpoint:
    """One bound socket. Reads while it is open; ends with `close`."""

    def __init__(self, listener: Listener, receiver: Receiver) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = listener.socket
        self._receiver = receiver
        self.local = listener.local
        self.is_open = True
        self.lost = 0
        "Datagrams that the system didn't take."
        self._is_wildcard = ip_address(self.local.host).is_unspecified
        if self._is_wildcard:
            # Which of our addresses was meant is the only one that the peer takes an answer from.
            if self._socket.family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._loop.add_reader(self._socket, self._read)

    def flow_to(self, remote: Address, local: Address | None = None) -> UdpFlow | None:
        """The way to `remote`, if it can be one from here; `local` where it matters which address of ours."""
        if (":" in remote.host) != (self._socket.family == socket.AF_INET6):
            return None
        if local is None or local == self.local:
            return UdpFlow(self, self._reached_from(remote), remote)
        is_ours = local.port == self.local.port and (":" in local.host) == (":" in remote.host)
        if self._is_wildcard and is_ours:
            return UdpFlow(self, local, remote)
        return None

    def send(self, data: bytes, local: Address, place: Place) -> bool:
        """Never waits: what finds no room is lost, as on any way (§18.1.1 leaves it to retransmissions)."""
        try:
            if self._is_wildcard:
                self._socket.sendmsg((data,), _sent_from(local.host), 0, place)
            else:
                self._socket.sendto(data, place)
        except OSError as error:
            self.lost += 1
            logger.debug("not sent remote=%s error=%s", place, error)
            return False
        return True

    def close(self) -> None:
        """Reads and sends no more."""
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        """Takes what is there, and not for ever: connections and timers have their turn, too."""
        for _ in range(_AT_ONCE):
            try:
                if self._is_wildcard:
                    data, ancillary, _, place = self._socket.recvmsg(_LARGEST, _ROOM)
                    local = Address(_meant(ancillary) or self.local.host, self.local.port)
                else:
                    data, place = self._socket.recvfrom(_LARGEST)
                    local = self.local
            except BlockingIOError:
                return
            except OSError as error:
                # An error of an earlier datagram of ours is told here; the next call reads on.
                logger.debug("not read error=%s", error)
                continue
            flow = UdpFlow(self, local, place, len(data))
            try:
                self._take(data, flow)
            except Exception:
                # One message can't hurt another.
                logger.exception("a datagram could not be served remote=%s", flow.remote)
            if not self.is_open:
                return

    def _take(self, data: bytes, flow: Flow) -> None:
        try:
            message = parse_datagram(data)
        except MessageError as error:
            if error.request is not None:
                note_source(error.request, flow)
            self._receiver.refused(error, flow)
            return
        if message is not None:
            if isinstance(message, Request):
                note_source(message, flow)
            self._receiver.received(message, flow)

    def _reached_from(self, remote: Address) -> Address:
        if not self._is_wildcard:
            return self.local
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as asking:
            try:
                # Sends nothing: the system says which address of ours the way begins at.
                asking.connect(remote)
            except OSError:
                return self.local
            return Address(asking.getsockname()[0], self.local.port)


def _meant(ancillary: list[tuple[int, int, bytes]]) -> str | None:
    """The address of ours that a datagram was sent to (RFC 3542 §6.1)."""
    for level, kind, value in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO and len(value) >= 12:
            # Not where it was sent to, which may be a group, but which of ours is to answer.
            return _host(value[4:8])
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(value) >= 16:
            return _host(value[:16])
    return None


@lru_cache(maxsize=256)
def _host(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


@lru_cache(maxsize=256)
def _sent_from(host: str) -> list[tuple[int, int, Any]]:
    if ":" in host:
        address = socket.inet_pton(socket.AF_INET6, host)
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("=16sI", address, 0))]
    address = socket.inet_pton(socket.AF_INET, host)
    return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=I4s4s", 0, address, b"\0" * 4))]
