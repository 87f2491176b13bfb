"""What a phone is sent when its files have changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sip.binding import Binding
from sip.checksync import Heard, check_sync, heard
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri, parse_uri
from sip.transport.flow import Address, Transport

SERVER, PHONE = Address("192.0.2.1", 5060), Address("192.0.2.7", 5062)
AOR = SipUri("pbx.example.com", "48223809887")


@dataclass(frozen=True)
class Way:
    """The far end of a network that isn't there."""

    transport: Transport = Transport.UDP
    local: Address = SERVER
    remote: Address = PHONE
    is_open: bool = True

    def send(self, data: bytes) -> bool:
        return False


def told(
    contact: str = "sip:48223809887@192.168.1.7:5062;line=1",
    path: tuple[str, ...] = (),
    way: Way | None = None,
    *,
    reboot: bool = False,
) -> Request:
    """What the phone reads, with the Via that the transaction adds."""
    request = check_sync(
        AOR,
        Binding(contact, "r1", 7, Transport.UDP, PHONE, SERVER, 0.0, 0.0, 3600.0, path=path),
        way or Way(),
        reboot=reboot,
        call_id="c1",
        tag="t1",
    )
    request.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1")
    read = parse_datagram(bytes(request))
    assert isinstance(read, Request)
    return read


def test_the_whole_notify_is_what_phones_expect():
    assert bytes(told()).decode().split("\r\n") == [
        "NOTIFY sip:48223809887@192.168.1.7:5062;line=1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
        "Max-Forwards: 70",
        "From: <sip:48223809887@pbx.example.com>;tag=t1",
        "To: <sip:48223809887@pbx.example.com>",
        "Call-ID: c1",
        "CSeq: 1 NOTIFY",
        "Contact: <sip:192.0.2.1:5060>",
        "Event: check-sync;reboot=false",
        "Subscription-State: terminated",
        "Content-Length: 0",
        "",
        "",
    ]


def test_only_who_asks_for_a_reboot_gets_one():
    assert str(told(reboot=True).event) == "check-sync;reboot=true"


def test_a_phone_behind_an_edge_proxy_is_told_by_way_of_it():
    through = told(path=("<sip:edge.example.com;lr>", "<sip:inner.example.com;lr>"))
    assert [str(hop.uri) for hop in through.route] == ["sip:edge.example.com;lr", "sip:inner.example.com;lr"]
    assert through.uri_text.startswith("sip:48223809887@192.168.1.7")


def test_headers_in_a_contact_never_get_into_the_request():
    assert told("sip:101@192.168.1.7?Event=dialog").uri == parse_uri("sip:101@192.168.1.7")


@pytest.mark.parametrize(
    ("way", "contact"),
    [
        (Way(Transport.TLS, Address("192.0.2.1", 5061)), "<sip:192.0.2.1:5061;transport=tls>"),
        (Way(local=Address("2001:db8::1", 5060)), "<sip:[2001:db8::1]:5060>"),
    ],
)
def test_the_phone_is_told_where_it_finds_us_on_its_flow(way: Way, contact: str):
    assert told(way=way).headers.get("Contact") == contact


@pytest.mark.parametrize("status", [481, 489, 405, 403, 400, 501, 603, 302])
def test_who_does_not_know_the_event_is_not_asked_again(status: int):
    # 603 is above 500 and final for everybody (§21.6.2), 302 sends us where no phone of ours is.
    assert heard(status) is Heard.REFUSED


@pytest.mark.parametrize("status", [None, 408, 480, 486, 491, 500, 503, 430])
def test_who_did_not_hear_is_told_again(status: int | None):
    assert heard(status) is Heard.UNHEARD


@pytest.mark.parametrize("status", [200, 202])
def test_who_says_so_has_heard(status: int):
    assert heard(status) is Heard.ACCEPTED
