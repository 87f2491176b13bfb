"""Requests and responses (RFC 3261 §7)."""

from __future__ import annotations

from collections.abc import Sequence

from sip.auth_header import parse_auth
from sip.message import lexer
from sip.message.address import Contact, InfoReference, NameAddress
from sip.message.errors import BadHeader, MessageError
from sip.message.headers import Field, Headers
from sip.message.reasons import REASONS
from sip.message.remembered import remembered
from sip.message.typed import Lines, Needed, One, Several
from sip.message.uri import Uri, parse_uri
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
    parse_call_id,
    parse_date,
    parse_expires,
    parse_max_forwards,
    parse_privacy,
    parse_rseq,
    parse_seconds,
    parse_text,
    write_date,
)
from sip.message.via import Via

_STAR = "*"
_OF_EACH_RESPONSE = frozenset({"via", "from", "to", "call-id", "cseq"})


class Message:
    """What requests and responses have in common.

    A header's attribute reads it when it is looked at, and raises `BadHeader` if it can't be read; what
    nobody looks at costs nothing. Values don't change; a header does, by being set.
    """

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    # RFC 3261
    via = Several("Via", Via.parse)
    from_ = Needed("From", NameAddress.parse)
    to = Needed("To", NameAddress.parse)
    call_id = Needed("Call-ID", parse_call_id)
    cseq = Needed("CSeq", remembered(CSeq.parse))
    max_forwards = One("Max-Forwards", parse_max_forwards)
    route = Several("Route", NameAddress.parse)
    record_route = Several("Record-Route", NameAddress.parse)
    expires_s = One("Expires", parse_expires)
    min_expires_s = One("Min-Expires", parse_seconds)
    supported = Several("Supported", lexer.token)
    require = Several("Require", lexer.token)
    proxy_require = Several("Proxy-Require", lexer.token)
    unsupported = Several("Unsupported", lexer.token)
    allow = Several("Allow", lexer.token)
    accept = Several("Accept", MediaType.parse)
    content_type = One("Content-Type", MediaType.parse)
    content_encoding = Several("Content-Encoding", lexer.token)
    authorization = Lines("Authorization", parse_auth)
    proxy_authorization = Lines("Proxy-Authorization", parse_auth)
    www_authenticate = Lines("WWW-Authenticate", parse_auth)
    proxy_authenticate = Lines("Proxy-Authenticate", parse_auth)
    user_agent = One("User-Agent", parse_text)
    server = One("Server", parse_text)
    subject = One("Subject", parse_text)
    alert_info = Several("Alert-Info", InfoReference.parse)
    call_info = Several("Call-Info", InfoReference.parse)
    retry_after = One("Retry-After", RetryAfter.parse)
    date = One("Date", parse_date, write_date)
    warning = Several("Warning", Warning.parse)
    # Its extensions
    path = Several("Path", NameAddress.parse)  # RFC 3327
    service_route = Several("Service-Route", NameAddress.parse)  # RFC 3608
    event = One("Event", Event.parse)  # RFC 6665
    allow_events = Several("Allow-Events", lexer.token)
    subscription_state = One("Subscription-State", SubscriptionState.parse)
    reason = Several("Reason", Reason.parse)  # RFC 3326
    refer_to = One("Refer-To", NameAddress.parse)  # RFC 3515
    referred_by = One("Referred-By", NameAddress.parse)  # RFC 3892
    replaces = One("Replaces", Replaces.parse)  # RFC 3891
    p_asserted_identity = Several("P-Asserted-Identity", NameAddress.parse)  # RFC 3325
    p_preferred_identity = Several("P-Preferred-Identity", NameAddress.parse)
    privacy = Lines("Privacy", parse_privacy)  # RFC 3323
    remote_party_id = Several("Remote-Party-ID", NameAddress.parse)  # draft-ietf-sip-privacy
    diversion = Several("Diversion", NameAddress.parse)  # RFC 5806
    history_info = Several("History-Info", parse_text)  # RFC 7044, passed on as it is
    rack = One("RAck", RAck.parse)  # RFC 3262
    rseq = One("RSeq", parse_rseq)
    session_expires = One("Session-Expires", SessionExpires.parse)  # RFC 4028
    min_se = One("Min-SE", SessionExpires.parse)

    @property
    def contact(self) -> tuple[Contact, ...]:
        """The Contacts (§20.10); none also where there is `*`, see `is_contact_star`."""
        return () if self.is_contact_star else self._contact

    @contact.setter
    def contact(self, contacts: tuple[Contact, ...]) -> None:
        self.headers.set("Contact", *map(str, contacts))

    _contact = Several("Contact", Contact.parse)

    @property
    def is_contact_star(self) -> bool:
        """Whether a REGISTER speaks of all bindings at once: `Contact: *` (§10.2.2).

        Raises `BadHeader` where something stands beside the star (§10.3, step 6).
        """
        values = self.headers.under("contact")
        if _STAR not in values:
            return False
        if len(values) > 1:
            raise BadHeader("Contact", "a star stands alone")
        return True

    @property
    def start_line(self) -> str:
        """The first line, without its end."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """As it is sent; Content-Length is right, and last.

        Raises `ValueError` for a first line that would be more than one.
        """
        first = self.start_line
        if not lexer.is_writable(first):
            raise ValueError("a method, URI or reason can't hold a line end")
        head = f"{first}\r\n{self.headers.lines}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self.start_line == other.start_line
            and self.headers == other.headers
            and self.body == other.body
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # The start line alone: headers hold credentials.
        return f"<{type(self).__name__} {self.start_line!r}>"


class Request(Message):
    """A request. Methods are compared with regard to case (§7.1), and any token is one."""

    __slots__ = ("_uri", "method", "uri_text")

    def __init__(
        self, method: str, uri: Uri | str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.method = method
        self._uri: Uri | None
        if isinstance(uri, str):
            self._uri, self.uri_text = None, uri
        else:
            self._uri, self.uri_text = uri, str(uri)
        "The Request-URI as written."
        self.headers = Headers() if headers is None else headers
        self.body = body

    @property
    def uri(self) -> Uri:
        """The Request-URI. Raises `BadUri`."""
        if self._uri is None:
            self._uri = parse_uri(self.uri_text)
        return self._uri

    @uri.setter
    def uri(self, uri: Uri) -> None:
        self._uri, self.uri_text = uri, str(uri)

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri_text} SIP/2.0"

    def response(self, status: int, reason: str | None = None, *, to_tag: str | None = None) -> Response:
        """A response with the headers that each has (§8.2.6.2), copied as they came, so far as they came.

        `to_tag` goes into To where that has no tag yet; for a 100 leave it out (§8.2.6.2).
        """
        fields = [field for field in self.headers.fields if field[0] in _OF_EACH_RESPONSE]
        single = [key for key, _, _ in fields if key != "via"]
        if len(set(single)) < len(single):
            # What is wrong with the request must not be wrong with its answer (§7.3.1).
            fields = _first_of_each(fields)
        if to_tag is not None and not self._to_has_tag():
            tag = f";tag={lexer.token(to_tag)}"
            fields = [(key, name, value + tag if key == "to" else value) for key, name, value in fields]
        headers = Headers.as_read(fields)
        if status == 100:
            for timestamp in self.headers.all("Timestamp"):
                headers.add("Timestamp", timestamp)
        return Response(status, reason, headers)

    def _to_has_tag(self) -> bool:
        try:
            return self.to.tag is not None
        except MessageError:
            # Missing, twice there, or unreadable: the answer goes back by Via, branch and CSeq; To is an
            # echo, and stays one.
            return True


class Response(Message):
    """A response."""

    __slots__ = ("reason_phrase", "status")

    def __init__(
        self, status: int, reason: str | None = None, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.status = status
        self.reason_phrase = REASONS.get(status, "") if reason is None else reason
        "For people; may be empty."
        self.headers = Headers() if headers is None else headers
        self.body = body

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason_phrase}"


def _first_of_each(fields: Sequence[Field]) -> list[Field]:
    """Without what stands there once more; there is a Via for each server that it has come through."""
    seen: set[str] = set()
    kept: list[Field] = []
    for field in fields:
        if field[0] == "via" or field[0] not in seen:
            seen.add(field[0])
            kept.append(field)
    return kept
