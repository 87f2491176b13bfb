"""Dialogs (RFC 3261 §12), seen from both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.dialog import Dialog, DialogId, OutOfOrder, establishing
from sip.message.address import Contact, NameAddress
from sip.message.errors import BadHeader
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri, parse_uri
from tests.sip.message.messages import request, wire

HERE = Contact(parse_uri("sip:pbx@192.0.2.1:5060"))
LOOSE = "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>"


def asked(
    method: str = "INVITE",
    *lines: str,
    cseq: int = 7,
    contact: str = "<sip:101@192.168.1.20:5062>",
    to_tag: str = "",
) -> Request:
    """A peer's request."""
    more = [f"Contact: {contact}"] if contact else []
    return request(
        wire(
            f"""
{method} sip:600@pbx.example.com SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bKnashds8;rport
From: "Recepcja" <sip:101@pbx.example.com>;tag=theirs
To: <sip:600@pbx.example.com>{to_tag and ";tag=" + to_tag}
Call-ID: a84b4c76e66710
CSeq: {cseq} {method}
"""
            + "".join(f"{line}\n" for line in (*more, *lines))
        )
    )


def served(*lines: str, status: int = 200, method: str = "INVITE") -> Dialog:
    """A dialog whose server we are."""
    first = asked(method, *lines)
    return Dialog.as_server(first, establishing(first, status, "ours", HERE))


def invite(*lines: str) -> Request:
    """Our request, which a peer answers."""
    ours = Request("INVITE", "sip:102@pbx.example.com")
    ours.from_ = NameAddress.parse('"Biuro" <sip:600@pbx.example.com>;tag=ours')
    ours.to = NameAddress.parse("<sip:102@pbx.example.com>")
    ours.headers.add("Call-ID", "f81d4fae")
    ours.headers.add("CSeq", "3 INVITE")
    ours.contact = (HERE,)
    for line in lines:
        name, _, value = line.partition(": ")
        ours.headers.add(name, value)
    return ours


def answered(to: Request, status: int, *lines: str, tag: str | None = "theirs") -> Response:
    """A peer's response."""
    response = to.response(status, to_tag=tag)
    for line in lines:
        name, _, value = line.partition(": ")
        response.headers.add(name, value)
    return response


def called(*lines: str, status: int = 200) -> Dialog:
    """A dialog whose client we are."""
    ours = invite()
    return Dialog.as_client(ours, answered(ours, status, "Contact: <sip:102@192.168.1.21>", *lines))


def sent(message: Request) -> Request:
    """As the peer reads it, when it has its Via."""
    message.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKours")
    read = parse_datagram(bytes(message))
    assert isinstance(read, Request)
    return read


# How a dialog comes to be


def test_what_makes_a_dialog_says_where_we_are_and_repeats_the_proxies_between():
    response = establishing(asked("INVITE", f"Record-Route: {LOOSE}"), 180, "ours", HERE)
    assert response.to.tag == "ours"
    assert response.headers.all("Record-Route") == [LOOSE]
    assert response.contact == (HERE,)


def test_a_server_goes_the_way_back_that_the_request_came():
    dialog = served(f"Record-Route: {LOOSE}")
    assert dialog.id == DialogId("a84b4c76e66710", "ours", "theirs")
    assert [str(each.uri) for each in dialog.route] == ["sip:p1.example.com;lr", "sip:p2.example.com;lr"]
    assert str(dialog.target) == "sip:101@192.168.1.20:5062"
    assert not dialog.is_early


def test_a_client_goes_the_proxies_in_the_other_order():
    dialog = called(f"Record-Route: {LOOSE}")
    assert dialog.id == DialogId("f81d4fae", "ours", "theirs")
    assert [str(each.uri) for each in dialog.route] == ["sip:p2.example.com;lr", "sip:p1.example.com;lr"]
    assert str(dialog.target) == "sip:102@192.168.1.21"


@pytest.mark.parametrize("contact", ["", "<sip:a@b>, <sip:b@b>", "*"], ids=["none", "two", "star"])
def test_a_request_that_makes_a_dialog_says_at_which_one_place_its_peer_is(contact):
    first = asked("SUBSCRIBE", contact=contact)
    with pytest.raises(BadHeader) as caught:
        Dialog.as_server(first, establishing(first, 200, "ours", HERE))
    assert (caught.value.status, caught.value.name) == (400, "Contact")


def test_a_peer_that_leaves_contact_out_of_its_180_is_where_it_was_asked():
    ours = invite()
    dialog = Dialog.as_client(ours, answered(ours, 180))
    assert str(dialog.target) == "sip:102@pbx.example.com"


def test_each_branch_that_rings_makes_a_dialog():
    ours = invite()
    first, second = (Dialog.as_client(ours, answered(ours, 180, tag=tag)) for tag in ("a", "b"))
    assert first.id != second.id
    assert first.is_early


