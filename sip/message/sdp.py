"""Session descriptions (RFC 8866; offer and answer: RFC 3264): as much as a B2BUA and a relay change.

Lines are kept in the order in which they came, those that nobody here knows among them; what is written is
what was read but for what was changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from itertools import pairwise
from typing import NamedTuple, Self

from sip.message.errors import BadSdp

_LINES = 2_000
"More than any phone sends by far: about 30, and 200 with video and ICE."
_MEDIA = 32


class Direction(StrEnum):
    """Which way media flow, as who writes it sees it (RFC 8866 §6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


_DIRECTIONS = frozenset(Direction)
_OF_AN_ADDRESS = frozenset(
    ("rtcp", "candidate", "remote-candidates", "end-of-candidates", "ice-ufrag", "ice-pwd", "ice-options")
)
"Attributes that hold only as long as the address does (RFC 3605, RFC 8839)."


class _Line(NamedTuple):
    type: str
    "One letter."
    value: str


class Line(_Line):
    """`type=value`."""

    __slots__ = ()

    def __new__(cls, type: str, value: str) -> Self:
        """Raises `ValueError` for what would be more than one line."""
        if "\r" in value or "\n" in value:
            raise ValueError("a value can't start a second line")
        return super().__new__(cls, type, value)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the session, and which version of it this is (o=, §5.2)."""

    username: str
    session_id: str
    "Digits, often more than 64 bits hold; compared as they are written."
    version: str
    network_type: str
    address_type: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadSdp`."""
        # By the last five: there are phones whose user has blanks.
        fields = text.rsplit(maxsplit=5)
        if len(fields) != 6:
            raise BadSdp("o= has six fields")
        return cls(*fields)

    def __str__(self) -> str:
        return " ".join(
            (
                self.username,
                self.session_id,
                self.version,
                self.network_type,
                self.address_type,
                self.address,
            )
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """Where media are to be sent (c=, §5.7)."""

    address_type: str
    "`IP4` or `IP6`."
    address: str
    "A literal or a name; of multicast with its TTL and count (`/127/3`)."
    network_type: str = "IN"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadSdp`."""
        fields = text.split()
        if len(fields) != 3:
            raise BadSdp("c= has three fields")
        network_type, address_type, address = fields
        return cls(address_type, address, network_type)

    @classmethod
    def of(cls, address: IPv4Address | IPv6Address) -> Self:
        """For this address."""
        return cls(f"IP{address.version}", str(address))

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The address, if it is a literal."""
        literal = self.address.partition("/")[0]
        try:
            return IPv6Address(literal) if ":" in literal else IPv4Address(literal)
        except AddressValueError:
            return None

    def __str__(self) -> str:
        return f"{self.network_type} {self.address_type} {self.address}"


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a description that has lines, of which some are attributes."""

    lines: tuple[Line, ...]

    @property
    def connection(self) -> Connection | None:
        """The first c= line. Raises `BadSdp`."""
        value = self._first("c")
        return None if value is None else Connection.parse(value)

    @property
    def direction(self) -> Direction | None:
        """What this section says of the direction."""
        return next((Direction(each.value.strip()) for each in self.lines if _is_direction(each)), None)

    def attributes(self, name: str) -> list[str]:
        """The values of `a=name:value`; empty for `a=name`."""
        return [
            value
            for each, _, value in (line.value.partition(":") for line in self.lines if line.type == "a")
            if each == name
        ]

    def with_direction(self, direction: Direction) -> Self:
        """The same with this direction said once: where it was said before, or at the end."""
        lines = [line for line in self.lines if not _is_direction(line)]
        at = next((i for i, line in enumerate(self.lines) if _is_direction(line)), len(lines))
        return self._with_lines([*lines[:at], Line("a", direction), *lines[at:]])

    def without_attributes(self, *names: str) -> Self:
        """The same without these, such as the candidates of ICE."""
        return self._with_lines(
            line for line in self.lines if line.type != "a" or line.value.partition(":")[0] not in names
        )

    def _first(self, kind: str) -> str | None:
        return next((line.value for line in self.lines if line.type == kind), None)

    def _with_lines(self, lines: Iterable[Line]) -> Self:
        return replace(self, lines=tuple(lines))


def _is_direction(line: Line) -> bool:
    return line.type == "a" and line.value.strip() in _DIRECTIONS


@dataclass(frozen=True, slots=True)
class Media(_Section):
    """One stream: the m= line (§5.14) and what follows it."""

    kind: str
    "`audio`, `video`, `image`, …"
    port: int
    "Where media are to be sent; 0 for a stream that is refused or over (RFC 3264 §6)."
    protocol: str
    "`RTP/AVP`, `RTP/SAVP`, `udptl`, …"
    formats: tuple[str, ...]
    "Payload types in order of preference, where the protocol is RTP."
    port_count: int | None = None
    "How many pairs of ports from there on; None: not said, which means one."

    @property
    def rtcp_port(self) -> int:
        """Where RTCP is to be sent (RFC 3605, RFC 5761). Raises `BadSdp`."""
        if self.attributes("rtcp-mux"):
            return self.port
        said = self.attributes("rtcp")
        return _port(said[0].partition(" ")[0]) if said else self.port + 1

    def with_address(self, connection: Connection, port: int) -> Media:
        """The same stream sent elsewhere; what names the old address in another way goes: ICE, rtcp."""
        kept = [line for line in self.lines if line.type != "c" and not _names_address(line)]
        # c= stands after i= and before b= and the rest (§5).
        at = 1 if kept and kept[0].type == "i" else 0
        lines = (*kept[:at], Line("c", str(connection)), *kept[at:])
        return replace(self, lines=lines, port=port, port_count=None)

    def refused(self) -> Media:
        """The same stream as an answer refuses it (RFC 3264 §6)."""
        return replace(self, port=0, port_count=None)

    @classmethod
    def parse(cls, text: str, lines: tuple[Line, ...] = ()) -> Media:
        """From the value of an m= line, and the lines that follow it. Raises `BadSdp`."""
        fields = text.split()
        if len(fields) < 4:
            raise BadSdp("m= has a kind, a port, a protocol and formats")
        kind, ports, protocol, *formats = fields
        port, slash, count = ports.partition("/")
        return cls(lines, kind, _port(port), protocol, tuple(formats), _port(count) if slash else None)

    def __str__(self) -> str:
        count = "" if self.port_count is None else f"/{self.port_count}"
        stream = Line("m", f"{self.kind} {self.port}{count} {self.protocol} {' '.join(self.formats)}")
        return _joined((stream, *self.lines))


def _names_address(line: Line) -> bool:
    return line.type == "a" and line.value.partition(":")[0] in _OF_AN_ADDRESS


@dataclass(frozen=True, slots=True)
class SessionDescription(_Section):
    """What is offered, or answered."""

    media: tuple[Media, ...] = ()

    @property
    def origin(self) -> Origin:
        """Raises `BadSdp`."""
        value = self._first("o")
        if value is None:
            raise BadSdp("there is no o= line")
        return Origin.parse(value)

    def with_origin(self, origin: Origin) -> SessionDescription:
        """The same made by somebody else, or in another version."""
        own = Line("o", str(origin))
        return SessionDescription(tuple([own if line[0] == "o" else line for line in self.lines]), self.media)

    def connection_of(self, media: Media) -> Connection | None:
        """Where this stream is to be sent: by its own c= line, or by the session's."""
        return media.connection or self.connection

    def direction_of(self, media: Media) -> Direction:
        """Which way this stream flows; both ways if nobody says anything (§6.7)."""
        return media.direction or self.direction or Direction.SENDRECV

    def with_media(self, *media: Media) -> SessionDescription:
        """The same with these streams."""
        return replace(self, media=media)

    @property
    def is_on_hold(self) -> bool:
        """Whether whoever wrote this wants to hear no stream (RFC 3264 §8.4, and RFC 2543's `c=0.0.0.0`)."""
        streams = [media for media in self.media if media.port]
        return bool(streams) and all(
            self.direction_of(media) in {Direction.SENDONLY, Direction.INACTIVE} or self._goes_nowhere(media)
            for media in streams
        )

    def _goes_nowhere(self, media: Media) -> bool:
        connection = self.connection_of(media)
        return connection is not None and connection.address == "0.0.0.0"  # noqa: S104 (RFC 2543 §B.5)

    def __bytes__(self) -> bytes:
        """As a body holds it."""
        text = _joined(self.lines) + "".join(map(str, self.media))
        return text.encode("utf-8", "surrogateescape")


def parse_sdp(body: bytes) -> SessionDescription:
    """The description that a body of `application/sdp` holds.

    Any line ends, blank lines, a missing s= or t=, and lines of unknown types are taken. Raises `BadSdp`.
    """
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > _LINES:
        raise BadSdp(f"a description has at most {_LINES} lines")
    lines = [_line(each) for each in text.split("\n") if each.strip(" \t")]
    if not lines or lines[0].type != "v" or lines[0].value.strip() != "0":
        raise BadSdp("a description begins with v=0")
    bounds = [*(i for i, line in enumerate(lines) if line.type == "m"), len(lines)]
    if len(bounds) > _MEDIA + 1:
        raise BadSdp(f"a description has at most {_MEDIA} streams")
    streams = tuple(
        Media.parse(lines[start].value, tuple(lines[start + 1 : end]))
        for start, end in pairwise(bounds)
    )
    return SessionDescription(tuple(lines[: bounds[0]]), streams)


def _line(text: str) -> Line:
    if text[1:2] != "=" or not (text[0].isascii() and text[0].isalpha()):
        raise BadSdp("a line is a letter, an equals sign and a value")
    # It has been split at all line ends.
    return Line._make((text[0], text[2:]))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65535:
        raise BadSdp("a port is a number from 0 to 65535")
    return int(text)


def _joined(lines: Iterable[Line]) -> str:
    return "".join([f"{kind}={value}\r\n" for kind, value in lines])
