"""URIs: what is one, what it says, and which mean the same."""

from __future__ import annotations

import pytest
from hypothesis import given

from sip.message.errors import BadUri
from sip.message.uri import OtherUri, SipUri, TelUri, equivalent, escape_user, parse_uri, unescape
from tests.sip.message.strategies import SIP_URIS, TEXTS, URIS


def sip_uri(text: str) -> SipUri:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    return uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
    ],
)
def test_the_examples_of_the_rfc_are_written_as_they_are_read(text):
    assert str(parse_uri(text)) == text


def test_a_uri_is_taken_apart_as_its_grammar_says():
    uri = sip_uri("SIPS:48223809887:a:b@[2001:db8::1]:5061;Transport=TLS;lr?Route=%3Csip:a%3E&b=")
    assert (uri.scheme, uri.user, uri.password) == ("sips", "48223809887", "a:b")
    assert (uri.host, uri.port) == ("[2001:db8::1]", 5061)
    assert (uri.transport, uri.is_loose_router, uri.is_secure) == ("tls", True, True)
    assert uri.headers == (("Route", "%3Csip:a%3E"), ("b", ""))
    assert uri.without_headers().headers == ()


@pytest.mark.parametrize(
    "host", ["pbx1", "hlau_4100", "example.com.", "-a-", "192.0.2.1", "[::ffff:192.0.2.1]"]
)
def test_hosts_are_taken_as_people_name_them(host):
    assert sip_uri(f"sip:1@{host}:5060;ob").host == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "sip:@b",
        "sip:a@",
        ":a@b",
        "1sip:a@b",
        "sip:a@b:",
        "sip:a@b:65536",
        "sip:a@b:5060a",
        "sip:a@b:-1",
        "sip:a@2001:db8::1",
        "sip:a@[2001:db8:::1]",
        "sip:a@[::1",
        "sip:a@[]",
        "sip:a b@c",
        "sip:a@b c",
        "sip:a@b\t",
        "sip:a\0@b",
        "sip:a@b>",
        'sip:"a"@b',
        "sip:a@b@c",
        "sip:a@b,c",
        "sip:a@żółw.pl",
        "sip:a@b:٥٠٦٠",
        "tel:",
        "tel:;a=b",
        "tel:1 2",
        "http:",
        "sip:a" + ";b" * 65,
        "*",
    ],
)
def test_what_breaks_the_grammar_is_refused(text):
    with pytest.raises(BadUri):
        parse_uri(text)


SAME = [
    # RFC 3261 §19.1.4
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0:0::1]"),
    ("sip:a%2fb@c", "sip:a%2Fb@c"),
    # RFC 3966 §5
    ("tel:+1-201-555-0123", "tel:+1(201)555.0123"),
    ("tel:863-1234;phone-context=+1-914-555", "TEL:8631234;Phone-Context=+1-914-555"),
    ("urn:a", "URN:a"),
]
OTHER = [
    # RFC 3261 §19.1.4
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"),
    ("sip:a@b", "sips:a@b"),
    ("sip:a@b", "sip:a:c@b"),
    ("sip:a@b", "sip:b"),
    ("sip:a@b", "sip:a@b;user=phone"),
    ("sip:a@b", "sip:a@b;maddr=c"),
    # A reserved character and its escape are two things.
    ("sip:a%2Fb@c", "sip:a/b@c"),
    ("sip:null-%00-null@c", "sip:null-@c"),
    ("tel:+12", "tel:12"),
    ("tel:12;phone-context=a", "tel:12"),
    ("tel:12", "sip:12@a"),
    ("urn:a", "urn:A"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_uris_that_mean_the_same(one, other):
    assert equivalent(parse_uri(one), parse_uri(other))
    assert equivalent(parse_uri(other), parse_uri(one))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_uris_that_mean_something_else(one, other):
    assert not equivalent(parse_uri(one), parse_uri(other))
    assert not equivalent(parse_uri(other), parse_uri(one))


def test_what_is_ignored_makes_two_uris_equivalent_to_one_but_not_to_each_other():
    off, on = parse_uri("sip:carol@chicago.com;security=off"), parse_uri("sip:carol@chicago.com;security=on")
    assert equivalent(parse_uri("sip:carol@chicago.com"), on)
    assert equivalent(parse_uri("sip:carol@chicago.com"), off)
    assert not equivalent(off, on)


@given(URIS)
def test_every_uri_is_equivalent_to_itself(uri):
    assert equivalent(uri, uri)


@pytest.mark.parametrize(
    ("text", "aor"),
    [
        ("sip:48223809887@PBX.example.com;user=phone;transport=tcp?a=b", "sip:48223809887@pbx.example.com"),
        ("sip:%34%38@pbx", "sip:48@pbx"),
        ("sip:a:secret@b:5070", "sip:a@b:5070"),
        ("sip:a%40b@c", "sip:a%40b@c"),
        ("sip:%00@b", "sip:%00@b"),
        ("sip:a%2Fb@c", "sip:a/b@c"),
        ("sip:%c5%bc@b", "sip:%C5%BC@b"),
        ("sip:ż@b", "sip:%C5%BC@b"),
        ("sip:a%2540@b", "sip:a%2540@b"),
        ("sip:[2001:DB8:0::1]", "sip:[2001:db8::1]"),
    ],
)
def test_an_aor_has_one_spelling(text, aor):
    assert str(sip_uri(text).address_of_record()) == aor


@given(SIP_URIS)
def test_the_aor_of_an_aor_is_itself(uri):
    aor = uri.address_of_record()
    assert sip_uri(str(aor)).address_of_record() == aor
    assert hash(aor) == hash(uri.address_of_record())


@given(TEXTS.filter(bool))
def test_any_name_can_be_a_user(name):
    uri = sip_uri(f"sip:{escape_user(name)}@a")
    assert uri.user is not None
    assert unescape(uri.user) == name


def test_schemes_other_than_sip_are_kept():
    assert parse_uri("tel:+48-22-380;a=b") == TelUri("+48-22-380", parse_uri("sip:a;a=b").parameters)
    assert parse_uri("Soap.Beep://192.0.2.103:3002") == OtherUri("Soap.Beep", "//192.0.2.103:3002")
