"""The audio of a test phone's call: pyVoIP reads its packets, and reads and writes its samples."""

from __future__ import annotations

import socket
from array import array
from collections.abc import Callable

from sip.testcall.audio import Audio, Codec, Packet
from sip.testcall.pyvoip import RTP, audioop
from sip.testcall.tones import Tone


class Media(RTP.RTPClient):
    """The audio of a call."""

    def set_up(self, port: socket.socket, hz: int, heard: Callable[[Tone], None]) -> None:
        """`port` is the one that was announced; it sends a tone of `hz`, and tells `heard` of what comes."""
        self.audio = Audio(port, hz, heard)

    def start(self) -> None:
        """Base: two threads, and two more at a second start, which a re-INVITE makes; the port is taken then.
        It keeps all that it hears, and where its sequence numbers end it sends a packet without one.
        """
        codec = Codec(int(self.preference), self._write, self._read)
        self.audio.start(codec, self.outSSRC, lambda: (self.outIP, self.outPort))

    def stop(self) -> None:
        """Base: fails where it has not started."""
        self.audio.stop()

    def _write(self, samples: array[int]) -> bytes:
        """Base: writes µ-law for A-law, too."""
        payload = audioop.bias(audioop.lin2lin(samples.tobytes(), 2, 1), 1, 128)
        is_a_law = self.preference == RTP.PayloadType.PCMA
        return bytes(self.encode_pcma(payload) if is_a_law else self.encode_packet(payload))

    def _read(self, data: bytes) -> Packet | None:
        """Base: makes 8 bits of what was 14."""
        try:
            packet = RTP.RTPMessage(data, self.assoc)
        except (RTP.RTPParseError, IndexError, TypeError, ValueError):
            return None
        decode = {RTP.PayloadType.PCMU: audioop.ulaw2lin, RTP.PayloadType.PCMA: audioop.alaw2lin}
        if (to_linear := decode.get(packet.payload_type)) is None:
            return None
        samples = array("h", to_linear(packet.payload, 2))
        return Packet(packet.SSRC, packet.sequence, packet.timestamp, samples)
