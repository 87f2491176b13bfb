"""What a phone says of its audio: offers and answers (RFC 3264). No packet is ever sent or heard."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import ClassVar

from sip.errors import SipError
from sip.message.sdp import Connection, Direction, Line, Media, Origin, SessionDescription

_EVENTS = "101"
_CODECS = {"9": "G722/8000", "8": "PCMA/8000", "0": "PCMU/8000", _EVENTS: "telephone-event/8000"}
"Payload types, the best first."
_TAKEN = tuple(each for each in _CODECS if each != _EVENTS)
_MIRRORED = {
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
    Direction.SENDRECV: Direction.SENDRECV,
}
"What is answered to each (RFC 3264 §6.1)."


class NoAudio(SipError):
    """Nothing that is offered can be talked by (RFC 3261 §21.4.26)."""

    code = "no-audio"
    status: ClassVar[int] = 488


class Audio:
    """Of one call: one session, in one version after another (RFC 3264 §8)."""

    __slots__ = ("_connection", "_id", "_port", "_said", "_version")

    def __init__(self, connection: Connection, port: int) -> None:
        self._connection = connection
        self._port = port
        self._id = str(secrets.randbits(62))
        self._version = 0
        self._said: tuple[Media, ...] = ()

    def offer(self) -> bytes:
        """What it has said before, or all that it can."""
        return self._written(self._said or (self._stream(tuple(_CODECS), Direction.SENDRECV),))

    def answer(self, offered: SessionDescription) -> bytes:
        """One stream of those that are offered. Raises `NoAudio`."""
        streams: list[Media] = []
        for media in offered.media:
            is_taken = any(each.port for each in streams)
            formats = () if is_taken else _spoken(media)
            if formats:
                streams.append(self._stream(formats, _MIRRORED[offered.direction_of(media)]))
            else:
                streams.append(replace(media.refused(), lines=()))
        if not any(each.port for each in streams):
            raise NoAudio("no stream that is offered can be talked by")
        return self._written(tuple(streams))

    def _stream(self, formats: tuple[str, ...], direction: Direction) -> Media:
        lines = tuple(Line("a", f"rtpmap:{each} {_CODECS.get(each, _CODECS[_EVENTS])}") for each in formats)
        return Media(lines, "audio", self._port, "RTP/AVP", formats).with_direction(direction)

    def _written(self, streams: tuple[Media, ...]) -> bytes:
        if streams != self._said:
            self._said = streams
            self._version += 1
        at = self._connection
        origin = Origin("-", self._id, str(self._version), "IN", at.address_type, at.address)
        head = (("v", "0"), ("o", str(origin)), ("s", "-"), ("c", str(at)), ("t", "0 0"))
        return bytes(SessionDescription(tuple(Line(*each) for each in head), streams))


def _spoken(media: Media) -> tuple[str, ...]:
    """The payload types of a stream that a phone goes on with: one codec, and its keys if they are there."""
    if media.kind != "audio" or not media.port or media.protocol != "RTP/AVP":
        return ()
    codec = next((each for each in media.formats if each in _TAKEN), None)
    if codec is None:
        return ()
    named = (each.partition(" ") for each in media.attributes("rtpmap"))
    events = (number for number, _, name in named if name.strip().lower() == _CODECS[_EVENTS])
    return (codec, *(each for each in events if each in media.formats))
