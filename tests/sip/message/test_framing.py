"""Messages out of streams."""

from __future__ import annotations

import pytest

from sip.message import limits
from sip.message.errors import BadLength, BodyTooLarge, MessageTooLarge
from sip.message.framing import KeepAlive, Refused, StreamFramer
from tests.sip.message.messages import REGISTER, request, wire

MESSAGE = wire(
    """
MESSAGE sip:a SIP/2.0
Via: SIP/2.0/TCP a
From: <sip:a@b>;tag=1
To: <sip:a@b>
Call-ID: 1
CSeq: 1 MESSAGE
Content-Length: 8
""",
    "a\r\n\r\nb\r\n",
)


def byte_by_byte(data: bytes) -> list[object]:
    framer = StreamFramer()
    return [each for at in range(len(data)) for each in framer.feed(data[at : at + 1])]


def test_messages_and_pings_come_out_in_order_whatever_the_pieces():
    data = b"\r\n\r\n" + MESSAGE + REGISTER + b"\r\n\r\n\r\n\r\n" + MESSAGE
    expected = [
        KeepAlive.PING, request(MESSAGE), request(REGISTER), KeepAlive.PING, KeepAlive.PING, request(MESSAGE),
    ]  # fmt: skip
    assert StreamFramer().feed(data) == expected
    assert byte_by_byte(data) == expected


def test_a_line_end_between_messages_is_no_ping():
    assert byte_by_byte(MESSAGE + b"\r\n" + MESSAGE) == [request(MESSAGE)] * 2


def test_half_a_ping_is_no_half_message():
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r") == []
    assert not framer.is_within_message
    assert framer.end() is None
    assert framer.feed(b"\n") == [KeepAlive.PING]
    assert framer.feed(b"R") == []
    assert framer.is_within_message


def test_a_half_message_is_within_one_until_its_body_has_come():
    framer = StreamFramer()
    assert framer.feed(MESSAGE[:-1]) == []
    assert framer.is_within_message
    assert framer.feed(MESSAGE[-1:]) == [request(MESSAGE)]
    assert not framer.is_within_message


def test_what_is_half_there_when_the_peer_ends_is_refused_with_what_it_brought():
    framer = StreamFramer()
    framer.feed(MESSAGE[:-1])
    refused = framer.end()
    assert refused is not None
    assert isinstance(refused.error, BadLength)
    assert refused.is_last
    assert refused.error.request is not None
    assert refused.error.request.call_id == "1"
    assert framer.feed(REGISTER) == []


def test_a_message_that_can_t_be_used_leaves_the_next_one_whole():
    bad = REGISTER.replace(b"CSeq: 2 REGISTER", b"CSeq: 2 OPTIONS")
    refused, after = StreamFramer().feed(bad + MESSAGE)
    assert isinstance(refused, Refused)
    assert not refused.is_last
    assert after == request(MESSAGE)


@pytest.mark.parametrize(
    ("length", "error", "status"),
    [
        ("Content-Length: -8", BadLength, 400),
        ("Content-Length: x", BadLength, 400),
        ("Content-Length: 8\r\nContent-Length: 8", BadLength, 400),
        ("Content-Length: 65537", BodyTooLarge, 413),
        ("Content-Length: 99999999999999999999", BodyTooLarge, 413),
        ("Content-Length: 8\r\n" + "a:b\r\n" * limits.HEADERS, MessageTooLarge, 513),
    ],
)
def test_where_the_next_message_begins_is_never_guessed(length, error, status):
    (refused,) = StreamFramer().feed(MESSAGE.replace(b"Content-Length: 8", length.encode()) + REGISTER)
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, error)
    assert (refused.error.status, refused.is_last) == (status, True)
    assert refused.error.request is not None


def test_without_a_length_there_is_no_body_and_one_that_comes_ends_the_connection():
    message, refused = StreamFramer().feed(MESSAGE.replace(b"Content-Length: 8\r\n", b""))
    assert message.body == b""
    assert isinstance(refused, Refused)
    assert refused.is_last


def test_another_protocol_ends_the_connection_without_an_answer():
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\0\n\n"):
        (refused,) = StreamFramer().feed(data)
        assert isinstance(refused, Refused)
        assert refused.is_last
        assert refused.error.request is None


@pytest.mark.parametrize("lacks", [0, 20])
def test_a_head_that_is_too_large_is_refused_to_who_has_sent_it(lacks):
    large = b"X: %b\r\nContent" % (b"a" * limits.MESSAGE)
    data = MESSAGE.replace(b"Content", large)
    (refused,) = StreamFramer().feed(data[: len(data) - lacks])
    assert isinstance(refused, Refused)
    assert refused.is_last
    assert isinstance(refused.error, MessageTooLarge)
    assert refused.error.status == 513
    assert refused.error.request is not None
    assert refused.error.request.via == request(MESSAGE).via


def test_what_is_too_large_and_no_message_is_refused_to_nobody():
    framer = StreamFramer()
    assert not framer.feed(b"a" * limits.MESSAGE)
    (refused,) = framer.feed(b"a")
    assert isinstance(refused, Refused)
    assert refused.is_last
    assert refused.error.request is None
