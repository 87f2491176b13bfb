"""What two other parsers, sipmessage and aiosipua, read in the same bytes.

Neither is ever asked for Authorization: sipmessage takes a time there that doubles with each parameter, 4 s
for 24.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import aiosipua.message
import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from sip.message.address import Contact, NameAddress
from sip.message.headers import Headers
from sip.message.message import Message, Request, Response
from sip.message.parameters import Parameters
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri, Uri, escape_user, parse_uri, unescape
from sip.message.values import CSeq
from sip.message.via import Via
from tests.sip.message.messages import REGISTER, vector, verdicts, wire
from tests.sip.message.strategies import IPV6
from tests.sip.message.test_torture import DROPPED, REFUSED

HEADERS = ("from", "to", "contact", "via", "cseq")


@dataclass(frozen=True)
class Reader:
    """A parser, and how its values become tuples that can be compared."""

    parse: Callable[[bytes], Any]
    read: Mapping[str, Callable[[Any], object]]


def our_uri(uri: Uri) -> object:
    if isinstance(uri, SipUri):
        return uri.scheme, None if uri.user is None else unescape(uri.user), uri.host, uri.port
    return str(uri)


def our_address(address: NameAddress) -> object:
    return address.display_name or "", our_uri(address.uri), address.tag


def sipmessage_address(address: sipmessage.Address) -> object:
    uri = address.uri
    return address.name, (uri.scheme, uri.user, uri.host, uri.port), address.parameters.get("tag")


def aiosipua_address(address: aiosipua.message.Address) -> object:
    uri = address.uri
    user = None if uri.user is None else unquote(uri.user)
    return address.display_name or "", (uri.scheme, user, uri.host, uri.port), address.tag


OURS = Reader(
    parse_datagram,
    {
        "from": lambda message: our_address(message.from_),
        "to": lambda message: our_address(message.to),
        "contact": lambda message: [our_address(each) for each in message.contact],
        "via": lambda message: [(via.transport, via.host, via.port, via.branch) for via in message.via],
        "cseq": lambda message: (message.cseq.number, message.cseq.method),
    },
)
SIPMESSAGE = Reader(
    sipmessage.Message.parse,
    {
        "from": lambda message: sipmessage_address(message.from_address),
        "to": lambda message: sipmessage_address(message.to_address),
        "contact": lambda message: [sipmessage_address(each) for each in message.contact],
        "via": lambda message: [
            (via.transport, via.host, via.port, via.parameters.get("branch")) for via in message.via
        ],
        "cseq": lambda message: (message.cseq.sequence, message.cseq.method),
    },
)
AIOSIPUA = Reader(
    aiosipua.message.SipMessage.parse,
    {
        "from": lambda message: aiosipua_address(message.from_addr),
        "to": lambda message: aiosipua_address(message.to_addr),
        "contact": lambda message: [aiosipua_address(each) for each in message.contact],
        "via": lambda message: [(via.transport, via.host, via.port, via.branch) for via in message.via],
        "cseq": lambda message: (message.cseq.seq, message.cseq.method),
    },
)
OTHERS = {"sipmessage": SIPMESSAGE, "aiosipua": AIOSIPUA}
BOTH = pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)

ALONE: dict[tuple[str, str], tuple[dict[str, str] | None, str]] = {
    # Whole messages (None), or single headers with what happens to them, and why.
    ("sipmessage", "wsinv"): (None, "no folding, which is a line without a name to it"),
    ("sipmessage", "semiuri"): (None, "no folding"),
    ("sipmessage", "esc01"): ({"contact": "differs"}, "folding: the line after it is lost"),
    ("sipmessage", "lwsstart"): (None, "no blanks to spare in the first line"),
    ("sipmessage", "trws"): (None, "no blanks at the end of the first line"),
    ("sipmessage", "baddn"): (None, "no message without the blank line after its headers"),
    ("sipmessage", "escruri"): (None, "no headers in a URI"),
    ("sipmessage", "regescrt"): ({"contact": "refused"}, "no headers in a URI"),
    ("sipmessage", "badaspec"): ({"to": "refused"}, "no blanks between < and the URI"),
    ("sipmessage", "unkscm"): (None, "no schemes but sip, sips and tel"),
    ("sipmessage", "novelsc"): (None, "no schemes but sip, sips and tel"),
    ("sipmessage", "unksm2"): (
        dict.fromkeys(("from", "to", "contact"), "refused"),
        "no schemes but sip, sips and tel",
    ),
    ("sipmessage", "intmeth"): (
        {"to": "differs", "via": "differs"},
        "of all quoted-pairs it reads two; and escapes, which are for URIs, in parameters of headers",
    ),
    ("sipmessage", "longreq"): ({"via": "differs"}, "a blank before the colon makes another name"),
    ("sipmessage", "ipv6-correct-abnf-2-colons"): (None, "no IPv4 at the end of an IPv6 address"),
    ("sipmessage", "via-received-param-no-delim"): ({"via": "refused"}, "no IPv6 without brackets"),
    ("aiosipua", "wsinv"): (
        dict.fromkeys(("from", "contact", "via"), "differs"),
        "no quoted-pairs, and no blanks around the slashes of a Via",
    ),
    ("aiosipua", "intmeth"): ({"to": "differs"}, "no quoted-pairs, and no semicolons in a user"),
    ("aiosipua", "unksm2"): (
        dict.fromkeys(("from", "to", "contact"), "differs"),
        "all schemes are read as if they were sip",
    ),
}
"Where we read well-formed messages alone. What stands here and is no longer so fails, too."

WELL_FORMED = [
    (rfc, name)
    for rfc in ("rfc4475", "rfc5118")
    for name in verdicts(rfc)
    # A Contact that must be refused (RFC 4475 §3.3.13) is no ground to compare on.
    if name not in REFUSED and name not in DROPPED and name != "regbadct"
]


def compared(ours: Message, theirs: Any, other: Reader) -> dict[str, str]:
    """The headers of which they say something else, or nothing."""
    found = {}
    for header in HEADERS:
        try:
            value = other.read[header](theirs)
        except ValueError:
            found[header] = "refused"
            continue
        if value != OURS.read[header](ours):
            found[header] = "differs"
    return found


@pytest.mark.parametrize("library", OTHERS)
@pytest.mark.parametrize(("rfc", "name"), WELL_FORMED, ids=[name for _, name in WELL_FORMED])
def test_all_read_the_same_in_a_well_formed_message(library, rfc, name):
    data = vector(rfc, name)
    expected, _ = ALONE.get((library, name), ({}, ""))
    try:
        theirs = OTHERS[library].parse(data)
    except ValueError:
        assert expected is None
        return
    assert compared(parse_datagram(data), theirs, OTHERS[library]) == expected


@BOTH
def test_all_read_the_same_in_what_a_phone_sends(other):
    assert compared(parse_datagram(REGISTER), other.parse(REGISTER), other) == {}


# What phones send, and sipmessage refuses: why it is no parser for a socket.


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("contact", "Contact: *"),
        ("to", "To: <sip:101@pbx1>"),
        ("via", "Via: SIP/2.0/UDP pbx1;branch=z9hG4bK1"),
        ("via", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;;rport"),
        ("from", 'From: "Recepcja"<sip:101@my_pbx.example.com>;tag=1'),
    ],
    ids=["star", "host that ends in a digit", "the same in Via", "empty parameter", "underscore"],
)
def test_what_sipmessage_refuses_is_read_here(header, line):
    data = wire(
        f"""
