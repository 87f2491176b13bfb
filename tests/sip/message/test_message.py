"""Messages: what phones send, what is answered, what is written."""

from __future__ import annotations

import pytest

from sip.message.errors import BadHeader, BadLength, BadStartLine, MessageError, UnsupportedVersion
from sip.message.headers import Headers
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri
from tests.sip.message.messages import REGISTER, request, response, wire

INVITE = wire(
    """
INVITE sip:101@192.168.1.20:5062 SIP/2.0
Record-Route: <sip:192.0.2.1;lr;ftag=as1>,<sip:192.0.2.2;lr>
v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKc, SIP/2.0/UDP 192.168.1.30:5060;rport=5060;branch=z9hG4bKd
f: "Nowak, Ewa" <sip:102@pbx.example.com>;tag=as1
t: <sip:101@pbx.example.com>
i: 2b3c@192.168.1.30
CSeq: 20 INVITE
m: <sip:102@192.168.1.30:5060;transport=udp;ob>
Max-Forwards: 69
k: 100rel, replaces, timer,
Session-Expires: 1800;refresher=uac
Allow:
c: application/sdp
"""
)
LINPHONE = wire(
    """
REGISTER sip:127.0.0.1:5060;transport=tcp SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:46385;alias;branch=z9hG4bK.KNWOAV~2p;rport
From: <sip:1010@127.0.0.1>;tag=n7T3lRvFo
To: sip:1010@127.0.0.1
CSeq: 20 REGISTER
Call-ID: 9DQy2-FLFa
Max-Forwards: 70
Supported: replaces, outbound, gruu, path, record-aware
Accept: application/sdp
Accept: text/plain
Accept: application/vnd.gsma.rcs-ft-http+xml
Contact: <sip:1010@127.0.0.1:46385;transport=tcp>;\
+sip.instance="<urn:uuid:8b1a1f24-3d0a-00f1-a5f6-d6f2ab6a0ab7>";\
+org.linphone.specs="ephemeral/1.1,groupchat/1.2,lime"
Expires: 3600
User-Agent: LinphoneC/5.1.65 (belle-sip/5.1.65)
Content-Length: 0
"""
)
BARESIP = wire(
    """
REGISTER sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bK2f0a8a1bb4a8a3a6;rport
Contact: <sip:1011-0x55d0c8a7c1f0@127.0.0.1:5071>;expires=3600;\
+sip.instance="<urn:uuid:2b0f3a6e-0000-4000-8000-1>"\
;reg-id=1
Max-Forwards: 70
To: <sip:1011@127.0.0.1>
From: <sip:1011@127.0.0.1>;tag=8e0a3c1b42d3e1a1
Call-ID: 7e8b0a9d6b2ca4b1
CSeq: 4513 REGISTER
User-Agent: baresip v1.0.0 (x86_64/linux)
Supported: gruu,outbound,path
Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER
Content-Length: 0
"""
)
PYVOIP = wire(
    """
REGISTER sip:127.0.0.1:5060 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1503467461;rport
From: "1010" <sip:1010@127.0.0.1:5060>;tag=abc
To: "1010" <sip:1010@127.0.0.1:5060>
Call-ID: 4f@127.0.0.1:5080
CSeq: 1 REGISTER
Contact: <sip:1010@127.0.0.1:5080;transport=UDP>;+sip.instance="<urn:uuid:A1>"
Allow: INVITE, ACK, BYE, CANCEL
Max-Forwards: 70
Allow-Events: org.3gpp.nwinitdereg
User-Agent: pyVoIP 1.6.8
Expires: 60
Content-Length: 0
"""
)
GRANDSTREAM = wire(
    """
SUBSCRIBE sip:100@pbx1 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1977;rport;keep
From: "Jan Kowalski" <sip:100@pbx1>;tag=1
To: sip:100@pbx1
Call-ID: 1-5060-1@BA.A.A.H
CSeq: 2000 SUBSCRIBE
Contact: "Jan Kowalski" <sip:100@10.0.0.7:5060>;reg-id=1;\
+sip.instance="<urn:uuid:00000000-0000-1000-8000-000B82>"
Expires: 0
Event: message-summary
Accept: application/simple-message-summary
Proxy-Authorization: Digest username="100",realm="pbx1",nonce="a",uri="sip:100@pbx1",response="b",qop=auth,\
nc=00000001,cnonce="c",algorithm=md5
Content-Length: 0
"""
)