# From early to confirmed


def test_our_2xx_confirms():
    dialog = served(status=180)
    assert dialog.is_early
    dialog.confirm()
    assert not dialog.is_early


def test_a_2xx_confirms_and_says_the_way_anew():
    ours = invite()
    ringing = answered(ours, 180, "Contact: <sip:a@192.0.2.5>", f"Record-Route: {LOOSE}")
    dialog = Dialog.as_client(ours, ringing)
    final = answered(ours, 200, "Contact: <sip:b@192.0.2.6>", "Record-Route: <sip:p3.example.com;lr>")
    dialog.receive_response(final)
    assert not dialog.is_early
    assert str(dialog.target) == "sip:b@192.0.2.6"
    assert [str(each.uri) for each in dialog.route] == ["sip:p3.example.com;lr"]


@pytest.mark.parametrize(
    ("method", "status"), [("PRACK", 200), ("UPDATE", 200), ("INVITE", 183), ("INVITE", 486)]
)
def test_nothing_else_confirms(method, status):
    ours = invite()
    dialog = Dialog.as_client(ours, answered(ours, 180, f"Record-Route: {LOOSE}"))
    dialog.receive_response(answered(ours if method == "INVITE" else dialog.request(method), status))
    assert dialog.is_early
    assert len(dialog.route) == 2


# Requests to the peer


def test_a_request_to_the_peer_has_the_dialog_in_it():
    message = sent(called().request("BYE"))
    assert message.start_line == "BYE sip:102@192.168.1.21 SIP/2.0"
    assert message.headers.all("From") == ['"Biuro" <sip:600@pbx.example.com>;tag=ours']
    assert message.headers.all("To") == ["<sip:102@pbx.example.com>;tag=theirs"]
    assert message.call_id == "f81d4fae"
    assert str(message.cseq) == "4 BYE"
    assert message.max_forwards == 70
    assert message.route == ()


def test_a_server_asks_with_the_addresses_turned_round_and_numbers_of_its_own():
    dialog = served(method="SUBSCRIBE")
    messages = [sent(dialog.request("NOTIFY")) for _ in range(2)]
    assert [str(each.cseq) for each in messages] == ["1 NOTIFY", "2 NOTIFY"]
    assert messages[0].headers.all("From") == ["<sip:600@pbx.example.com>;tag=ours"]
    assert messages[0].headers.all("To") == ['"Recepcja" <sip:101@pbx.example.com>;tag=theirs']


def test_loose_routers_leave_the_first_line_to_the_peer():
    dialog = served(f"Record-Route: {LOOSE}")
    message = sent(dialog.request("BYE"))
    assert message.uri_text == "sip:101@192.168.1.20:5062"
    assert [str(each) for each in message.route] == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    assert str(dialog.next_hop) == "sip:p1.example.com;lr"


def test_a_strict_router_finds_itself_in_the_first_line_and_the_peer_at_the_end_of_the_route():
    dialog = served("Record-Route: <sip:p1.example.com>, <sip:p2.example.com;lr>")
    message = sent(dialog.request("BYE"))
    assert message.uri_text == "sip:p1.example.com"
    assert [str(each) for each in message.route] == ["<sip:p2.example.com;lr>", "<sip:101@192.168.1.20:5062>"]
    assert str(dialog.next_hop) == "sip:p1.example.com"


def test_a_strict_router_further_on_changes_nothing():
    message = sent(served("Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com>").request("BYE"))
    assert message.uri_text == "sip:101@192.168.1.20:5062"


def test_without_proxies_the_next_hop_is_the_peer():
    dialog = served()
    assert dialog.next_hop == dialog.target


def test_headers_of_a_contact_don_t_get_into_the_first_line():
    dialog = served()
    dialog.receive(asked("INVITE", cseq=8, contact="<sip:101@192.0.2.5?Subject=x>"))
    assert dialog.request("BYE").uri_text == "sip:101@192.0.2.5"


def test_the_ack_of_a_2xx_has_the_number_and_the_credentials_of_its_invite():
    ours = invite('Proxy-Authorization: Digest username="600", realm="r"')
    dialog = Dialog.as_client(ours, answered(ours, 200, "Contact: <sip:102@192.168.1.21>"))
    dialog.request("INFO")
    ack = sent(dialog.ack(ours))
    assert ack.start_line == "ACK sip:102@192.168.1.21 SIP/2.0"
    assert str(ack.cseq) == "3 ACK"
    assert ack.headers.all("Proxy-Authorization") == ours.headers.all("Proxy-Authorization")
    assert str(dialog.request("BYE").cseq) == "5 BYE"


# Requests of the peer


