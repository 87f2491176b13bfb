"""Phones that look for their server by multicast: SUBSCRIBE `Event: ua-profile`, a URL in the NOTIFY.

What RFC 6080 became in phones: the user of the Request-URI is the phone's MAC, and the subscription ends
with its first NOTIFY. A MAC selects and never authorises, so the URL may be known to everybody.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from sip.message.address import Contact
from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parameters import Parameters
from sip.message.uri import SipUri, unescape
from sip.message.values import CSeq, Event, MediaType, SubscriptionState
from sip.message.via import Via
from sip.transport.flow import Address

GROUP = Address("224.0.1.75", 5060)
"Where phones ask: `sip.mcast.net` (§18.1.1)."
PACKAGE = "ua-profile"

_MAC = re.compile(r"MAC:?([0-9a-f]{12})", re.IGNORECASE)
_SIP_PORT = 5060
_MAX_FORWARDS = 70


@dataclass(frozen=True, slots=True)
class Asking:
    """What a phone that looks for a server says of itself; nobody vouches for any of it."""

    mac: str
    "Twelve lower-case hex digits."
    vendor: str
    "Such as `yealink`; empty where it does not say, as are the next two."
    model: str
    version: str
    "Of its firmware."


def asking(request: Request) -> Asking | None:
    """Who asks for a server by `request`; None: it asks for something else, or can't be read."""
    try:
        event = request.event
        if request.method != "SUBSCRIBE" or event is None or event.package.lower() != PACKAGE:
            return None
        uri = request.uri
        found = _MAC.fullmatch(unescape(uri.user or "")) if isinstance(uri, SipUri) else None
    except MessageError:
        return None
    if found is None:
        return None
    said = event.parameters
    vendor, model, version = (said.text(name) or "" for name in ("vendor", "model", "version"))
    return Asking(found[1].lower(), vendor, model, version)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A message, and whom it is for."""

    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What must be new for each phone that is answered."""

    tag: str
    branch: str
    "Of the NOTIFY's Via, without the cookie."


def answer(
    request: Request, url: str, source: Address, local: Address, ids: Identifiers
) -> tuple[Datagram, Datagram]:
    """The 200 and the NOTIFY that tells the phone `url`, which came from `source` to us at `local`.

    Via and Contact say the ports; the host is `source`'s whatever they say, so that nobody else is sent
    anything. Raises `MessageError` for a request that lacks what an answer needs.
    """
    top, *others = request.via
    via = top.received_from(*source)
    ours = Contact(_uri(local))
    ok = request.response(200, to_tag=ids.tag)
    ok.via = (via, *others)
    ok.contact = (ours,)
    ok.expires_s = 0

    contact = request.contact[0].uri if request.contact else None
    target = contact if isinstance(contact, SipUri) else SipUri(source.host, port=top.port)
    notify = Request("NOTIFY", target.without_headers())
    notify.via = (Via("UDP", local.uri_host, local.port, Parameters((("branch", f"z9hG4bK{ids.branch}"),))),)
    notify.max_forwards = _MAX_FORWARDS
    # Sent inside the dialog that the subscription has made: our To is the From of what we send (§12.2.1.1).
    notify.from_ = ok.to
    notify.to = request.from_
    notify.call_id = request.call_id
    notify.cseq = CSeq(1, "NOTIFY")
    notify.contact = (ours,)
    notify.event = Event(PACKAGE)
    notify.subscription_state = SubscriptionState("terminated", Parameters((("reason", "timeout"),)))
    notify.content_type = MediaType("application", "url")
    notify.body = url.encode("ascii")
    back = (source.port if top.asks_rport else top.port) or _SIP_PORT
    return (
        Datagram(Address(source.host, back), bytes(ok)),
        Datagram(Address(source.host, target.port or _SIP_PORT), bytes(notify)),
    )


def _uri(address: Address) -> SipUri:
    return SipUri(address.uri_host, port=address.port)


class Turns:
    """Whose turn it is: each source once in a while, and so many sources at most."""

    def __init__(self, pause_s: float = 5.0, most_sources: int = 4096) -> None:
        self._pause_s = pause_s
        self._most_sources = most_sources
        self._last: OrderedDict[str, float] = OrderedDict()
        "Loop time of each source's turn, the oldest first."

    def take(self, source: str, now: float) -> bool:
        """Whether `source` is heard now. One that is not waits no longer for having asked.

        While too many others have had their turn just now, it is not: they can't be forgotten yet.
        """
        while self._last:
            oldest, at = next(iter(self._last.items()))
            if now - at < self._pause_s:
                break
            del self._last[oldest]
        if source in self._last or len(self._last) >= self._most_sources:
            return False
        self._last[source] = now
        return True
