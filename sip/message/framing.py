"""Messages out of a stream, which comes in pieces of any size (RFC 3261 §18.3, RFC 5626 §3.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NoReturn, TypeAlias

from sip.message import limits
from sip.message.errors import BadLength, BodyTooLarge, MessageError, MessageTooLarge
from sip.message.parser import AnyMessage, Head, head_end, parse_head


class KeepAlive(Enum):
    """What keeps a flow alive."""

    PING = "ping"
    "CRLF twice; answered with one CRLF (RFC 5626 §4.4.1)."


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that can't be used."""

    error: MessageError
    "Names the request that it answers, if there is one to answer."
    is_last: bool
    "Where the next message begins is unknown: the connection is to be closed."


Framed: TypeAlias = AnyMessage | KeepAlive | Refused


class StreamFramer:
    """One direction of one connection. Holds at most a message and what came with its last piece.

    Each byte is looked at once, however small the pieces are.
    """

    __slots__ = ("_buffer", "_head", "_is_broken", "_seen")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0
        "How much of the buffer is known to hold no end of a head."
        self._head: Head | None = None
        "Read, and waiting for its body."
        self._is_broken = False

    @property
    def is_within_message(self) -> bool:
        """Whether a message has begun that has not ended; the transport says how long that may last."""
        return self._head is not None or self._begins_message()

    def feed(self, data: bytes) -> list[Framed]:
        """What `data` completes. Never raises; after `Refused.is_last` whatever comes is thrown away."""
        if self._is_broken:
            return []
        self._buffer += data
        found: list[Framed] = []
        while not self._is_broken and (framed := self._next()) is not None:
            found.append(framed)
        return found

    def end(self) -> Refused | None:
        """What is half there when no more comes: the peer has ended its side, or took too long."""
        if not self.is_within_message:
            return None
        try:
            head = self._head or parse_head(bytes(self._buffer))
            head.refuse(head.error or BadLength("the message does not end"))
        except MessageError as error:
            return self._break(error)

    def _next(self) -> Framed | None:
        if self._head is None:
            if (ping := self._ping()) is not None:
                return ping
            try:
                if not self._read_head():
                    return None
            except MessageError as error:
                return self._break(error)
        return self._with_body()

    def _ping(self) -> KeepAlive | None:
        """Takes line ends from before a message: two are a ping, one alone means nothing (§7.5)."""
        buffer = self._buffer
        if buffer.startswith(b"\r\n\r\n"):
            del buffer[:4]
            return KeepAlive.PING
        return None

    def _read_head(self) -> bool:
        buffer = self._buffer
        if not self._begins_message():
            begin = len(buffer) - len(buffer.lstrip(b"\r\n"))
            if begin == len(buffer):
                # At most the half of a ping is kept, whatever mixture of line ends comes.
                del buffer[: max(0, begin - 3)]
                return False
            del buffer[:begin]
        end = head_end(buffer, self._seen)
        if end is None:
            if len(buffer) > limits.MESSAGE:
                self._refuse_size()
            # An end may have begun in the last two bytes.
            self._seen = max(0, len(buffer) - 2)
            return False
        if end > limits.MESSAGE:
            self._refuse_size()
        self._head = parse_head(bytes(buffer[:end]))
        del buffer[:end]
        self._seen = 0
        return True

    def _refuse_size(self) -> NoReturn:
        """What there may be of the head says whom to answer: the Vias come first."""
        head = parse_head(bytes(self._buffer[: limits.MESSAGE]))
        head.refuse(MessageTooLarge(f"a message has at most {limits.MESSAGE} bytes"))

    def _with_body(self) -> Framed | None:
        head = self._head
        if head is None:
            raise AssertionError("the head is read first")
        try:
            # Where a line can't be read, another reader may find another length in it.
            if head.error is not None:
                head.refuse(head.error)
            # Streams need Content-Length (§20.14); whoever leaves it out means that there is no body. If one
            # comes all the same, it is no message, and ends the connection.
            length = head.content_length or 0
            if length > limits.MESSAGE:
                head.refuse(BodyTooLarge(f"a message has at most {limits.MESSAGE} bytes"))
        except MessageError as error:
            return self._break(error)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        try:
            return head.with_body(body)
        except MessageError as error:
            return Refused(error, is_last=False)

    def _begins_message(self) -> bool:
        return bool(self._buffer) and self._buffer[0] not in b"\r\n"

    def _break(self, error: MessageError) -> Refused:
        self._is_broken = True
        self._buffer.clear()
        self._head = None
        return Refused(error, is_last=True)