def test_what_was_overtaken_is_refused_with_500_and_changes_nothing():
    dialog = served()
    dialog.receive(asked("INFO", cseq=9))
    with pytest.raises(OutOfOrder) as caught:
        dialog.receive(asked("INVITE", cseq=8, contact="<sip:x@203.0.113.1>"))
    assert caught.value.status == 500
    assert str(dialog.target) == "sip:101@192.168.1.20:5062"


def test_numbers_may_leave_gaps():
    dialog = served()
    dialog.receive(asked("INFO", cseq=8))
    dialog.receive(asked("INFO", cseq=800))


def test_a_peer_that_was_called_begins_its_numbers_anywhere():
    dialog = called()
    dialog.receive(asked("INFO", cseq=0))
    dialog.receive(asked("INFO", cseq=5))
    with pytest.raises(OutOfOrder):
        dialog.receive(asked("INFO", cseq=4))


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"])
def test_a_peer_says_where_it_is_now(method):
    dialog = served()
    dialog.receive(asked(method, cseq=8, contact="<sip:101@203.0.113.5:1024>"))
    assert dialog.request("BYE").uri_text == "sip:101@203.0.113.5:1024"
    dialog.receive(asked(method, cseq=9, contact=""))
    assert dialog.request("BYE").uri_text == "sip:101@203.0.113.5:1024"


@pytest.mark.parametrize("method", ["INFO", "BYE", "OPTIONS", "PRACK"])
def test_other_requests_say_nothing_of_the_place(method):
    dialog = served()
    dialog.receive(asked(method, cseq=8, contact="<sip:101@203.0.113.5:1024>"))
    assert str(dialog.target) == "sip:101@192.168.1.20:5062"


@pytest.mark.parametrize(
    ("method", "status", "moves"),
    [
        ("INVITE", 200, True),
        ("UPDATE", 200, True),
        ("UPDATE", 500, False),
        ("INFO", 200, False),
        ("INVITE", 183, False),
    ],
)
def test_an_answer_to_what_may_move_the_peer_says_where_it_is_now(method, status, moves):
    dialog = called()
    dialog.receive_response(answered(dialog.request(method), status, "Contact: <sip:x@203.0.113.5>"))
    assert (dialog.request("BYE").uri_text == "sip:x@203.0.113.5") == moves


def test_a_refresh_leaves_the_proxies_as_they_are():
    dialog = called(f"Record-Route: {LOOSE}")
    dialog.receive_response(answered(dialog.request("INVITE"), 200, "Record-Route: <sip:p9.example.com;lr>"))
    assert len(dialog.route) == 2


# Which dialog a message belongs to


def test_a_request_and_a_response_find_their_dialog():
    dialog = served()
    assert DialogId.of_request(asked("BYE", to_tag="ours")) == dialog.id
    assert DialogId.of_response(answered(dialog.request("BYE"), 200)) == dialog.id


def test_without_tags_a_peer_of_rfc_2543_is_found_by_call_id_and_our_tag():
    first = asked()
    first.from_ = NameAddress.parse("<sip:101@pbx.example.com>")
    dialog = Dialog.as_server(first, establishing(first, 200, "ours", HERE))
    assert dialog.id == DialogId("a84b4c76e66710", "ours", "")
    bye = asked("BYE", to_tag="ours", cseq=8)
    bye.from_ = first.from_
    assert DialogId.of_request(bye) == dialog.id
    assert dialog.request("BYE").to.tag is None


def test_a_dialog_within_ourselves_has_two_sides():
    first = asked()
    response = establishing(first, 200, "ours", HERE)
    server, client = Dialog.as_server(first, response), Dialog.as_client(first, response)
    assert client.id == DialogId(server.id.call_id, server.id.remote_tag, server.id.local_tag)


@given(
    st.lists(st.sampled_from(["INVITE", "INFO", "UPDATE", "BYE"]), max_size=5),
    st.lists(st.tuples(st.sampled_from(["p1", "p2", "p3"]), st.booleans()), max_size=4),
)
def test_what_one_side_sends_the_other_knows_and_takes_in_order(methods, proxies):
    record_route = ", ".join(f"<sip:{host}.example.com{';lr' if loose else ''}>" for host, loose in proxies)
    first = asked("INVITE", *([f"Record-Route: {record_route}"] if record_route else []))
    response = establishing(first, 200, "ours", HERE)
    sides = Dialog.as_server(first, response), Dialog.as_client(first, response)
    assert sides[0].route == sides[1].route[::-1]
    for side, other in (sides, sides[::-1]):
        for method in methods:
            message = side.request(method)
            assert DialogId.of_request(message) == other.id
            other.receive(message)
            assert isinstance(message.uri, SipUri)
            # The way and its end are all there, whoever reads them.
            way = [str(message.uri), *(str(each.uri) for each in message.route)]
            assert sorted(way) == sorted([str(side.target), *(str(each.uri) for each in side.route)])
