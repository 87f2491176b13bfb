"""Bytes that are not, or hardly, HTTP/1.1 (RFC 9112), with what the server makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

ENDS = b"Connection: close"
GET, POST, HOST = b"GET /x HTTP/1.1", b"POST /x HTTP/1.1", b"Host: x"
CHUNKED = b"Transfer-Encoding: chunked"


class Outcome(StrEnum):
    """One answer, or the end of a connection without one."""

    UNREADABLE = "unreadable"
    CLOSED = "closed"
    WRONG_METHOD = "wrong method"
    SILENCE = "silence"


def header(*lines: bytes) -> bytes:
    """A whole one."""
    return b"\r\n".join((*lines, b"", b""))


def ambiguous(hidden: bytes) -> dict[str, bytes]:
    """Requests of which two servers see the end in different places; `hidden` follows, or is their body.

    None of them may be read at all: whoever stands before us may have seen another end (RFC 9112 §11.2).
    """
    length = b"%d" % len(hidden)
    lengths = {
        "two lengths": b"Content-Length: 0\r\nContent-Length: " + length,
        "one length twice": b"Content-Length: " + length + b"\r\nContent-Length: " + length,
        "a list of lengths": b"Content-Length: " + length + b", " + length,
        "a length with a sign": b"Content-Length: +" + length,
        "a length below zero": b"Content-Length: -1",
        "a hexadecimal length": b"Content-Length: 0x10",
        "a length with a blank": b"Content-Length: 1 0",
        "a length with an underscore": b"Content-Length: 1_0",
        "a length in other digits": "Content-Length: ٣".encode(),
        "a length beyond all numbers": b"Content-Length: " + b"9" * 40,
        "an empty length": b"Content-Length: ",
        "a blank before the colon": b"Content-Length : " + length,
        "a length in a folded line": b"Content-Length:\r\n " + length,
    }
    codings = {
        "a length before a coding": b"Content-Length: " + length + b"\r\n" + CHUNKED,
        "a length behind a coding": CHUNKED + b"\r\nContent-Length: 5",
        "a coding that is nearly one": b"Transfer-Encoding: xchunked",
        "a coding behind chunked": b"Transfer-Encoding: chunked, identity",
        "no coding at all": b"Transfer-Encoding: identity",
        "chunked and something else": CHUNKED + b"\r\nTransfer-Encoding: x",
        "chunked twice": CHUNKED + b"\r\n" + CHUNKED,
        "a tab of the other kind": b"Transfer-Encoding: \x0bchunked",
        "a coding with a blank before the colon": b"Transfer-Encoding : chunked",
        "a coding in a folded line": b"Transfer-Encoding:\r\n chunked",
        "a coding in quotes": b'Transfer-Encoding: "chunked"',
    }
    chunks = {
        "an extension with a line end": b'1;x="\n\r\nx\r\n0\r\n\r\n',
        "a chunk below zero": b"-1\r\n\r\n",
        "a chunk with 0x": b"0x1\r\nx\r\n0\r\n\r\n",
        "a chunk beyond all numbers": b"f" * 40 + b"\r\n",
        "chunks that end with LF": b"1\nx\n0\n\n",
        "a chunk that is longer": b"1\r\nxy\r\n0\r\n\r\n",
        "a length in the trailer": b"0\r\nContent-Length: 5\r\n\r\n",
    }
    return {
        **{name: header(POST, HOST, line) + hidden for name, line in lengths.items()},
        **{name: header(POST, HOST, line) + b"0\r\n\r\n" + hidden for name, line in codings.items()},
        **{name: header(POST, HOST, CHUNKED) + body + hidden for name, body in chunks.items()},
        "a coding in HTTP/1.0": header(b"POST /x HTTP/1.0", HOST, CHUNKED) + b"0\r\n\r\n" + hidden,
    }


_UNREADABLE = {
    "64 KiB of a value": header(GET, HOST, b"X: " + b"a" * 2**16),
    "64 KiB of a name": header(GET, HOST, b"a" * 2**16 + b": x"),
    "64 KiB of a method": header(b"A" * 2**16 + b" /x HTTP/1.1", HOST),
    "10 000 lines": header(GET, HOST, *(b"X-%d: y" % number for number in range(10_000))),
    "a MiB of a path": header(b"GET /" + b"a" * 2**20 + b" HTTP/1.1", HOST),
    "a MiB without an end": GET + b"\r\nX: " + b"a" * 2**20,
    "LF alone": b"GET /x HTTP/1.1\nHost: x\n\n",
    "LF alone in one line": b"GET /x HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "CR alone": b"GET /x HTTP/1.1\rHost: x\r\r",
    "CR alone in one line": b"GET /x HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
    "NUL in a value": header(GET, b"Host: x\x00y"),
    "NUL in a name": header(GET, HOST, b"X\x00: y"),
    "control characters": header(GET, HOST, b"X: \x01\x7f"),
    "a folded line (RFC 9112 §5.2)": header(GET, HOST, b"X: a", b"  b"),
    "a folded line at the beginning": header(GET, b" Host: x"),
    "no colon": header(GET, HOST, b"X"),
    "no name": header(GET, HOST, b": y"),
    "a name with a blank": header(GET, HOST, b"X Y: y"),
    "no host": header(GET, ENDS),
    "two hosts": header(GET, HOST, b"Host: y", ENDS),
    "HTTP/1.2": header(b"GET /x HTTP/1.2", HOST, ENDS),
    "HTTP/1.10": header(b"GET /x HTTP/1.10", HOST, ENDS),
    "HTTP/9.9": header(b"GET /x HTTP/9.9", HOST, ENDS),
    "http/1.1": header(b"GET /x http/1.1", HOST, ENDS),
    "ICY": header(b"GET /x ICY/1.1", HOST, ENDS),
    "HTTP/2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00",
    "small letters": header(b"get /x HTTP/1.1", HOST, ENDS),
    "a method with a sign": header(b"G@T /x HTTP/1.1", HOST, ENDS),
    "a path with a blank": header(b"GET /x y HTTP/1.1", HOST),
    "tabs": header(b"GET\t/x\tHTTP/1.1", HOST),
    "a blank at the beginning": b" " + header(GET, HOST, ENDS),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "SIP": header(b"OPTIONS sip:x SIP/2.0", b"Via: x"),
    "a response": header(b"HTTP/1.1 200 OK", b"Content-Length: 0"),
    "a proxy's words": b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n" + header(GET, HOST, ENDS),
}
_READABLE: Mapping[str, tuple[bytes, Outcome]] = {
    "HTTP/0.9": (b"GET /x\r\n", Outcome.SILENCE),
    "half a header": (GET + b"\r\nHost: x\r\n", Outcome.SILENCE),
    "nothing": (b"", Outcome.SILENCE),
    "HTTP/2.0 in words": (header(b"GET /x HTTP/2.0", HOST, ENDS), Outcome.CLOSED),
    "an upgrade to HTTP/2": (
        header(
            GET, HOST, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
        ),
        Outcome.CLOSED,
    ),
    "an upgrade to WebSocket": (
        header(
            *(GET, HOST, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        Outcome.CLOSED,
    ),
    "a tunnel": (header(b"CONNECT 127.0.0.1:22 HTTP/1.1", b"Host: 127.0.0.1:22"), Outcome.WRONG_METHOD),
    "an echo": (header(b"TRACE /x HTTP/1.1", HOST, ENDS), Outcome.WRONG_METHOD),
    "no such host": (header(GET, b"Host: a b/../@", ENDS), Outcome.CLOSED),
    "two blanks": (header(b"GET  /x HTTP/1.1", HOST, ENDS), Outcome.CLOSED),
    "empty lines before it (RFC 9112 §2.2)": (b"\r\n\r\n" + header(GET, HOST, ENDS), Outcome.CLOSED),
    "an expectation without a body": (header(GET, HOST, b"Expect: 100-continue", ENDS), Outcome.CLOSED),
    "an expectation that nobody knows": (header(GET, HOST, b"Expect: tea", ENDS), Outcome.CLOSED),
    "an expectation of a stranger": (
        header(POST, HOST, b"Expect: 100-continue", b"Content-Length: 5"),
        Outcome.WRONG_METHOD,
    ),
    "a thousand ranges": (header(GET, HOST, b"Range: bytes=" + b"0-1," * 1000, ENDS), Outcome.CLOSED),
    "broken cookies": (header(GET, HOST, b"Cookie: " + b"=;" * 3000, ENDS), Outcome.CLOSED),
    "a body that is no gzip": (
        header(POST, HOST, b"Content-Encoding: gzip", b"Content-Length: 4") + b"\x1f\x8b\x08\x00",
        Outcome.WRONG_METHOD,
    ),
}
HOSTILE: Mapping[str, tuple[bytes, Outcome]] = {
    **{name: (words, Outcome.UNREADABLE) for name, words in _UNREADABLE.items()},
    **_READABLE,
}