REGISTER sip:pbx.example.com SIP/2.0
{line}
"""
    )
    with pytest.raises(ValueError, match="not valid"):
        SIPMESSAGE.read[header](sipmessage.Message.parse(data))
    ours = request_with(line)
    assert OURS.read[header](ours) is not None
    assert ours.is_contact_star == (line == "Contact: *")


def request_with(line: str) -> Message:
    """A request that is whole, with this line in it."""
    name = line.partition(":")[0]
    lines = [each for each in REGISTER.split(b"\r\n") if not each.startswith(f"{name}:".encode())]
    message = parse_datagram(b"\r\n".join([lines[0], line.encode(), *lines[1:]]))
    assert message is not None
    return message


# Messages of which all three know all there is: no quoted-pairs, escapes in parameters, or names said twice.

# Of the other characters of a token sipmessage writes escapes.
TOKENS = st.text(string.ascii_letters + string.digits + "-._~", min_size=1, max_size=8)
HOSTS = st.one_of(
    st.from_regex(r"([a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?\.){0,2}[a-z]{2,5}", fullmatch=True).filter(
        lambda host: "--" not in host
    ),
    st.ip_addresses(v=4).map(str),
    IPV6,
)
PORTS = st.none() | st.integers(1, 65535)
# A semicolon or question mark in a user is read by two of three.
USERS = st.text(string.printable.strip() + "łóż", min_size=1, max_size=8).map(
    lambda user: escape_user(user).replace(";", "%3B").replace("?", "%3F")
)
URIS = st.builds(SipUri, HOSTS, USERS, port=PORTS, scheme=st.sampled_from(["sip", "sips"]))
NAMES = st.none() | st.text(string.ascii_letters + string.digits + " ,.;:@()ąę", min_size=1, max_size=12).map(
    str.strip
).filter(bool)


def parameters(*names: str) -> st.SearchStrategy[Parameters]:
    """Some of these, in any order."""
    return st.lists(
        st.tuples(st.sampled_from(names), TOKENS), max_size=len(names), unique_by=lambda each: each[0]
    ).map(Parameters)


ADDRESSES = st.builds(NameAddress, URIS, NAMES, parameters("tag", "x", "y"))
CONTACTS = st.builds(Contact, URIS, NAMES, parameters("expires", "q", "x"))
VIAS = st.builds(
    Via, st.sampled_from(["UDP", "TCP", "TLS"]), HOSTS, PORTS, parameters("branch", "received", "x")
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A request or response."""
    method = draw(st.sampled_from(["REGISTER", "INVITE", "SUBSCRIBE", "X-NEW"]))
    message: Message
    if draw(st.booleans()):
        message = Request(method, draw(URIS), Headers())
    else:
        message = Response(draw(st.integers(100, 699)), "Any Reason", Headers())
    message.headers.add("Call-ID", draw(TOKENS))
    message.from_, message.to = draw(ADDRESSES), draw(ADDRESSES)
    message.cseq = CSeq(draw(st.integers(0, 2**31 - 1)), method)
    vias, contacts = draw(st.lists(VIAS, min_size=1, max_size=3)), draw(st.lists(CONTACTS, max_size=3))
    if draw(st.booleans()):
        message.via, message.contact = tuple(vias), tuple(contacts)
    else:
        message.headers.add("Via", ", ".join(map(str, vias)))
        # Of two quoted names in one line sipmessage makes one.
        message.headers.add("m", ", ".join(str(replace(each, display_name=None)) for each in contacts))
    message.body = draw(st.binary(max_size=20))
    return message


@BOTH
@given(ours=messages())
def test_all_read_the_same_in_what_we_write(other, ours):
    theirs = other.parse(bytes(ours))
    assert compared(ours, theirs, other) == {}
    assert theirs.body == ours.body
    if isinstance(ours, Request):
        assert theirs.method == ours.method
        assert our_uri(parse_uri(str(theirs.uri))) == our_uri(ours.uri)


@BOTH
@given(ours=messages())
def test_we_read_what_they_write(other, ours):
    theirs = other.parse(bytes(ours))
    # By way of their values, so that they write each header anew.
    for name in ("from_address", "to_address", "from_addr", "to_addr", "contact", "via", "cseq"):
        with suppress(AttributeError):
            setattr(theirs, name, getattr(theirs, name))
    written = parse_datagram(bytes(theirs))
    assert written is not None
    for header in HEADERS:
        assert OURS.read[header](written) == OURS.read[header](ours)
