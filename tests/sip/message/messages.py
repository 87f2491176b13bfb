"""Messages that tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sip.message.message import Request, Response
from sip.message.parser import parse_datagram

VECTORS = Path(__file__).parents[2] / "vectors"


def vector(rfc: str, name: str) -> bytes:
    """A message of `tests/vectors`, as it is on the wire."""
    return (VECTORS / rfc / f"{name}.dat").read_bytes()


def verdicts(rfc: str) -> dict[str, dict[str, Any]]:
    """What the RFC says of each of its messages."""
    return dict(json.loads((VECTORS / rfc / "verdicts.json").read_text()))


def request(data: bytes) -> Request:
    """The request that a datagram holds."""
    message = parse_datagram(data)
    assert isinstance(message, Request)
    return message


def response(data: bytes) -> Response:
    """The response that a datagram holds."""
    message = parse_datagram(data)
    assert isinstance(message, Response)
    return message


def wire(text: str, body: str = "") -> bytes:
    """A message as it is on the wire, from lines that are easy to read."""
    head = text.strip("\n").replace("\n", "\r\n")
    return f"{head}\r\n\r\n{body}".encode()


REGISTER = wire(
    """
REGISTER sip:pbx.example.com:5060 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bK1503467461;rport
From: "Recepcja" <sip:48223809887@pbx.example.com:5060>;tag=2042462017
To: "Recepcja" <sip:48223809887@pbx.example.com:5060>
Call-ID: 0_1434263473@192.168.1.20
CSeq: 2 REGISTER
Contact: <sip:48223809887@192.168.1.20:5062>
Authorization: Digest username="48223809887", realm="pbx.example.com", nonce="65a1b2", \
uri="sip:pbx.example.com:5060", response="0123456789abcdef0123456789abcdef", algorithm=MD5, \
cnonce="0a4f113b", qop=auth, nc=00000001
Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, \
PUBLISH, UPDATE, MESSAGE
Max-Forwards: 70
User-Agent: Yealink SIP-T46S 66.86.0.15
Expires: 3600
Allow-Events: talk,hold,conference,refer,check-sync
Mac: 00:15:65:4a:a9:37
Line: 1
Content-Length: 0
"""
)
"A Yealink's."