def test_a_yealink_registers():
    message = request(REGISTER)
    assert isinstance(message.uri, SipUri)
    assert (message.method, message.uri.host, message.uri.port) == ("REGISTER", "pbx.example.com", 5060)
    (via,) = message.via
    assert (via.host, via.port, via.branch, via.asks_rport, via.rport) == (
        "192.168.1.20", 5062, "z9hG4bK1503467461", True, None,
    )  # fmt: skip
    assert message.to.display_name == "Recepcja"
    assert isinstance(message.to.uri, SipUri)
    assert str(message.to.uri.address_of_record()) == "sip:48223809887@pbx.example.com:5060"
    assert (message.cseq.number, message.expires_s, message.max_forwards) == (2, 3600, 70)
    (credentials,) = message.authorization
    assert (credentials.parameters["username"], credentials.parameters["nc"]) == ("48223809887", "00000001")
    assert message.user_agent == "Yealink SIP-T46S 66.86.0.15"
    assert message.headers.get("MAC") == "00:15:65:4a:a9:37"
    assert message.allow[0] == "INVITE"
    assert "check-sync" in message.allow_events


def test_a_proxy_hands_on_an_invite():
    message = request(INVITE)
    assert [via.host for via in message.via] == ["192.0.2.1", "192.168.1.30"]
    assert message.via[1].rport == 5060
    assert [str(each.uri) for each in message.record_route] == [
        "sip:192.0.2.1;lr;ftag=as1", "sip:192.0.2.2;lr",
    ]  # fmt: skip
    assert message.from_.display_name == "Nowak, Ewa"
    assert message.supported == ("100rel", "replaces", "timer")
    assert message.allow == ()


@pytest.mark.parametrize("data", [REGISTER, INVITE, LINPHONE, BARESIP, PYVOIP, GRANDSTREAM])
def test_what_phones_send_is_read_whole_and_written_as_it_came(data):
    message = request(data)
    assert message.contact
    assert message.contact[0].expires_s in {None, 3600}
    assert request(bytes(message)) == message
    assert bytes(message) == data or b"Content-Length" not in data


@pytest.mark.parametrize("data", [LINPHONE, BARESIP, PYVOIP, GRANDSTREAM])
def test_softphones_say_which_device_they_are(data):
    instance = request(data).contact[0].instance
    assert instance is not None
    assert instance.startswith("<urn:uuid:")


def test_line_ends_of_scripts_are_taken_too():
    assert request(REGISTER.replace(b"\r\n", b"\n")) == request(REGISTER)


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n"])
def test_line_ends_before_a_message_are_passed_over(before):
    assert request(before + REGISTER) == request(REGISTER)


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"\0", b" "])
def test_a_datagram_that_keeps_a_flow_alive_is_no_message(data):
    assert parse_datagram(data) is None


def body_of(length: str, body: bytes) -> bytes:
    head = REGISTER.replace(b"Content-Length: 0\r\n", length.encode())
    return request(head + body).body


def test_a_datagram_s_body_is_what_content_length_says_or_all_that_is_left():
    assert body_of("", b"abc") == b"abc"
    assert body_of("l: 2\r\n", b"abc") == b"ab"
    assert body_of("Content-Length : 0003\r\n", b"abc") == b"abc"


@pytest.mark.parametrize(
    "length", ["4", "-1", "", "x", "3 3", "0x3", "3.0", "+3", "٣", "3, 3", "9" * 5000, "65537"]
)
def test_a_content_length_that_is_none_is_refused_and_answered(length):
    with pytest.raises(BadLength) as caught:
        body_of(f"Content-Length: {length}\r\n", b"abc")
    assert caught.value.status == 400
    assert caught.value.request is not None


