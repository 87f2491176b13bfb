"""How many SIP messages one core reads in a second of CPU.

Run it with `.venv/bin/python bench/sip_messages.py`. A Yealink's REGISTER and an INVITE with its description
are read as a registrar, proxy and B2BUA would: parsed, and those headers looked at that they look at; answers
are made and written. Beside it, in the same rounds, runs what no reader can do without: `bytes.split` at the
line ends and at each colon. What counts is the ratio to that, for it stays the same on another machine.

Each measure is the best of seven rounds, in turns, in CPU time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.message.sdp import parse_sdp
from sip.message.uri import SipUri

REGISTER = b"""\
REGISTER sip:pbx.example.com:5060 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bK1503467461;rport
From: "Recepcja" <sip:48223809887@pbx.example.com:5060>;tag=2042462017
To: "Recepcja" <sip:48223809887@pbx.example.com:5060>
Call-ID: 0_1434263473@192.168.1.20
CSeq: 2 REGISTER
Contact: <sip:48223809887@192.168.1.20:5062>
Authorization: Digest username="48223809887", realm="pbx.example.com", nonce="65a1b2c3d4e5f6", \
uri="sip:pbx.example.com:5060", response="0123456789abcdef0123456789abcdef", algorithm=MD5, \
cnonce="0a4f113b", qop=auth, nc=00000001
Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, \
PUBLISH, UPDATE, MESSAGE
Max-Forwards: 70
User-Agent: Yealink SIP-T46S 66.86.0.15
Expires: 3600
Allow-Events: talk,hold,conference,refer,check-sync
Content-Length: 0

""".replace(b"\n", b"\r\n")

DESCRIPTION = b"""\
v=0
o=- 20000 20000 IN IP4 192.168.1.20
s=SDP data
c=IN IP4 192.168.1.20
t=0 0
m=audio 11780 RTP/AVP 9 8 0 18 101
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=fmtp:101 0-15
a=rtpmap:101 telephone-event/8000
a=ptime:20
a=sendrecv
""".replace(b"\n", b"\r\n")

INVITE = (
    b"""\
INVITE sip:102@pbx.example.com:5060 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bK3381502764;rport
From: "Recepcja" <sip:48223809887@pbx.example.com:5060>;tag=1362870149
To: <sip:102@pbx.example.com:5060>
Call-ID: 0_2683501726@192.168.1.20
CSeq: 1 INVITE
Contact: <sip:48223809887@192.168.1.20:5062>
Content-Type: application/sdp
Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, \
PUBLISH, UPDATE, MESSAGE
Max-Forwards: 70
User-Agent: Yealink SIP-T46S 66.86.0.15
Supported: replaces
Allow-Events: talk,hold,conference,refer,check-sync
Content-Length: %d

"""
    % len(DESCRIPTION)
).replace(b"\n", b"\r\n") + DESCRIPTION


PHONES = 1_000
"Each message comes from one of as many, so that none is like the one before it."


def of_many_phones(data: bytes) -> list[bytes]:
    return [
        data.replace(b"48223809887", b"48%09d" % phone).replace(b"0_", b"%d_" % phone)
        for phone in range(PHONES)
    ]


def request(data: bytes) -> Request:
    message = parse_datagram(data)
    assert isinstance(message, Request)
    return message


def split(data: bytes) -> None:
    head, _, _ = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        line.split(b":", 1)


def parse(data: bytes) -> None:
    request(data)


def register(data: bytes) -> None:
    """What a registrar looks at."""
    look_at_register(request(data))


def look_at_register(message: Request) -> None:
    assert isinstance(message.to.uri, SipUri)
    message.to.uri.address_of_record()
    _ = message.via[0].branch, message.from_.tag, message.call_id, message.cseq.number
    _ = message.require, message.expires_s, message.user_agent, message.path
    for credentials in message.authorization:
        credentials.parameters.get("username")
    for contact in message.contact:
        _ = contact.uri, contact.expires_s, contact.instance


def register_and_answer(data: bytes) -> None:
    """The same, with the 200."""
    message = request(data)
    look_at_register(message)
    answer = message.response(200, to_tag="a6c85cf")
    answer.contact = tuple(message.contact)
    bytes(answer)


def invite(data: bytes) -> None:
    """What a proxy or B2BUA looks at before it asks where the callee is."""
    look_at_invite(request(data))


def look_at_invite(message: Request) -> None:
    assert isinstance(message.uri, SipUri)
    message.uri.address_of_record()
    _ = message.via[0].branch, message.from_.tag, message.to.tag, message.call_id, message.cseq.number
    _ = message.require, message.proxy_require, message.max_forwards, message.route
    _ = message.contact[0].uri, message.content_type


def invite_and_description(data: bytes) -> None:
    """The same, with a description read, changed and written."""
    message = request(data)
    look_at_invite(message)
    offer = parse_sdp(message.body)
    connection = offer.connection
    assert connection is not None
    bytes(offer.with_media(*(media.with_address(connection, 30000) for media in offer.media)))


MEASURES: dict[str, tuple[bytes, Callable[[bytes], None]]] = {
    "REGISTER: bytes.split alone": (REGISTER, split),
    "REGISTER: parsed": (REGISTER, parse),
    "REGISTER: what a registrar looks at": (REGISTER, register),
    "REGISTER: and the 200, written": (REGISTER, register_and_answer),
    "INVITE: bytes.split alone": (INVITE, split),
    "INVITE: parsed": (INVITE, parse),
    "INVITE: what a B2BUA looks at": (INVITE, invite),
    "INVITE: and its description, rewritten": (INVITE, invite_and_description),
}


def cpu_s(read: Callable[[bytes], None], datas: list[bytes], passes: int) -> float:
    """Seconds of CPU for each message."""
    began = time.process_time()
    for _ in range(passes):
        for data in datas:
            read(data)
    return (time.process_time() - began) / (passes * len(datas))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--passes", type=int, default=5, help=f"a round, each over {PHONES} messages")
    arguments.add_argument("--rounds", type=int, default=7)
    asked = arguments.parse_args()
    sent = {data: of_many_phones(data) for data in (REGISTER, INVITE)}
    best = dict.fromkeys(MEASURES, float("inf"))
    for _ in range(asked.rounds):
        for name, (data, read) in MEASURES.items():
            best[name] = min(best[name], cpu_s(read, sent[data], asked.passes))
    table = Table("", "a CPU-second", "µs each", "× split")
    for name, (data, _) in MEASURES.items():
        alone = best[next(each for each, (same, read) in MEASURES.items() if same is data and read is split)]
        taken = best[name]
        table.add_row(name, f"{1 / taken:,.0f}", f"{taken * 1e6:.1f}", f"{taken / alone:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
