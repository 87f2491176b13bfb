"""What Hypothesis makes messages of."""

from __future__ import annotations

import string
from datetime import datetime

from hypothesis import strategies as st

from sip.message import uri as uris
from sip.message.address import Contact, InfoReference, NameAddress
from sip.message.headers import Headers, key_of
from sip.message.message import Request, Response
from sip.message.parameters import Parameters
from sip.message.sdp import Line, Media, SessionDescription
from sip.message.uri import OtherUri, SipUri, TelUri
from sip.message.values import (
    CSeq,
    Event,
    MediaType,
    RAck,
    Reason,
    Replaces,
    RetryAfter,
    SessionExpires,
    SubscriptionState,
    Warning,
)
from sip.message.via import Via

WORDS = st.text(string.ascii_letters + string.digits + "-.!%*_+`'~", min_size=1, max_size=10)
# Text as it comes off the wire: UTF-8, or bytes that are none.
TEXTS = st.binary(max_size=20).map(
    lambda data: data.replace(b"\r", b"").replace(b"\n", b"").decode("utf-8", "surrogateescape")
)
TRIMMED = TEXTS.map(lambda text: text.strip(" \t"))
UINT32 = st.integers(0, 2**32 - 1)

IPV6 = st.ip_addresses(v=6).map(lambda address: f"[{address}]")
HOSTS = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,8}[A-Za-z0-9])?(\.[A-Za-z]{2,5})?", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    IPV6,
)
PORTS = st.none() | st.integers(0, 65535)
ESCAPED = st.binary(min_size=1, max_size=8).map(lambda data: uris._escaped(data, uris._IN_USER))
URI_WORDS = st.text(string.ascii_letters + string.digits + "-_.!~*'()[]/:&+$%", min_size=1, max_size=8)
URI_PARAMETERS = st.lists(st.tuples(URI_WORDS, st.none() | URI_WORDS), max_size=3).map(Parameters)
HEADER_WORDS = st.text(string.ascii_letters + string.digits + "-_.!~*'()[]/?:+$%", min_size=1, max_size=8)
URI_HEADERS = st.lists(st.tuples(HEADER_WORDS, HEADER_WORDS | st.just("")), max_size=2).map(tuple)
SIP_URIS = st.builds(
    SipUri,
    HOSTS,
    ESCAPED,
    st.none() | ESCAPED,
    PORTS,
    st.sampled_from(["sip", "sips"]),
    URI_PARAMETERS,
    URI_HEADERS,
) | st.builds(SipUri, HOSTS, port=PORTS, scheme=st.sampled_from(["sip", "sips"]))
NUMBERS = st.from_regex(r"\+?[0-9][0-9.()-]{0,12}", fullmatch=True)
TEL_URIS = st.builds(TelUri, NUMBERS, URI_PARAMETERS)
SCHEMES = st.from_regex(r"[A-Za-z][A-Za-z0-9+.-]{0,8}", fullmatch=True)
OTHER_URIS = st.builds(
    OtherUri,
    SCHEMES.filter(lambda scheme: scheme.lower() not in {"sip", "sips", "tel"}),
    st.from_regex(r"[!#-;=?-~]{1,12}", fullmatch=True),
)
URIS = st.one_of(SIP_URIS, TEL_URIS, OTHER_URIS)

QUOTED = TEXTS.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
VALUES = st.one_of(st.none(), WORDS, QUOTED, IPV6)
PARAMETERS = st.lists(st.tuples(WORDS, VALUES), max_size=4).map(Parameters)
NAMES = st.none() | TEXTS

VIAS = st.builds(Via, WORDS, HOSTS, PORTS, PARAMETERS)
ADDRESSES = st.builds(NameAddress, URIS, NAMES, PARAMETERS)
CONTACTS = st.builds(Contact, URIS, NAMES, PARAMETERS)
REFERENCES = st.builds(InfoReference, st.from_regex(r"[!#-;=?-~]{1,12}", fullmatch=True), PARAMETERS)
CSEQS = st.builds(CSeq, UINT32, WORDS)
REPLACES = st.builds(
    lambda call_id, tag, more: Replaces(call_id, Parameters([("to-tag", tag), ("from-tag", tag), *more])),
    WORDS,
    WORDS,
    PARAMETERS,
)
COMMENTS = TEXTS.map(lambda text: text.replace("(", "").replace(")", ""))