@pytest.mark.parametrize(
    "lines",
    ["Content-Length: 3\r\nContent-Length: 3\r\n", "l: 3\r\nContent-Length: 0\r\n", "l : 3\r\nL: 3\r\n"],
)
def test_two_lengths_are_none(lines):
    with pytest.raises(BadLength):
        body_of(lines, b"abc")


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_request_without_what_each_has_is_refused_by_name(name):
    lines = [line for line in REGISTER.split(b"\r\n") if not line.startswith(name.encode() + b":")]
    with pytest.raises(BadHeader) as caught:
        parse_datagram(b"\r\n".join(lines))
    assert caught.value.name == name
    # Without a Via an answer would not be known for one.
    assert (caught.value.request is None) == (name == "Via")


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_a_request_with_two_of_what_is_there_once_is_refused(name):
    line = next(line for line in REGISTER.split(b"\r\n") if line.startswith(name.encode() + b":"))
    with pytest.raises(BadHeader, match="more often than once"):
        parse_datagram(REGISTER.replace(line, line + b"\r\n" + line))


@pytest.mark.parametrize(
    "line",
    [
        "no colon",
        ": no name",
        "a name: x",
        "X\0: a",
        "X: a\rVia: b",
        "Żółw: a",
        "X\xa0: a",
        "X\x0b: a",
        "(a): b",
    ],
)
def test_a_line_that_is_no_header_is_refused_and_never_becomes_one(line):
    with pytest.raises(BadHeader) as caught:
        parse_datagram(REGISTER.replace(b"Line: 1", line.encode()))
    assert caught.value.request is not None
    assert len(caught.value.request.via) == 1


def test_blanks_before_a_colon_hide_no_header():
    message = request(REGISTER.replace(b"Line: 1", b"Require \t: a\r\nX-Hdr : b"))
    assert message.require == ("a",)
    assert message.headers.get("x-hdr") == "b"


def test_lines_are_folded_with_blanks_and_tabs():
    message = request(REGISTER.replace(b"Line: 1", b"Require: a,\r\n\tb,\r\n   c\r\n \r\nX:\r\n y\r\n\tz"))
    assert message.require == ("a", "b", "c")
    assert message.headers.get("X") == "y z"


@pytest.mark.parametrize(
    ("line", "error", "can_be_answered"),
    [
        ("REGISTER sip:a SIP/3.0", UnsupportedVersion, True),
        ("REGISTER sip:a SIP/2.1", UnsupportedVersion, True),
        ("REGISTER sip:a SIP/02.0", UnsupportedVersion, True),
        ("REGISTER sip:a", BadStartLine, True),
        ("REGISTER", BadStartLine, True),
        ("REGISTER sip:a HTTP/1.1", BadStartLine, True),
        ("REGI(STER sip:a SIP/2.0", BadStartLine, True),
        ("REGISTER  SIP/2.0", BadStartLine, True),
        ("REGISTER sip:a sip:b SIP/2.0", MessageError, True),
        ("REGISTER a SIP/2.0", MessageError, True),
        ("OPTIONS sip:a SIP/2.0", BadHeader, True),
        ("register sip:a SIP/2.0", BadHeader, True),
        ("SIP/2.0 099 A", BadStartLine, False),
        ("SIP/2.0 700 A", BadStartLine, False),
        ("SIP/2.0 ٢٠٠ A", BadStartLine, False),
        ("SIP/2.0", BadStartLine, False),
        ("SIP/3.0 200 OK", UnsupportedVersion, False),
    ],
)
def test_a_first_line_that_is_none_is_refused_and_a_request_answered(line, error, can_be_answered):
    _, _, rest = REGISTER.partition(b"\r\n")
    with pytest.raises(error) as caught:
        parse_datagram(line.encode() + b"\r\n" + rest)
    assert (caught.value.request is not None) == can_be_answered


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\x00\x01\x00\x00!\x12\xa4B"]
)
def test_what_is_no_sip_is_answered_by_nothing(data):
    with pytest.raises(MessageError) as caught:
        parse_datagram(data)
    assert caught.value.request is None


def test_only_what_is_looked_at_is_read():
    message = request(REGISTER.replace(b"<sip:48223809887@192.168.1.20:5062>", b'"'))
    assert message.cseq.method == "REGISTER"
    with pytest.raises(BadHeader):
        _ = message.contact


def test_a_value_is_read_once():
    message = request(REGISTER)
    assert message.contact[0] is message.contact[0]
    assert message.authorization is message.authorization


