"""Connections over TCP and TLS (RFC 3261 §18.3, RFC 5626 §3.5.1, §4.4.1)."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Protocol, cast

from sip.bans import Bans, Verdict
from sip.message.framing import Framed, KeepAlive, Refused, StreamFramer
from sip.message.message import Request
from sip.transport.answers import note_source
from sip.transport.flow import Address, Transport
from sip.transport.limits import TransportLimits
from sip.transport.places import Place, Places
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.receiver import Receiver

logger = logging.getLogger(__name__)

_PIECE = 4096
"Bytes that are looked at before others have their turn: some ten messages."
_SLOWED_PIECE, _SLOWED_S = 512, 0.5
"Of a source that is slowed: some two messages a second."
_PONG = b"\r\n"


class Owner(Protocol):
    """Who keeps the connections together."""

    limits: TransportLimits
    places: Places
    receiver: Receiver
    proven: Proven
    bans: Bans
    rates: Rates

    def has_begun(self, connection: Connection) -> None:
        """It can be sent by."""

    def has_ended(self, connection: Connection) -> None:
        """It is gone."""


class Connection(asyncio.Protocol):
    """One connection, and the flow that it is."""

    def __init__(self, owner: Owner, transport: Transport, place: Place, bare: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self.transport = transport
        self.place = place
        self.local = self.remote = Address("", 0)
        self._bare = bare
        "The socket; asyncio's, as soon as there is a pipe."
        self._pipe: asyncio.Transport | None = None
        self._framer = StreamFramer()
        self._unread = bytearray()
        "What has come and was not looked at yet."
        self._is_paused = False
        self._hears_no_more = False
        "What comes can't be understood any more."
        self._has_ended = False
        "The peer has said its last."
        self._owed = 0
        "Requests that have no final response yet."

    @property
    def is_open(self) -> bool:
        """Until either side closes it."""
        return self._pipe is not None and not self._pipe.is_closing() and not self._hears_no_more

    def send(self, data: bytes) -> bool:
        """Hands a message to the system; False if the connection is gone, or the peer doesn't read."""
        pipe = self._pipe
        if pipe is None or not self.is_open:
            return False
        if pipe.get_write_buffer_size() + len(data) > self._owner.limits.unread_bytes:
            logger.info("connection dropped: the peer does not read remote=%s", self.remote)
            pipe.abort()
            return False
        pipe.write(data)
        if data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 1"):
            self._owed -= 1
            if self._has_ended and self._owed <= 0:
                pipe.close()
        return True

    def close(self) -> None:
        """Ends the connection when what was sent is out."""
        if self._pipe is None:
            self.abort()
        else:
            self._pipe.close()

    def abort(self) -> None:
        """Ends it now."""
        if self._pipe is not None:
            self._pipe.abort()
        else:
            # In its handshake it is asyncio's, which sees the end and closes it.
            with suppress(OSError):
                self._bare.shutdown(socket.SHUT_RDWR)

    def is_overdue(self) -> None:
        """Its time is over; whoever has sent half a message is told so first."""
        if self._pipe is None or self._pipe.is_closing():
            # Its end is waited for in vain, too.
            self.abort()
        elif not self._hears_no_more and (refused := self._framer.end()) is not None:
            self._take(refused)
        else:
            self.close()

    def __repr__(self) -> str:
        return f"<{self.transport} {self.local} {self.remote}>"

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pipe = self._pipe = cast(asyncio.Transport, transport)
        # What is written is kept in memory up to our own limit, and nobody waits for it.
        pipe.set_write_buffer_limits(self._owner.limits.unread_bytes)
        self.local = Address(*(pipe.get_extra_info("sockname") or self.local)[:2])
        self.remote = Address(*(pipe.get_extra_info("peername") or self.remote)[:2])
        if self.place.is_left:
            # It gave way during its handshake.
            pipe.abort()
            return
        self._owner.places.opens(self.place, self._loop.time())
        self._owner.has_begun(self)

    def data_received(self, data: bytes) -> None:
        is_first = not self._unread
        if not self._hears_no_more:
            self._unread += data
            if is_first:
                self._look()

    def eof_received(self) -> bool:
        self._has_ended = True
        if not self._unread:
            self._end()
        # Who closes only their own side may still wait for answers; TLS knows no such thing, and closes.
        return self.transport is Transport.TCP

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.clear()
        self._owner.places.leave(self.place)
        self._owner.has_ended(self)

    # Within

    def _look(self) -> None:
        """Looks at a piece of what has come; the rest has its turn after others had theirs."""
        pipe = self._pipe
        if pipe is None or pipe.is_closing():
            return
        now = self._loop.time()
        verdict = self._owner.bans.of(self, now)
        if verdict is Verdict.BANNED:
            pipe.abort()
            return
        is_counted = not self._owner.proven.has_proved(self, now)
        if is_counted and not self._owner.rates.has_room(self.remote.host, now):
            # In the next second it has its turn again.
            self._pause(True)
            self._loop.call_later(1 - now % 1, self._look)
            return
        piece = bytes(self._unread[: _PIECE if verdict is Verdict.FREE else _SLOWED_PIECE])
        found = self._framer.feed(piece)
        pings = 0
        for framed in found:
            if framed is KeepAlive.PING:
                pings += 1
            else:
                self._take(framed)
            if pipe.is_closing():
                return
        if pings:
            self.send(_PONG * pings)
        del self._unread[: len(piece)]
        if is_counted:
            self._owner.rates.note(self.remote.host, len(found))
        self._owner.places.heard(
            self.place, now, half=self._framer.is_within_message, whole=len(found) > pings
        )
        if self._unread:
            self._pause(True)
            self._loop.call_later(0 if verdict is Verdict.FREE else _SLOWED_S, self._look)
            return
        self._pause(False)
        if self._has_ended:
            self._end()

    def _pause(self, paused: bool) -> None:
        if self._pipe is not None and paused is not self._is_paused:
            self._is_paused = paused
            if paused:
                self._pipe.pause_reading()
            else:
                self._pipe.resume_reading()

    def _end(self) -> None:
        """The peer says no more; it may wait for what we owe."""
        if (refused := self._framer.end()) is not None:
            self._take(refused)
        if self._owed <= 0:
            self.close()
        else:
            self._owner.places.ends(self.place, self._loop.time())

    def _take(self, framed: Framed) -> None:
        receiver = self._owner.receiver
        try:
            if isinstance(framed, Refused):
                if framed.error.request is not None:
                    note_source(framed.error.request, self)
                    self._owed += 1
                receiver.refused(framed.error, self)
                if framed.is_last:
                    self._hang_up()
            elif not isinstance(framed, KeepAlive):
                if isinstance(framed, Request):
                    note_source(framed, self)
                    self._owed += framed.method != "ACK"
                receiver.received(framed, self)
        except Exception:
            # One message can't hurt another.
            logger.exception("a message could not be served remote=%s", self.remote)

    def _hang_up(self) -> None:
        """Closes our side, and theirs a little later: what is closed unread takes our last answer with it."""
        self._hears_no_more = True
        self._unread.clear()
        if self._pipe is None or self._has_ended or self.transport is not Transport.TCP:
            self.close()
            return
        self._pipe.write_eof()
        self._pause(False)
        self._owner.places.ends(self.place, self._loop.time())
