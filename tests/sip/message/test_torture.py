"""The messages of RFC 4475 and RFC 5118, each with what its RFC says of it."""

from __future__ import annotations

import pytest

from sip.message.address import NameAddress
from sip.message.errors import BadHeader, BadUri, MessageError
from sip.message.framing import Refused, StreamFramer
from sip.message.message import Request, Response
from sip.message.parameters import Parameters
from sip.message.parser import parse_datagram
from sip.message.uri import OtherUri, SipUri
from sip.message.values import CSeq
from tests.sip.message.messages import request, response, vector, verdicts

REFUSED = {
    # RFC 4475
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "insuf": 400,
    "multi01": 400,
    "mcl01": 400,
    "test": 400,
    # RFC 5118
    "ipv6-bad": 400,
    "ipv6-in-sdp": 400,
    "ipv6-bug-abnf-3-colons": 400,
}
"The requests that no server can take, and the status that says so; all others are read."
HALF = {
    *("badinv01", "insuf", "multi01", "scalar02", "badvers", "quotbal", "mismatch01", "mismatch02"),
    "ipv6-bug-abnf-3-colons",
}
"Those whose answer can't be read either, or names no tag, for it repeats what was wrong."
DROPPED = {"scalarlg", "bigcode"}
"Responses that can't be read: nobody is told (RFC 3261 §8.1.3.1 and RFC 4475 §3.1.2.5, §3.1.2.19)."

JUDGED = [(rfc, name) for rfc in ("rfc4475", "rfc5118") for name in verdicts(rfc)]
NAMES = [*JUDGED, ("rfc4475", "test")]


def statuses(verdict: dict[str, list[str]]) -> set[str]:
    return set(verdict["accept"])


@pytest.mark.parametrize(("rfc", "name"), NAMES, ids=[name for _, name in NAMES])
def test_each_message_gets_its_verdict(rfc, name):
    data = vector(rfc, name)
    if name in REFUSED:
        with pytest.raises(MessageError) as caught:
            parse_datagram(data)
        assert caught.value.status == REFUSED[name]
        assert (caught.value.request is not None) == (name != "test")
    elif name in DROPPED:
        with pytest.raises(MessageError) as caught:
            parse_datagram(data)
        assert caught.value.request is None
    else:
        assert parse_datagram(data) is not None


@pytest.mark.parametrize(("rfc", "name"), JUDGED, ids=[name for _, name in JUDGED])
def test_what_is_refused_here_may_be_refused_and_what_must_be_is(rfc, name):
    verdict = verdicts(rfc)[name]
    if name in REFUSED:
        assert {str(REFUSED[name]), f"{REFUSED[name] // 100}xx"} & statuses(verdict)
    elif name in DROPPED:
        assert verdict["kind"] == "response"
    else:
        assert statuses(verdict) - {"400", "4xx", "505"}


@pytest.mark.parametrize(("rfc", "name"), NAMES, ids=[name for _, name in NAMES])
def test_what_is_refused_can_be_answered_with_what_it_brought(rfc, name):
    try:
        message = parse_datagram(vector(rfc, name))
    except MessageError as error:
        message = error.request
    if not isinstance(message, Request):
        return
    answer = message.response(400, to_tag="a")
    assert answer.headers.all("Via") == message.headers.all("Via")
    for header in ("From", "Call-ID", "CSeq"):
        # What may stand once is answered once (multi01).
        assert answer.headers.all(header) == message.headers.all(header)[:1]
    if name not in HALF:
        again = response(bytes(answer))
        assert again.to.tag
        assert again.cseq == message.cseq