ONE = {
    "from_": ADDRESSES,
    "to": ADDRESSES,
    "call_id": st.from_regex(r"[!-~]{1,20}", fullmatch=True),
    "cseq": CSEQS,
    "max_forwards": st.integers(0, 255),
    "expires_s": UINT32,
    "min_expires_s": UINT32,
    "content_type": st.builds(MediaType, WORDS, WORDS, PARAMETERS),
    "user_agent": TRIMMED.filter(bool),
    "server": TRIMMED.filter(bool),
    "subject": TRIMMED.filter(bool),
    "retry_after": st.builds(RetryAfter, UINT32, st.none() | COMMENTS, PARAMETERS),
    "date": st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.timezones()).map(
        lambda date: date.replace(microsecond=0)
    ),
    "event": st.builds(Event, WORDS, PARAMETERS),
    "subscription_state": st.builds(SubscriptionState, WORDS, PARAMETERS),
    "refer_to": ADDRESSES,
    "referred_by": ADDRESSES,
    "replaces": REPLACES,
    "rack": st.builds(RAck, UINT32, CSEQS),
    "rseq": UINT32,
    "session_expires": st.builds(SessionExpires, UINT32, PARAMETERS),
    "min_se": st.builds(SessionExpires, UINT32, PARAMETERS),
}
"Attributes of one value."

SEVERAL = {
    "via": VIAS,
    "route": ADDRESSES,
    "record_route": ADDRESSES,
    "path": ADDRESSES,
    "service_route": ADDRESSES,
    "contact": CONTACTS,
    "supported": WORDS,
    "require": WORDS,
    "proxy_require": WORDS,
    "unsupported": WORDS,
    "allow": WORDS,
    "allow_events": WORDS,
    "accept": st.builds(MediaType, WORDS, WORDS, PARAMETERS),
    "content_encoding": WORDS,
    "alert_info": REFERENCES,
    "call_info": REFERENCES,
    "warning": st.builds(Warning, st.integers(0, 999), HOSTS, TEXTS),
    "reason": st.builds(Reason, WORDS, PARAMETERS),
    "p_asserted_identity": ADDRESSES,
    "p_preferred_identity": ADDRESSES,
    "remote_party_id": ADDRESSES,
    "diversion": ADDRESSES,
    "history_info": ADDRESSES.map(str),
}
"Attributes of several values."

FIELDS = st.lists(
    st.tuples(
        WORDS.filter(
            lambda name: key_of(name) not in {"content-length", "via", "from", "to", "call-id", "cseq"}
        ),
        TRIMMED,
    ),
    max_size=5,
)


@st.composite
def headers(draw: st.DrawFn, method: str) -> Headers:
    """What each message has, among anything else."""
    made = Headers(draw(FIELDS))
    for name, values in (
        ("Via", draw(st.lists(VIAS, min_size=1, max_size=3))),
        ("From", [draw(ADDRESSES)]),
        ("To", [draw(ADDRESSES)]),
        ("Call-ID", [draw(ONE["call_id"])]),
        ("CSeq", [CSeq(draw(UINT32), method)]),
    ):
        made.set(name, *map(str, values))
    return made


BODIES = st.binary(max_size=50)
REQUESTS = WORDS.flatmap(lambda method: st.builds(Request, st.just(method), URIS, headers(method), BODIES))
RESPONSES = WORDS.flatmap(
    lambda method: st.builds(Response, st.integers(100, 699), TEXTS, headers(method), BODIES)
)
MESSAGES = REQUESTS | RESPONSES

LINES = st.lists(st.builds(Line, st.sampled_from("abciksotuz"), TEXTS), max_size=6).map(tuple)
FORMATS = st.lists(st.from_regex(r"[0-9]{1,3}", fullmatch=True), min_size=1, max_size=4).map(tuple)
MEDIA = st.builds(
    Media,
    LINES,
    st.sampled_from(["audio", "video", "image"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "RTP/SAVPF", "udptl"]),
    FORMATS,
    st.none() | st.integers(0, 99),
)
DESCRIPTIONS = st.builds(
    lambda lines, media: SessionDescription((Line("v", "0"), *lines), tuple(media)),
    LINES,
    st.lists(MEDIA, max_size=3),
)
