"""Phones that look for a server, as one was captured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.message.errors import MessageError
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.pnp import Asking, Identifiers, Turns, answer, asking
from sip.transport.flow import Address

URL = "http://192.168.1.2:8081/"
PHONE, SERVER = Address("192.168.1.7", 5059), Address("192.168.1.2", 5060)
W52P = """SUBSCRIBE sip:MAC001565f4f9e1@224.0.1.75 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.7:5059;branch=z9hG4bK1612
From: <sip:MAC001565f4f9e1@224.0.1.75>;tag=1609
To: <sip:MAC001565f4f9e1@224.0.1.75>
Call-ID: 1608@192.168.1.7
CSeq: 1 SUBSCRIBE
Contact: <sip:MAC001565f4f9e1@192.168.1.7:5059>
Max-Forwards: 70
Expires: 0
Event: ua-profile;profile-type="device";vendor="yealink";model="W52P";version="25.81.0.10"
Accept: application/url
Content-Length: 0

"""


def read(text: str) -> Request:
    request = parse_datagram(text.replace("\n", "\r\n").encode())
    assert isinstance(request, Request)
    return request


def answered(text: str = W52P, source: Address = PHONE) -> tuple[Response, Request]:
    """The two messages as the phone reads them."""
    ok, notify = (
        parse_datagram(each.data) for each in answer(read(text), URL, source, SERVER, Identifiers("t", "b"))
    )
    assert isinstance(ok, Response)
    assert isinstance(notify, Request)
    return ok, notify


def test_a_phone_says_what_it_is():
    assert asking(read(W52P)) == Asking("001565f4f9e1", "yealink", "W52P", "25.81.0.10")


@pytest.mark.parametrize("user", ["MAC%3a001565f4f9e1", "MAC%3A001565F4F9E1", "mac001565F4f9e1"])
def test_the_mac_is_read_in_both_spellings_and_any_case(user: str):
    found = asking(read(W52P.replace("sip:MAC001565f4f9e1@224", f"sip:{user}@224", 1)))
    assert found is not None
    assert found.mac == "001565f4f9e1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SUBSCRIBE", "PUBLISH"),
        ("Event: ua-profile", "Event: dialog"),
        ("Event: ua-profile", "X-Event: ua-profile"),
        ("Event: ua-profile", "Event: ,"),
        ("sip:MAC001565f4f9e1@224.0.1.75 SIP", "sip:MAC001565f4f9@224.0.1.75 SIP"),
        ("sip:MAC001565f4f9e1@224.0.1.75 SIP", "sip:001565f4f9e1@224.0.1.75 SIP"),
        ("sip:MAC001565f4f9e1@224.0.1.75 SIP", "sip:224.0.1.75 SIP"),
        ("sip:MAC001565f4f9e1@224.0.1.75 SIP", "tel:001565 SIP"),
    ],
)
def test_whoever_wants_something_else_is_not_a_phone_that_looks_for_a_server(old: str, new: str):
    assert asking(read(W52P.replace(old, new))) is None


def test_what_a_phone_leaves_out_is_empty():
    event = 'Event: ua-profile;profile-type="device";vendor="yealink";model="W52P";version="25.81.0.10"'
    assert asking(read(W52P.replace(event, "Event: ua-profile"))) == Asking("001565f4f9e1", "", "", "")


def test_the_200_comes_back_in_the_same_dialog():
    ok, _ = answered()
    assert (ok.status, ok.call_id, str(ok.cseq)) == (200, "1608@192.168.1.7", "1 SUBSCRIBE")
    assert (ok.from_.tag, ok.to.tag, ok.expires_s) == ("1609", "t", 0)


def test_the_notify_has_from_and_to_swapped_and_the_url_alone():
    _, notify = answered()
    assert bytes(notify).decode().split("\r\n") == [
        "NOTIFY sip:MAC001565f4f9e1@192.168.1.7:5059 SIP/2.0",
        "Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bKb",
        "Max-Forwards: 70",
        "From: <sip:MAC001565f4f9e1@224.0.1.75>;tag=t",
        "To: <sip:MAC001565f4f9e1@224.0.1.75>;tag=1609",
        "Call-ID: 1608@192.168.1.7",
        "CSeq: 1 NOTIFY",
        "Contact: <sip:192.168.1.2:5060>",
        "Event: ua-profile",
        "Subscription-State: terminated;reason=timeout",
        "Content-Type: application/url",
        f"Content-Length: {len(URL)}",
        "",
        URL,
    ]


def targets(text: str, source: Address = PHONE) -> list[Address]:
    return [each.to for each in answer(read(text), URL, source, SERVER, Identifiers("t", "b"))]


def test_answers_go_to_the_ports_of_via_and_contact():
    assert targets(W52P, Address("192.168.1.7", 40000)) == [PHONE, PHONE]
    asks_rport = W52P.replace("branch=", "rport;branch=")
    assert targets(asks_rport, Address("192.168.1.7", 40000)) == [Address("192.168.1.7", 40000), PHONE]
    assert targets(W52P.replace("192.168.1.7:5059", "192.168.1.7")) == [Address("192.168.1.7", 5060)] * 2


def test_nobody_but_the_source_is_ever_sent_anything():
    forged = W52P.replace("192.168.1.7:5059", "203.0.113.9:80")
    assert {each.host for each in targets(forged)} == {"192.168.1.7"}
    ok, _ = answered(forged)
    assert ok.via[0].received == "192.168.1.7"


def test_a_phone_without_a_contact_is_told_where_it_is():
    _, notify = answered(W52P.replace("Contact:", "X-Contact:"))
    assert notify.uri_text == "sip:192.168.1.7:5059"


def test_a_request_that_no_answer_fits_says_so():
    with pytest.raises(MessageError):
        targets(W52P.replace("192.168.1.7:5059;branch", "192.168.1.7:99999;branch"))


def test_a_source_is_heard_once_in_five_seconds():
    turns = Turns()
    assert turns.take("a", 10.0)
    assert not turns.take("a", 14.9)
    assert turns.take("b", 14.9)
    assert turns.take("a", 15.0)


def test_while_too_many_have_had_their_turn_nobody_else_is_heard():
    turns = Turns(most_sources=2)
    assert [turns.take(source, 0.0) for source in "abc"] == [True, True, False]
    assert turns.take("c", 5.0)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 3)), max_size=60))
def test_no_source_is_heard_twice_within_its_pause_whatever_the_others_do(asked: list[tuple[str, float]]):
    turns, now, heard = Turns(most_sources=3), 0.0, dict[str, float]()
    for source, later in asked:
        now += later
        if turns.take(source, now):
            assert now - heard.get(source, -5.0) >= 5.0
            heard[source] = now
