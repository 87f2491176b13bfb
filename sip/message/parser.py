"""Bytes in, a message out (RFC 3261 §7, §18.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from sip.message import lexer, limits
from sip.message.errors import (
    BadHeader,
    BadLength,
    BadStartLine,
    MessageError,
    MessageTooLarge,
    UnsupportedVersion,
    UriTooLong,
)
from sip.message.headers import SPELLINGS, Field, Headers, key_of
from sip.message.message import Request, Response

AnyMessage: TypeAlias = Request | Response

# Line ends are CRLF; those of scripts and hand-made messages are LF, and are read, too.
_HEAD_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"\n[ \t]++")
_SPOKEN = "SIP/2.0"
_VERSION = re.compile(r"SIP/([0-9]+)\.([0-9]+)", re.IGNORECASE)
_KEEP_ALIVE = b"\r\n\0 \t"


@dataclass(slots=True)
class Head:
    """A message without its body, and how long that is to be."""

    message: AnyMessage
    content_length: int | None
    "None: not said."
    error: MessageError | None
    "The first thing that is wrong, if there is one; `message` is what could be read all the same."

    def with_body(self, body: bytes) -> AnyMessage:
        """The whole message. Raises what is wrong with it, which names the request that can be answered."""
        self.message.body = body
        if self.error is not None:
            self.refuse(self.error)
        try:
            _check(self.message)
        except MessageError as error:
            self.refuse(error)
        return self.message

    def refuse(self, error: MessageError) -> NoReturn:
        """Raises `error`, with the request that it is about."""
        if isinstance(self.message, Request) and self.message.headers.all("Via"):
            error.request = self.message
        raise error


def parse_datagram(data: bytes) -> AnyMessage | None:
    """The message that a datagram holds; None if it only keeps a flow alive.

    What follows the body is cut off; a body shorter than Content-Length says is refused (§18.3).
    Raises `MessageError`.
    """
    if len(data) > limits.MESSAGE:
        raise MessageTooLarge(f"a message has at most {limits.MESSAGE} bytes")
    data = data.lstrip(b"\r\n")
    if not data.strip(_KEEP_ALIVE):
        return None
    end = head_end(data)
    head = parse_head(data[:end])
    body = b"" if end is None else data[end:]
    if head.content_length is None or head.error is not None:
        return head.with_body(body)
    if head.content_length > len(body):
        head.refuse(BadLength(f"{head.content_length} bytes are announced, and {len(body)} are there"))
    return head.with_body(body[: head.content_length])


def head_end(data: bytes | bytearray, start: int = 0) -> int | None:
    """Where the body begins, if the blank line before it comes after `start`."""
    match = _HEAD_END.search(data, start)
    return None if match is None else match.end()


def parse_head(data: bytes) -> Head:
    """The start line and headers; the blank line that ends them may be there or not.

    Raises `MessageError` for a Status-Line that can't be read.
    """
    text = data.rstrip(b"\r\n").decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if _FOLD.search(text) is not None:
        text = _FOLD.sub(" ", text)
    lines = text.split("\n")
    fields: list[Field] = []
    lengths: list[str] = []
    message, error = _start(lines[0], Headers.as_read(fields))
    has_returns = "\r" in text
    if has_returns:
        error = error or BadHeader("", "a carriage return stands inside a line")
    if len(lines) - 1 > limits.HEADERS:
        error = error or MessageTooLarge(f"a message has at most {limits.HEADERS} headers")
        del lines[limits.HEADERS + 1 :]
    may_have_long_lines = len(text) > limits.LINE
    for line in lines[1:]:
        if may_have_long_lines and len(line) > limits.LINE:
            error = error or MessageTooLarge(f"a header has at most {limits.LINE} characters")
            continue
        name, colon, value = line.partition(":")
        spelling = SPELLINGS.get(name)
        if spelling is None:
            name = name.rstrip(lexer.BLANKS)
            key = key_of(name) if lexer.is_token(name) else None
        else:
            key, name = spelling
        if key is None or not colon or (has_returns and "\r" in value):
            error = error or BadHeader("", "a line is not a name, a colon and a value")
            continue
        if key == "content-length":
            lengths.append(value.strip(lexer.BLANKS))
        else:
            fields.append((key, name, value.strip(lexer.BLANKS)))
    try:
        length = _content_length(lengths)
    except MessageError as wrong:
        length, error = None, error or wrong
    return Head(message, length, error)


def _start(line: str, headers: Headers) -> tuple[AnyMessage, MessageError | None]:
    if line[:4].upper() == "SIP/":
        return _status_line(line, headers), None
    method, _, rest = line.partition(" ")
    # Blanks beyond the one that belongs between the parts are passed over (RFC 4475 §3.1.2.9, §3.1.2.10).
    uri, _, version = rest.strip(" ").rpartition(" ")
    uri = uri.strip(" ")
    request = Request(method, uri, headers)
    is_spoken = _is_spoken(version)
    if is_spoken is None or not uri or not lexer.is_token(method):
        return request, BadStartLine("a request begins with a method, a URI and SIP/2.0")
    if not is_spoken:
        return request, UnsupportedVersion("SIP/2.0 is spoken here")
    if len(uri) > limits.URI:
        return request, UriTooLong(f"a Request-URI has at most {limits.URI} characters")
    return request, None


def _status_line(line: str, headers: Headers) -> Response:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.lstrip(" ").partition(" ")
    if not _is_spoken(version):
        raise UnsupportedVersion("SIP/2.0 is spoken here")
    if len(status) != 3 or not (status.isascii() and status.isdigit()) or not "100" <= status <= "699":
        raise BadStartLine("a status is a number from 100 to 699")
    return Response(int(status), reason, headers)


def _is_spoken(version: str) -> bool | None:
    """Whether it is the version that is spoken here; None: it is none."""
    if version == _SPOKEN:
        return True
    said = _VERSION.fullmatch(version)
    return None if said is None else said.groups() == ("2", "0")


def _content_length(values: list[str]) -> int | None:
    if not values:
        return None
    # Twice the same would be clear, but for whoever reads one of them before another (RFC 4475 §3.3.9).
    length = lexer.seconds(values[0]) if len(values) == 1 else None
    if length is None:
        raise BadLength("Content-Length is one number")
    return length


def _check(message: AnyMessage) -> None:
    """Reads what every layer above reads first, so that it is refused here and nowhere else.

    Raises `MessageError`.
    """
    if not message.via:
        raise BadHeader("Via", "is missing")
    if not message.from_ or not message.to or not message.call_id:
        raise AssertionError("what is needed is there, or was refused")
    method = message.cseq.method
    if isinstance(message, Request):
        if method != message.method:
            raise BadHeader("CSeq", "says another method than the first line (§8.1.1.5)")
        _ = message.uri
