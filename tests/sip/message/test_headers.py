"""Headers, as phones write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sip.message.errors import BadHeader
from sip.message.headers import Headers
from sip.message.message import Message, Request
from sip.message.via import Via


def message(*lines: str) -> Message:
    fields = [line.partition(":") for line in lines]
    return Request("OPTIONS", "sip:a", Headers((name, value) for name, _, value in fields))


def test_compact_names_are_the_long_ones():
    read = message(
        "v: SIP/2.0/UDP a",
        "f: <sip:a@b>",
        "T: <sip:b@c>",
        "i: 1@a",
        "m: <sip:a@c>",
        "k: path,gruu",
        "s: Hello",
        "c: text/plain",
        "o: reg",
        "r: <sip:d@e>",
        "b: <sip:f@g>",
        "x: 90",
        "u: talk",
    )
    assert [str(read.via[0]), str(read.from_), str(read.to)] == ["SIP/2.0/UDP a", "<sip:a@b>", "<sip:b@c>"]
    assert (read.call_id, read.supported, read.subject) == ("1@a", ("path", "gruu"), "Hello")
    assert str(read.contact[0]) == "<sip:a@c>"
    assert read.content_type is not None
    assert read.content_type.essence == "text/plain"
    assert [str(each) for each in (read.event, read.refer_to, read.referred_by, read.session_expires)] == [
        "reg", "<sip:d@e>", "<sip:f@g>", "90",
    ]  # fmt: skip
    assert read.allow_events == ("talk",)


@pytest.mark.parametrize(
    ("value", "contacts"),
    [
        ("<sip:1@a>", ["<sip:1@a>"]),
        ("sip:1@a;expires=60", ["<sip:1@a>;expires=60"]),
        ("<sip:1@a;expires=60>", ["<sip:1@a;expires=60>"]),
        ('"Kowalski, Jan" <sip:1@a>, sip:2@b', ['"Kowalski, Jan" <sip:1@a>', "<sip:2@b>"]),
        ('"a \\" <sip:x@y>, " <sip:1@a>;q=0.5', ['"a \\" <sip:x@y>, " <sip:1@a>;q=0.5']),
        ("<sip:a,b@c>,<sip:d@e>", ["<sip:a,b@c>", "<sip:d@e>"]),
        ("Jan Kowalski <sip:1@a>", ['"Jan Kowalski" <sip:1@a>']),
        ("Żółw<sip:1@a>", ['"Żółw" <sip:1@a>']),
        (", <sip:1@a>,, ,<sip:2@b>,", ["<sip:1@a>", "<sip:2@b>"]),
        ("<sip:1@a> ; expires = 60 ;; q=1", ["<sip:1@a>;expires=60;q=1"]),
        ("", []),
    ],
)
def test_contacts_are_taken_apart_where_one_ends(value, contacts):
    assert [str(contact) for contact in message(f"Contact:{value}").contact] == contacts


@pytest.mark.parametrize(
    "value",
    [
        '"open <sip:1@a>', "<sip:1@a", "sip:1@a>", "sip:1@a?b=c", "<sip:1@a>x", '"a" sip:1@a', "Jan sip:1@a",
        "1@a", "<>", '"a"', "<sip:1@a>;=b", "<sip:1@a>;a b", "<sip:1@a>, *", '"', "<",
    ],
)  # fmt: skip
def test_contacts_that_could_be_read_in_two_ways_are_refused(value):
    with pytest.raises(BadHeader, match=r"^Contact: "):
        _ = message(f"Contact: {value}").contact


def test_a_star_stands_alone():
    assert message("Contact: *").is_contact_star
    assert message("m:*").contact == ()
    assert not message("Contact: <sip:*@a>").is_contact_star
    assert not message().is_contact_star
    for lines in (("Contact: *", "Contact: <sip:a@b>"), ("Contact: *", "Contact: *"), ("Contact: *, *",)):
        with pytest.raises(BadHeader):
            _ = message(*lines).contact


def test_a_contact_says_what_a_registrar_asks():
    (contact,) = message(
        'Contact: <sip:1@a;ob>;Q=0.7;Expires="120";+sip.instance="<urn:uuid:0-1>";reg-id=1'
    ).contact
    assert (contact.q, contact.expires_s, contact.instance, contact.reg_id) == (0.7, 120, "<urn:uuid:0-1>", 1)
    (contact,) = message("Contact: <sip:1@a>;q=2;expires=soon").contact
    assert (contact.q, contact.expires_s, contact.instance, contact.reg_id) == (None, 3600, None, None)
    (contact,) = message("Contact: <sip:1@a>;expires=99999999999999999999;reg-id=x").contact
    assert contact.expires_s == 2**32 - 1
    with pytest.raises(BadHeader):
        _ = contact.reg_id


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport",
        "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKa;received=2001:db8::2",
        "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKa;alias",
        "SIP/2.0/UDP pbx_1",
    ],
)
def test_vias_are_written_as_they_are_read(text):
    assert str(Via.parse(text)) == text


def test_vias_are_joined_by_commas_spaced_out_and_apart():
    read = message(
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1 , SIP / 2.0 / TCP\tb : 5070 ; rport", "v: SIP/2.0/SCTP [::1]"
    )
    assert [str(via) for via in read.via] == [
        "SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/2.0/TCP b:5070;rport", "SIP/2.0/SCTP [::1]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP",
        "SIP/2.0 a",
        "HTTP/2.0/UDP a",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a:b",
        "SIP/2.0/UDP ::1",
        "a",
        ";",
    ],
)
def test_a_via_without_protocol_or_host_is_refused(text):
    with pytest.raises(BadHeader, match=r"^Via: "):
        _ = message(f"Via: {text}").via


@pytest.mark.parametrize(
    ("via", "received"),
    [
        ("a;rport;branch=b", "a;rport=1024;branch=b;received=192.0.2.9"),
        ("192.0.2.9;rport", "192.0.2.9;rport=1024;received=192.0.2.9"),
        ("192.0.2.9:5060;branch=b", "192.0.2.9:5060;branch=b"),
        ("a;branch=b", "a;branch=b;received=192.0.2.9"),
        # What a stranger says about itself counts for nothing.
        ("a;received=1.2.3.4;rport=1", "a;received=192.0.2.9;rport=1024"),
        ("192.0.2.9;received=1.2.3.4", "192.0.2.9"),
    ],
)
def test_where_a_request_came_from_is_kept_in_its_via(via, received):
    assert str(Via.parse(f"SIP/2.0/UDP {via}").received_from("192.0.2.9", 1024)) == f"SIP/2.0/UDP {received}"


def test_only_the_cookie_with_something_after_it_makes_a_branch_unique():
    for branch, is_unique in (
        (";branch=z9hG4bK1", True),
        (";branch=z9hG4bK", False),
        (";branch=1", False),
        ("", False),
    ):
        assert Via.parse(f"SIP/2.0/UDP a{branch}").is_branch_unique == is_unique


def test_an_empty_header_says_nothing():
    read = message("Supported:", "Allow: ", "Expires:", "Subject:", "Content-Type:", "Route:", "Event:")
    assert (read.supported, read.allow, read.route) == ((), (), ())
    assert (read.expires_s, read.subject, read.content_type, read.event) == (None, None, None, None)


@pytest.mark.parametrize("line", ["Expires: 60", "Max-Forwards: 70", "Content-Type: a/b", "Event: reg"])
def test_what_stands_twice_could_be_read_in_two_ways(line):
    read = message(line, line)
    name = {"E": "expires_s", "M": "max_forwards", "C": "content_type"}.get(line[0], "")
    with pytest.raises(BadHeader, match="more often than once"):
        getattr(read, "event" if line.startswith("Event") else name)


@pytest.mark.parametrize(
    ("line", "attribute"),
    [
        ("CSeq: 4294967296 A", "cseq"),
        ("CSeq: 1", "cseq"),
        ("CSeq: A", "cseq"),
        ("CSeq: 1 A B", "cseq"),
        ("CSeq: -1 A", "cseq"),
        ("CSeq: 1_0 A", "cseq"),
        ("CSeq: ١ A", "cseq"),
        ("Call-ID: a b", "call_id"),
        ("Call-ID:", "call_id"),
        ("Max-Forwards: 256", "max_forwards"),
        ("Max-Forwards: x", "max_forwards"),
        ("Min-Expires: x", "min_expires_s"),
        ("Supported: a b", "supported"),
        ("Content-Type: text", "content_type"),
        ("Content-Type: ;a=b", "content_type"),
        ("Event: ;id=1", "event"),
        ("Replaces: 1;to-tag=a", "replaces"),
        ("RAck: 1 2", "rack"),
        ("RSeq: -1", "rseq"),
        ("Session-Expires: soon", "session_expires"),
        ("Retry-After: soon", "retry_after"),
        ("Warning: 1 a b", "warning"),
        ('Warning: 399 a "b" c', "warning"),
        ("Date: Fri, 01 Jan 2010 16:00:00 EST", "date"),
        ("Date: Fri, 31 Feb 2010 16:00:00 GMT", "date"),
        ("Authorization: a=b", "authorization"),
        ("Reason: ;cause=1", "reason"),
    ],
)
def test_values_that_mean_nothing_are_refused_by_name(line, attribute):
    with pytest.raises(BadHeader) as caught:
        getattr(message(line), attribute)
    assert caught.value.name.lower() == line.partition(":")[0].lower()


def test_values_of_the_extensions_say_what_they_hold():
    read = message(
        "Event: dialog;id=7",
        "Subscription-State: terminated;reason=timeout;expires=0;retry-after=5",
        'Reason: SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16',
        "Replaces: 98asjd8@a;to-tag=1;from-tag=2;early-only",
        "RAck: 776656 1 INVITE",
        "Min-SE: 90",
        "Session-Expires: 1800;Refresher=UAC",
        "Retry-After: 18000 (in a meeting);duration=3600",
        'Warning: 370 devnull "Choose, a bigger pipe", 399 a "b"',
        "Date: Sat, 13 Nov 2010 23:29:00 GMT",
        "Privacy: ID; header",
        "Accept: application/sdp;level=1, text/*;q=0.5, */*",
        "Diversion: <sip:1@a>;reason=unconditional;counter=1,<sip:2@a>",
        'P-Asserted-Identity: "A, B" <sip:1@a>, <tel:+48223809887>',
        'Alert-Info: <http://www.example.com/sounds/moo.wav>;info=a;x="b"',
    )
    assert read.event is not None
    assert (read.event.package, read.event.id) == ("dialog", "7")
    assert read.subscription_state is not None
    state = read.subscription_state
    assert (state.state, state.reason, state.expires_s) == ("terminated", "timeout", 0)
    assert [(each.protocol, each.cause, each.text) for each in read.reason] == [
        ("SIP", 200, "Call completed elsewhere"),
        ("Q.850", 16, None),
    ]
    assert read.replaces is not None
    assert (read.replaces.to_tag, read.replaces.from_tag, read.replaces.is_early_only) == ("1", "2", True)
    assert str(read.rack) == "776656 1 INVITE"
    assert read.min_se is not None
    assert read.session_expires is not None
    assert (read.min_se.interval_s, read.session_expires.refresher) == (90, "uac")
    assert read.retry_after is not None
    assert (read.retry_after.after_s, read.retry_after.comment) == (18000, "in a meeting")
    assert [each.text for each in read.warning] == ["Choose, a bigger pipe", "b"]
    assert read.date == datetime(2010, 11, 13, 23, 29, tzinfo=UTC)
    assert read.privacy == ("id", "header")
    assert [each.essence for each in read.accept] == ["application/sdp", "text/*", "*/*"]
    assert [each.parameters.get("counter") for each in read.diversion] == ["1", None]
    assert [str(each.uri) for each in read.p_asserted_identity] == ["sip:1@a", "tel:+48223809887"]
    assert [(each.reference, each.parameters.text("x")) for each in read.alert_info] == [
        ("http://www.example.com/sounds/moo.wav", "b"),
    ]  # fmt: skip


def test_an_alert_info_of_one_word_is_taken_as_phones_take_it():
    assert message("Alert-Info: Bellcore-dr2").alert_info[0].reference == "Bellcore-dr2"
    assert message("Alert-Info: ;info=ring3").alert_info[0].parameters.get("info") == "ring3"


def test_several_challenges_may_stand_in_one_header_or_in_many():
    read = message(
        'WWW-Authenticate: Digest realm="a", nonce="b", algorithm=SHA-256, Digest realm="a", nonce="b"',
        'WWW-Authenticate: Basic realm="c"',
    )
    assert [(each.scheme, each.parameters.get("algorithm")) for each in read.www_authenticate] == [
        ("digest", "SHA-256"), ("digest", None), ("basic", None),
    ]  # fmt: skip


def test_a_date_is_written_in_gmt():
    read = message()
    read.date = datetime(2010, 11, 14, 0, 29, tzinfo=timezone(timedelta(hours=1)))
    assert read.headers.get("Date") == "Sat, 13 Nov 2010 23:29:00 GMT"


def test_what_is_set_takes_the_place_of_what_was_there_and_none_takes_it_out():
    read = message("X: 1", "f: <sip:a@b>", "Expires: 60", "Y: 2")
    assert read.expires_s == 60
    read.expires_s = 90
    read.from_ = read.from_.with_tag("a").with_tag("b")
    assert list(read.headers) == [("X", "1"), ("From", "<sip:a@b>;tag=b"), ("Expires", "90"), ("Y", "2")]
    assert (read.expires_s, read.from_.tag) == (90, "b")
    read.expires_s = None
    assert "Expires" not in read.headers
    assert read.expires_s is None


def test_headers_are_added_first_and_last_and_seen_at_once():
    read = message("Via: SIP/2.0/UDP a")
    assert len(read.via) == 1
    read.headers.prepend("Via", "SIP/2.0/UDP b")
    read.headers.add("Via", "SIP/2.0/UDP c")
    assert [via.host for via in read.via] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\rb"), ("X: y", "a"), ("", "a"), ("X", "\ud800"), ("l", "5")],
)
def test_a_value_never_starts_a_second_header(name, value):
    headers = Headers()
    for write in (headers.add, headers.prepend, headers.set):
        with pytest.raises(ValueError, match=r"can't|Content-Length"):
            write(name, value)
    assert len(headers) == 0