@pytest.mark.parametrize(("rfc", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_stream_of_five_byte_pieces_gives_what_the_datagram_does(rfc, name):
    data = vector(rfc, name)
    framer = StreamFramer()
    framed = [each for at in range(0, len(data), 5) for each in framer.feed(data[at : at + 5])]
    if name in {"clerr", "ipv6-in-sdp", "baddn"}:
        # It waits for the bytes that were announced, or a blank line; the transport's deadline ends that.
        assert framed == []
        assert framer.is_within_message
        refused = framer.end()
        assert refused is not None
        assert refused.error.status == 400
        assert refused.error.request is not None
    elif name in REFUSED or name in DROPPED:
        assert isinstance(framed[0], Refused)
        assert (framed[0].error.request is not None) == (name in REFUSED and name != "test")
    else:
        message = parse_datagram(data)
        if name == "inv2543":
            # Without Content-Length, what follows the head of a datagram is its body; on a stream it is not.
            assert isinstance(message, Request)
            message.body = b""
        assert framed[0] == message


def test_wsinv_reads_as_if_it_were_written_plainly():
    message = request(vector("rfc4475", "wsinv"))
    assert str(message.to) == "<sip:vivekg@chair-dnrc.example.com>;tag=1918181833n"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.max_forwards == 68
    assert message.cseq == CSeq(9, "INVITE")
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.subject is None
    assert [str(via) for via in message.via] == [
        "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
        "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
        "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
    ]
    (contact,) = message.contact
    assert contact.display_name == 'Quoted string ""'
    assert contact.q == 0.33
    assert contact.parameters.get("newparam") == "newvalue"
    assert len(message.body) == 150


def test_intmeth_keeps_a_method_and_names_of_any_token():
    message = request(vector("rfc4475", "intmeth"))
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert isinstance(message.uri, SipUri)
    assert message.uri.host == "example.com"
    assert message.to.display_name == "BEL:\a NUL:\0 DEL:\x7f"
    assert message.headers.get("extensionheader-!.%*+_`'~")


def test_esc01_and_esc02_unescape_nothing_that_would_mean_something_else():
    message = request(vector("rfc4475", "esc01"))
    assert isinstance(message.uri, SipUri)
    assert (message.uri.user, message.uri.host) == ("sips%3Auser%40example.com", "example.net")
    assert str(message.to.uri.address_of_record()) == "sip:user@example.com"
    message = request(vector("rfc4475", "esc02"))
    assert message.method == "RE%47IST%45R"
    assert [str(contact.uri) for contact in message.contact] == [
        "sip:alias1@host1.example.com",
        "sip:alias3@host3.example.com",
    ]


def test_escnull_has_two_contacts_that_differ():
    first, second = request(vector("rfc4475", "escnull")).contact
    assert first.uri.address_of_record() != second.uri.address_of_record()
    assert str(first.uri.address_of_record()) == "sip:%00@host5.example.com"


def test_dblreq_is_one_request_in_a_datagram_and_two_in_a_stream():
    data = vector("rfc4475", "dblreq")
    assert request(data).body == b""
    assert [each.method for each in StreamFramer().feed(data) if isinstance(each, Request)] == [
        "REGISTER",
        "INVITE",
    ]


def test_mpart01_is_framed_by_its_length_whatever_bytes_it_holds():
    message = request(vector("rfc4475", "mpart01"))
    assert len(message.body) == 553
    assert b"\0" in message.body


def test_longreq_has_all_its_vias():
    assert len(request(vector("rfc4475", "longreq")).via) == 34


def test_unreason_and_noreason_are_responses():
    assert "девяносто" in response(vector("rfc4475", "unreason")).reason_phrase
    assert response(vector("rfc4475", "noreason")).reason_phrase == ""


def test_regbadct_names_the_header_that_can_be_read_in_two_ways():
    message = request(vector("rfc4475", "regbadct"))
    with pytest.raises(BadHeader, match=r"^Contact: "):
        _ = message.contact


def test_regescrt_keeps_the_escaped_route_in_the_contact():
    (contact,) = request(vector("rfc4475", "regescrt")).contact
    assert str(contact.uri) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def test_cparam01_and_cparam02_tell_whose_a_parameter_is():
    (contact,) = request(vector("rfc4475", "cparam01")).contact
    assert (contact.uri.parameters, contact.parameters) == ((), (("unknownparam", None),))
    (contact,) = request(vector("rfc4475", "cparam02")).contact
    assert (contact.uri.parameters, contact.parameters) == ((("unknownparam", None),), ())


def test_escruri_never_becomes_a_header():
    message = request(vector("rfc4475", "escruri"))
    assert message.route == ()
    assert isinstance(message.uri, SipUri)
    assert str(message.uri.without_headers()) == "sip:user@example.com"


@pytest.mark.parametrize(("name", "scheme"), [("unkscm", "nobodyKnowsThisScheme"), ("novelsc", "soap.beep")])
def test_unkscm_and_novelsc_have_uris_that_are_kept_as_they_are(name, scheme):
    uri = request(vector("rfc4475", name)).uri
    assert isinstance(uri, OtherUri)
    assert uri.scheme == scheme


def test_baddate_is_a_message_whose_date_is_none():
    message = request(vector("rfc4475", "baddate"))
    with pytest.raises(BadHeader):
        _ = message.date


def test_baddn_and_badaspec_are_read_as_they_were_meant():
    assert request(vector("rfc4475", "baddn")).to == NameAddress(
        SipUri("example.org", "t.watson"), "Watson, Thomas"
    )
    assert str(request(vector("rfc4475", "badaspec")).to.uri) == "sip:t.watson@example.org"


def test_badbranch_and_inv2543_have_no_branch_to_match_by():
    assert not request(vector("rfc4475", "badbranch")).via[0].is_branch_unique
    message = request(vector("rfc4475", "inv2543"))
    assert not message.via[0].is_branch_unique
    assert message.from_.tag is None
    assert message.max_forwards is None
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")


def test_regaut01_brings_credentials_of_a_scheme_that_nobody_knows():
    (credentials,) = request(vector("rfc4475", "regaut01")).authorization
    assert credentials.scheme == "nooneknowsthisscheme"


def test_ipv6_addresses_end_where_their_brackets_do():
    ambiguous = request(vector("rfc5118", "port-ambiguous")).uri
    assert isinstance(ambiguous, SipUri)
    assert (ambiguous.host, ambiguous.port) == ("[2001:db8::10:5070]", None)
    plain = request(vector("rfc5118", "port-unambiguous")).uri
    assert isinstance(plain, SipUri)
    assert (plain.host, plain.port) == ("[2001:db8::10]", 5070)
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        assert request(vector("rfc5118", name)).via[0].received == "2001:db8::9:255"


def test_a_bad_request_uri_is_told_from_a_bad_header():
    with pytest.raises(BadUri):
        parse_datagram(vector("rfc5118", "ipv6-bad"))


def test_transports_takes_a_via_of_any_transport():
    assert [via.transport for via in request(vector("rfc4475", "transports")).via] == [
        "UDP",
        "SCTP",
        "TLS",
        "UNKNOWN",
        "TCP",
    ]


def test_bcast_is_a_response_for_somebody_else():
    message = response(vector("rfc4475", "bcast"))
    assert isinstance(message, Response)
    assert message.via[1].host == "255.255.255.255"


def test_semiuri_has_a_semicolon_in_its_user():
    uri = request(vector("rfc4475", "semiuri")).uri
    assert isinstance(uri, SipUri)
    assert (uri.user, uri.parameters) == ("user;par=u%40example.net", Parameters())
