"""What is written is read again as it was; and nothing that comes raises anything but what it may."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sip.message.address import NameAddress
from sip.message.errors import MessageError
from sip.message.framing import Refused, StreamFramer
from sip.message.message import Message, Request
from sip.message.parser import parse_datagram
from sip.message.sdp import parse_sdp
from sip.message.typed import Lines, Needed, One, Several
from sip.message.uri import parse_uri
from tests.sip.message.messages import REGISTER, vector, verdicts
from tests.sip.message.strategies import DESCRIPTIONS, MESSAGES, ONE, SEVERAL, TEXTS, URIS

MANY = settings(max_examples=50_000 if os.environ.get("CENTRALKA_PROVE") else 300)
TYPED = [name for name, value in vars(Message).items() if isinstance(value, One | Needed | Several | Lines)]
SEEDS = [vector("rfc4475", name) for name in verdicts("rfc4475")] + [REGISTER]


def look_at_everything(message: Message) -> None:
    """Reads every header that has a type."""
    for name in (*TYPED, "contact", "is_contact_star"):
        with suppress(MessageError):
            for value in found if isinstance(found := getattr(message, name), tuple) else (found,):
                look_at(value)
    if isinstance(message, Request):
        with suppress(MessageError):
            _ = message.uri


def look_at(value: object) -> None:
    """Reads what a value computes."""
    for name in dir(type(value)):
        if isinstance(getattr(type(value), name), property):
            with suppress(MessageError):
                getattr(value, name)


def test_every_typed_header_takes_part_in_the_round_trips():
    opaque = {
        "_contact",
        "privacy",
        "authorization",
        "proxy_authorization",
        "www_authenticate",
        "proxy_authenticate",
    }
    assert set(TYPED) - opaque == (set(ONE) | set(SEVERAL)) - {"contact"}


@given(URIS)
def test_a_uri_is_read_as_it_was_written(uri):
    assert parse_uri(str(uri)) == uri


@given(MESSAGES)
def test_a_message_is_read_as_it_was_written(message):
    assert parse_datagram(bytes(message)) == message


@pytest.mark.parametrize("attribute", ONE)
@given(data=st.data())
@settings(max_examples=60)
def test_one_value_is_read_as_it_was_written(attribute, data):
    value = data.draw(ONE[attribute])
    message = Request("OPTIONS", "sip:a")
    setattr(message, attribute, value)
    assert getattr(again(message), attribute) == value


@pytest.mark.parametrize("attribute", SEVERAL)
@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
@given(data=st.data())
@settings(max_examples=60)
def test_several_values_are_read_as_they_were_written_apart_or_joined_by_commas(attribute, joined, data):
    values = tuple(data.draw(st.lists(SEVERAL[attribute], min_size=1, max_size=3)))
    message = Request("OPTIONS", "sip:a")
    setattr(message, attribute, values)
    if joined:
        ((name, _), *_) = message.headers
        message.headers.set(name, ",".join(map(str, values)))
    assert getattr(again(message), attribute) == values


@given(DESCRIPTIONS)
def test_a_description_is_read_as_it_was_written(description):
    assert parse_sdp(bytes(description)) == description


def again(message: Request) -> Message:
    """Over the wire: read as it was written, with whatever else a message needs."""
    for name, value in (
        ("Via", "SIP/2.0/UDP a"),
        ("From", "<sip:a@b>"),
        ("To", "<sip:a@b>"),
        ("Call-ID", "a"),
        ("CSeq", "1 OPTIONS"),
    ):
        if name not in message.headers:
            message.headers.add(name, value)
    if message.cseq.method != message.method:
        message.method = message.cseq.method
    read = parse_datagram(bytes(message))
    assert read is not None
    return read


@MANY
@given(st.binary(max_size=400))
@example(b"SIP/2.0 200\r\n\r\n")
@example(b"\0")
def test_any_bytes_are_a_message_or_refused(data):
    with suppress(MessageError):
        if (message := parse_datagram(data)) is not None:
            look_at_everything(message)
    with suppress(MessageError):
        bytes(parse_sdp(data))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message that was good, more or less, with some of its bytes replaced, removed or doubled."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    pieces = st.binary(max_size=6) | st.sampled_from(
        [
            b"\r\n",
            b"\n",
            b"\r",
            b"\r\n ",
            b'"',
            b"<",
            b">",
            b";",
            b",",
            b":",
            b"%",
            b"@",
            b"=",
            b"\0",
            b"\\",
            b"[",
            b"\xff",
        ]
    )
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(pieces)
    return bytes(data)


@MANY
@given(damaged())
def test_a_damaged_message_is_read_or_refused_and_can_be_answered(data):
    message: Message | None
    try:
        message = parse_datagram(data)
        assert message is None or bytes(message)
    except MessageError as error:
        message = error.request
    if message is not None:
        look_at_everything(message)
    if isinstance(message, Request):
        answer = bytes(message.response(400, to_tag="a"))
        assert answer.startswith(b"SIP/2.0 400 Bad Request\r\n")
        assert answer.count(b"\r\n\r\n") == 1


@MANY
@given(st.lists(damaged(), min_size=1, max_size=3), st.integers(1, 50))
def test_a_stream_gives_the_same_in_pieces_of_any_size(messages, size):
    data = b"".join(messages)
    whole, pieces = StreamFramer(), StreamFramer()
    expected = whole.feed(data)
    framed = [each for at in range(0, len(data), size) for each in pieces.feed(data[at : at + size])]
    assert list(map(said, framed)) == list(map(said, expected))
    assert pieces.is_within_message == whole.is_within_message


def said(framed: object) -> object:
    return (framed.error.code, str(framed.error), framed.is_last) if isinstance(framed, Refused) else framed


@given(MESSAGES)
def test_what_was_looked_at_and_set_again_says_the_same(message):
    read = parse_datagram(bytes(message))
    assert read is not None
    read.via, read.from_, read.to, read.cseq = read.via, read.from_, read.to, read.cseq
    assert parse_datagram(bytes(read)) == read


@given(TEXTS)
def test_a_name_survives_being_quoted(name):
    address = NameAddress(parse_uri("sip:a@b"), name)
    assert NameAddress.parse(str(address)) == address
