"""What a leg is told of the media: session descriptions, made anew for each leg (RFC 3264, RFC 8866).

Where media go is what the other side said, so that they flow directly. Who made the session is us: a leg may
talk to one phone after another in one dialog, and to it that is one session in several versions (§8).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import lru_cache

from sip.call.errors import NoSession
from sip.errors import SipError
from sip.message.errors import BadHeader
from sip.message.message import Message
from sip.message.sdp import Connection, Direction, Line, Media, Origin, SessionDescription, parse_sdp
from sip.message.values import MediaType

SDP = MediaType("application", "sdp")
_SILENCE = parse_sdp(b"v=0\no=- 0 0 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n")
_DISCARD = 9
"A port that is none: 0 would refuse the stream."
_MARK = secrets.token_hex(16)
"Stands for a session's number, and its version. Nobody else knows it, so it is in no description that comes."
_OF_A_LEG = f"{_MARK} {_MARK}".encode()
_NOWHERE = Connection("IP4", "0.0.0.0")  # noqa: S104


def session_of(message: Message) -> SessionDescription | None:
    """The description in a message; None: it has no body.

    Raises `NoSession` for another body, `BadSdp` for one that can't be read.
    """
    if not message.body:
        return None
    kind = message.content_type
    if kind is None:
        raise BadHeader("Content-Type", "there is a body, and nothing says what it is")
    if kind.essence != SDP.essence or message.content_encoding:
        raise NoSession(f"{kind.essence} describes no session")
    return parse_sdp(message.body)


def readable_session(message: Message) -> SessionDescription | None:
    """The same; None also for what can't be read."""
    try:
        return session_of(message)
    except SipError:
        return None


def on_hold(offered: SessionDescription) -> SessionDescription:
    """An answer that takes the streams, and neither sends nor hears anything yet (RFC 3264 §8.4).

    One that is encrypted is refused: there is nobody yet who has a key.
    """
    return _SILENCE.with_media(*map(_put_off, offered.media))


def silence(offered: SessionDescription | None) -> SessionDescription:
    """An answer that takes none of the streams that were offered (RFC 3264 §6); an offer of none."""
    streams = () if offered is None else offered.media
    return _SILENCE.with_media(*(replace(stream.refused(), lines=()) for stream in streams))


class Told:
    """What one leg has been told: one session, whose version counts the changes."""

    __slots__ = ("_id", "_version", "said")

    def __init__(self) -> None:
        self._id = str(secrets.randbits(62))
        self._version = 0
        self.said: SessionDescription | None = None
        "What it was told last."

    def tell(self, description: SessionDescription) -> bytes:
        """`description` as this leg is told it."""
        if self.said is None or _content(description) != _content(self.said):
            self._version += 1
        self.said = description
        return _as_ours(description).replace(_OF_A_LEG, f"{self._id} {self._version}".encode())


@lru_cache(32)
def _as_ours(description: SessionDescription) -> bytes:
    """What all members of a group are told, but for what is each leg's own."""
    connection = description.connection or next(
        (each.connection for each in description.media if each.connection is not None), _NOWHERE
    )
    origin = Origin("-", _MARK, _MARK, "IN", connection.address_type, connection.address)
    return bytes(description.with_origin(origin))


def _put_off(stream: Media) -> Media:
    if not stream.port or stream.protocol != "RTP/AVP":
        return replace(stream.refused(), lines=())
    codecs = tuple(
        line for line in stream.lines if line.type == "a" and line.value.startswith(("rtpmap:", "fmtp:"))
    )
    return replace(stream, lines=codecs, port=_DISCARD, port_count=None).with_direction(Direction.INACTIVE)


def _content(description: SessionDescription) -> tuple[object, ...]:
    """All but who made it."""
    lines: tuple[Line, ...] = tuple(line for line in description.lines if line.type != "o")
    return lines, description.media