def test_a_response_has_what_its_request_had():
    answer = request(REGISTER).response(401, to_tag="a6c85cf")
    answer.headers.add("WWW-Authenticate", 'Digest realm="a", nonce="b"')
    assert bytes(answer) == wire(
        """
SIP/2.0 401 Unauthorized
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bK1503467461;rport
From: "Recepcja" <sip:48223809887@pbx.example.com:5060>;tag=2042462017
To: "Recepcja" <sip:48223809887@pbx.example.com:5060>;tag=a6c85cf
Call-ID: 0_1434263473@192.168.1.20
CSeq: 2 REGISTER
WWW-Authenticate: Digest realm="a", nonce="b"
Content-Length: 0
"""
    )


@pytest.mark.parametrize("twice", ["From: <sip:a@b>;tag=c", "t: <sip:a@b>", "Call-ID: d", "CSeq: 9 INVITE"])
def test_what_a_request_has_twice_its_answer_has_once(twice):
    with pytest.raises(MessageError) as refused:
        parse_datagram(INVITE.replace(b"\r\n\r\n", b"\r\n" + twice.encode() + b"\r\n\r\n", 1))
    assert refused.value.request is not None
    answer = refused.value.request.response(400, to_tag="y")
    plain = request(INVITE).response(400, to_tag="y")
    for name in ("From", "Call-ID", "CSeq"):
        assert answer.headers.all(name) == plain.headers.all(name)
    assert len(answer.headers.all("To")) == 1
    assert len(answer.via) == len(plain.via)


def test_what_a_request_has_twice_its_answer_has_once_though_something_else_is_missing():
    without = INVITE.replace(b"\r\nt: <sip:101@pbx.example.com>", b"\r\nCSeq: 9 INVITE")
    with pytest.raises(MessageError) as refused:
        parse_datagram(without)
    assert refused.value.request is not None
    assert len(refused.value.request.response(400).headers.all("CSeq")) == 1


def test_a_response_keeps_a_tag_that_is_there_and_says_the_time_of_a_100():
    asked = request(INVITE.replace(b"t: <sip:101@pbx.example.com>", b"t: sip:101@pbx;tag=x\r\nTimestamp: 54"))
    assert asked.response(200, to_tag="y").to.tag == "x"
    assert asked.response(100).headers.get("Timestamp") == "54"
    assert asked.response(180).headers.get("Timestamp") is None
    assert [via.branch for via in asked.response(180).via] == ["z9hG4bKc", "z9hG4bKd"]


def test_a_tag_is_added_to_an_address_without_brackets_as_well():
    assert request(LINPHONE).response(200, to_tag="y").to.tag == "y"


def test_content_length_is_always_right():
    message = request(REGISTER)
    message.body = "żółw".encode()
    assert bytes(message).endswith(b"Content-Length: 7\r\n\r\n\xc5\xbc\xc3\xb3\xc5\x82w")
    assert request(bytes(message)) == message


def test_bytes_that_are_no_utf_8_go_out_as_they_came():
    data = REGISTER.replace(b"Recepcja", b"Recepcj\xb1")
    assert bytes(request(data)) == data


@pytest.mark.parametrize(
    "message",
    [
        Request("OPTIONS", "sip:a SIP/2.0\r\nVia: b"),
        Request("OPTIONS\n", "sip:a"),
        Response(400, "Bad\r\nVia: b"),
    ],
)
def test_a_first_line_never_becomes_two(message):
    with pytest.raises(ValueError, match="line end"):
        bytes(message)


def test_what_is_shown_of_a_message_holds_no_credentials():
    assert repr(request(REGISTER)) == "<Request 'REGISTER sip:pbx.example.com:5060 SIP/2.0'>"


def test_a_request_is_made_of_typed_values():
    made = Request("OPTIONS", SipUri("pbx.example.com", "101", parameters=SipUri("a").parameters))
    assert made.uri == SipUri("pbx.example.com", "101")
    made.uri = SipUri("b")
    assert made.start_line == "OPTIONS sip:b SIP/2.0"
    assert made.headers == Headers()


def test_a_response_is_read_with_any_reason_or_none():
    for line, reason in (
        ("SIP/2.0 200 OK", "OK"),
        ("SIP/2.0 200 ", ""),
        ("SIP/2.0 200", ""),
        ("sip/2.0 200 a b ", "a b "),
    ):
        read = response(REGISTER.replace(b"REGISTER sip:pbx.example.com:5060 SIP/2.0", line.encode()))
        assert (read.status, read.reason_phrase) == (200, reason)
