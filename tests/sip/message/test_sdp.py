"""Session descriptions."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given

from sip.message.errors import BadSdp
from sip.message.sdp import Connection, Direction, Line, Origin, SessionDescription, parse_sdp
from tests.sip.message.messages import request, vector
from tests.sip.message.strategies import DESCRIPTIONS

OFFER = """\
v=0
o=- 20000 20000 IN IP4 192.168.1.20
s=SDP data
c=IN IP4 192.168.1.20
t=0 0
a=tool:x
m=audio 11780 RTP/AVP 9 8 101
i=main
b=TIAS:64000
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=fmtp:101 0-15
a=rtpmap:101 telephone-event/8000
a=ptime:20
a=sendrecv
a=rtcp:11785 IN IP4 192.168.1.20
a=candidate:1 1 UDP 2130706431 192.168.1.20 11780 typ host
m=video 0 RTP/SAVP 99
c=IN IP6 2001:db8::1
a=recvonly
""".replace("\n", "\r\n").encode()


def test_an_offer_is_written_as_it_was_read():
    assert bytes(parse_sdp(OFFER)) == OFFER


def test_an_offer_says_what_a_relay_needs():
    offer = parse_sdp(OFFER)
    audio, video = offer.media
    assert offer.origin == Origin("-", "20000", "20000", "IN", "IP4", "192.168.1.20")
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == (
        "audio",
        11780,
        "RTP/AVP",
        ("9", "8", "101"),
    )
    assert audio.attributes("rtpmap") == ["9 G722/8000", "8 PCMA/8000", "101 telephone-event/8000"]
    assert (audio.rtcp_port, video.rtcp_port) == (11785, 1)
    assert [str(offer.connection_of(media)) for media in offer.media] == [
        "IN IP4 192.168.1.20", "IN IP6 2001:db8::1",
    ]  # fmt: skip
    assert video.connection is not None
    assert video.connection.ip == ip_address("2001:db8::1")
    assert [offer.direction_of(media) for media in offer.media] == [Direction.SENDRECV, Direction.RECVONLY]
    assert not offer.is_on_hold


def test_a_stream_is_sent_elsewhere_and_nothing_names_the_old_address():
    offer = parse_sdp(OFFER)
    moved = offer.media[0].with_address(Connection.of(ip_address("2001:db8::9")), 30000)
    assert str(moved).splitlines() == [
        "m=audio 30000 RTP/AVP 9 8 101",
        "i=main",
        "c=IN IP6 2001:db8::9",
        "b=TIAS:64000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:101 telephone-event/8000",
        "a=ptime:20",
        "a=sendrecv",
    ]
    changed = offer.with_media(moved, offer.media[1].refused())
    changed = changed.with_origin(replace(offer.origin, username="pbx", version="20001"))
    assert changed.origin.version == "20001"
    assert parse_sdp(bytes(changed)) == changed


@pytest.mark.parametrize("direction", Direction)
def test_a_direction_is_said_once_and_where_it_was_said(direction):
    audio = parse_sdp(OFFER).media[0].with_direction(direction)
    assert audio.direction is direction
    lines = [line.value for line in audio.lines]
    assert lines.index(direction) == lines.index("ptime:20") + 1
    assert str(audio).count("recv") + str(audio).count("sendonly") + str(audio).count("inactive") == 1


def test_a_direction_is_added_where_none_was():
    offer = parse_sdp(OFFER)
    assert offer.direction is None
    assert offer.with_direction(Direction.INACTIVE).lines[-1] == Line("a", "inactive")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a=sendrecv", b"a=sendonly"),
        (b"a=sendrecv", b"a=inactive"),
        (b"a=sendrecv", b"a=sendonly "),
        (b"c=IN IP4 192.168.1.20", b"c=IN IP4 0.0.0.0"),
        (b"a=tool:x\r\nm=audio 11780", b"a=inactive\r\nm=audio 11780"),
    ],
)
def test_hold_is_known_in_each_way_in_which_phones_say_it(before, after):
    data = OFFER.replace(before, after)
    if after.startswith(b"a=inactive\r\nm="):
        data = data.replace(b"a=sendrecv\r\n", b"")
    assert parse_sdp(data).is_on_hold


def test_all_attributes_of_a_name_can_be_taken_out():
    audio = parse_sdp(OFFER).media[0].without_attributes("rtpmap", "candidate", "rtcp")
    assert [line.value for line in audio.lines if line.type == "a"] == [
        "fmtp:101 0-15",
        "ptime:20",
        "sendrecv",
    ]


@pytest.mark.parametrize(
    "body",
    [
        OFFER.replace(b"\r\n", b"\n"),
        OFFER.replace(b"\r\n", b"\r"),
        OFFER + b"\r\n\r\n",
        OFFER.rstrip(b"\r\n"),
        OFFER.replace(b"a=ptime", b"\r\na=ptime"),
    ],
)
def test_lines_may_end_as_they_like(body):
    assert bytes(parse_sdp(body)) == OFFER


@pytest.mark.parametrize(
    "body",
    [
        b"v=0\r\n",
        b"v=0\r\no=a b 1 2 IN IP4 a\r\ns=\r\nm=image 9 udptl t38\r\n",
        b"v=0\r\nz=0 0\r\nx=unknown\r\nm=audio 9/2 RTP/AVP 0\r\n",
        b"v=0\r\ns=\xb1\xff\r\n",
    ],
)
def test_what_is_missing_or_unknown_is_no_matter(body):
    assert bytes(parse_sdp(body)) == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"a=b",
        b"v=1",
        b"o=a\r\nv=0",
        b"v=0\r\nnothing",
        b"v=0\r\nm =video 1 RTP/AVP 0",
        b"v=0\r\n=a",
        b"v=0\r\nm=",
        b"v=0\r\nm=audio",
        b"v=0\r\nm=audio 1 RTP/AVP",
        b"v=0\r\nm=audio x RTP/AVP 0",
        b"v=0\r\nm=audio 65536 RTP/AVP 0",
        b"v=0\r\nm=audio -1 RTP/AVP 0",
        b"v=0\r\nm=audio 1/x RTP/AVP 0",
        b"v=0" + b"\r\na=b" * 2001,
        b"v=0" + b"\r\nm=audio 1 RTP/AVP 0" * 33,
    ],
)
def test_what_is_no_description_is_refused(body):
    with pytest.raises(BadSdp) as caught:
        parse_sdp(body)
    assert caught.value.status == 400


def test_lines_that_nobody_looks_at_may_hold_anything():
    offer = parse_sdp(b"v=0\r\no=x\r\nc=x\r\nm=audio 1 RTP/AVP 0\r\na=rtcp:x\r\n")
    for read in (lambda: offer.origin, lambda: offer.connection, lambda: offer.media[0].rtcp_port):
        with pytest.raises(BadSdp):
            read()
    with pytest.raises(BadSdp):
        _ = SessionDescription((Line("v", "0"),)).origin


def test_addresses_that_are_names_are_no_literals():
    assert Connection("IP4", "host.example.com").ip is None
    assert Connection("IP4", "224.2.1.1/127/3").ip == ip_address("224.2.1.1")


@pytest.mark.parametrize("value", ["a\r\nb", "a\nc=IN IP4 192.0.2.1", "a\r"])
def test_a_value_never_starts_a_second_line(value):
    with pytest.raises(ValueError, match="second line"):
        Line("s", value)
    with pytest.raises(ValueError, match="second line"):
        parse_sdp(OFFER).with_origin(Origin(value, "1", "1", "IN", "IP4", "a"))


@given(DESCRIPTIONS)
def test_moving_every_stream_leaves_no_other_address(description):
    connection = Connection.of(ip_address("192.0.2.77"))
    moved = description.with_media(*(media.with_address(connection, 4000) for media in description.media))
    read = parse_sdp(bytes(moved))
    assert [(media.connection, media.port) for media in read.media] == [(connection, 4000)] * len(read.media)


def test_the_descriptions_of_the_rfcs_are_read():
    for rfc, name in (("rfc4475", "wsinv"), ("rfc5118", "mult-ip-in-sdp.fixed-cl")):
        body = request(vector(rfc, name)).body
        assert bytes(parse_sdp(body)) == body
