"""Datagrams (RFC 3261 §18)."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from functools import lru_cache
from ipaddress import ip_address
from math import inf
from typing import Any

from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.transport.answers import note_source
from sip.transport.flow import Address
from sip.transport.intake import Intake
from sip.transport.receiver import Receiver
from sip.transport.shedding import REVIEW_S, Shedding, attach, detach
from sip.transport.sockets import Listener
from sip.transport.udp_flow import Place, UdpFlow

logger = logging.getLogger(__name__)

_LARGEST = 65535
_READ_AT_ONCE = 256
"Under load they are read sooner than they can be looked at, so that we choose what is lost, not the system."
_SERVED_AT_ONCE = 16
"Before connections and timers have their turn: some 2 ms."
_IP_PKTINFO = 8
"Of <linux/in.h>, which Python's `socket` doesn't name."
_ROOM = socket.CMSG_SPACE(20)



class UdpEndpoint:
    """One bound socket. Reads while it is open; ends with `close`."""

    def __init__(self, listener: Listener, receiver: Receiver, intake: Intake) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = listener.socket
        self._receiver = receiver
        self._intake = intake
        self._is_serving = False
        self._shedding = Shedding()
        self._reviewed = intake.counts
        "As of the last look at how it goes."
        self._review_at = 0.0
        "When the next one is, if anything waits then."
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

    @property
    def dropped(self) -> int:
        """Datagrams that nobody has looked at."""
        return self._intake.dropped

    def flow_to(self, remote: Address, local: Address | None = None) -> UdpFlow | None:
        """The way to `remote`, if it can be one from here; `local` where it matters which address of ours."""
        if not _is_of(self._socket.family, remote.host):
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
        now = self._loop.time()
        for _ in range(_READ_AT_ONCE):
            try:
                if self._is_wildcard:
                    data, ancillary, _, place = self._socket.recvmsg(_LARGEST, _ROOM)
                    local = Address(_meant(ancillary) or self.local.host, self.local.port)
                else:
                    data, place = self._socket.recvfrom(_LARGEST)
                    local = self.local
            except BlockingIOError:
                break
            except OSError as error:
                # An error of an earlier datagram of ours is told here; the next call reads on.
                logger.debug("not read error=%s", error)
                continue
            self._intake.put(data, local, place, now)
        if not self._is_serving:
            self._serve()

    def _serve(self) -> None:
        self._is_serving = False
        now = self._loop.time()
        for _ in range(_SERVED_AT_ONCE):
            if not self.is_open or (next_one := self._intake.take(now)) is None:
                return
            data, local, place = next_one
            flow = UdpFlow(self, local, place, len(data))
            try:
                self._take(data, flow)
            except Exception:
                # One message can't hurt another.
                logger.exception("a datagram could not be served remote=%s", flow.remote)
        if self._intake:
            self._is_serving = True
            self._loop.call_soon(self._serve)
            if now >= self._review_at:
                self._review()

    def _review(self) -> None:
        """Has the system let in as many as can be served."""
        if not self.is_open:
            return
        now, was_on, counts = self._loop.time(), self._shedding.is_on, self._intake.counts
        self._shedding.review(self._intake.waiting(now), counts.since(self._reviewed), now)
        self._reviewed, self._review_at = counts, now + REVIEW_S
        if self._shedding.is_on:
            # Even if nobody comes.
            self._review_at = inf
            self._loop.call_later(REVIEW_S, self._review)
        if was_on != self._shedding.is_on:
            said = "more REGISTERs than can be served: some are kept out" if not was_on else "all are let in"
            logger.warning("%s local=%s", said, self.local)
        try:
            if self._shedding.is_on:
                attach(self._socket, self._shedding.filter())
            elif was_on:
                detach(self._socket)
        except OSError as error:
            # Then it is we who drop what is too much.
            logger.debug("the system can't keep anybody out error=%s", error)

    def _take(self, data: bytes, flow: UdpFlow) -> None:
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


def _is_of(family: int, host: str) -> bool:
    """Whether `host` is an address of this family. To look up a name would have everybody wait."""
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


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
