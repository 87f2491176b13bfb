"""The audio of one call of a test phone: packets of a tone go out, and what comes in is listened to."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sip.testcall.quality import Reception
from sip.testcall.tones import RATE, Ear, Tone, tone

_PACKET_S = 0.02
_PACKET = RATE // 50
"Samples of a packet."
_LARGEST = 2048


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet of audio (RFC 3550 §5.1), as pyVoIP has read it."""

    source: int
    sequence: int
    timestamp: int
    samples: array[int]
    "In 16 bits."


@dataclass(frozen=True, slots=True)
class Codec:
    """How samples are written as packets and read from them: pyVoIP's work."""

    payload_type: int
    write: Callable[[array[int]], bytes]
    read: Callable[[bytes], Packet | None]
    "None: there is no audio in it."


def open_port(host: str) -> socket.socket:
    """A port for audio that nobody else has."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.setblocking(False)
    port.bind((host, 0))
    return port


class Audio:
    """Sends and hears, from `start` to `stop`."""

    def __init__(
        self, port: socket.socket, hz: int, heard: Callable[[Tone], None], first: int | None = None
    ) -> None:
        """`first` is the number of the first packet; by chance, if it isn't given (RFC 3550 §5.1)."""
        self.reception = Reception(RATE)
        self._port = port
        self._tone = tone(hz)
        self._ear = Ear()
        self._heard = heard
        self._first = secrets.randbelow(1 << 16) if first is None else first
        self._sent = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, codec: Codec, source: int, to: Callable[[], tuple[str, int]]) -> None:
        """Speaks, as `source` (SSRC), to wherever `to` says at that moment. A second start does nothing."""
        if self._timer is not None:
            return
        self._codec, self._source, self._to = codec, source, to
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._loop.add_reader(self._port, self._read)
        self._send()

    def stop(self) -> None:
        """Lets go of the port, whether it has started or not."""
        if self._timer is not None:
            self._timer.cancel()
            self._loop.remove_reader(self._port)
        self._port.close()

    def _send(self) -> None:
        number, at = self._first + self._sent, self._sent * _PACKET % RATE
        stamp = number * _PACKET % (1 << 32)
        head = struct.pack("!BBHII", 0x80, self._codec.payload_type, number % (1 << 16), stamp, self._source)
        payload = self._codec.write(self._tone[at : at + _PACKET])
        with suppress(OSError):  # Who doesn't get it says so.
            self._port.sendto(head + payload, self._to())
        self._sent += 1
        self._timer = self._loop.call_at(self._began + self._sent * _PACKET_S, self._send)

    def _read(self) -> None:
        try:
            came = self._codec.read(self._port.recv(_LARGEST))
        except OSError:
            return  # Nobody listens where we send to: said once for each packet.
        if came is None:
            return
        self.reception.came(came.source, came.sequence, came.timestamp, self._loop.time())
        if (found := self._ear.hears(came.samples)) is not None:
            self._heard(found)
