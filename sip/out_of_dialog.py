"""Requests of ours to a phone that is registered, outside of any dialog (RFC 3261 §8.1.1)."""

from __future__ import annotations

import secrets
from functools import lru_cache

from sip.binding import Binding
from sip.message.address import Contact, NameAddress
from sip.message.message import Request
from sip.message.parameters import Parameters
from sip.message.uri import SipUri
from sip.message.values import CSeq
from sip.transport.flow import Address, Flow, Transport

_MAX_FORWARDS = 70
"§8.1.1.6."


def request_to(
    method: str,
    aor: SipUri,
    binding: Binding,
    flow: Flow,
    *,
    call_id: str | None = None,
    tag: str | None = None,
) -> Request:
    """A request to one binding of `aor`, without Via, which the transaction puts on top.

    `flow` is the way to it. `call_id` and `tag` are new for each; without them they are made here.
    """
    contact = binding.uri
    request = Request(method, contact.without_headers() if isinstance(contact, SipUri) else contact)
    request.max_forwards = _MAX_FORWARDS
    if binding.path:
        # RFC 3327 §5.4: the way back is a preloaded route.
        request.headers.set("Route", *binding.path)
    # A phone may be told to hear nobody but the server that it registers with: we speak as that.
    request.from_ = NameAddress(aor).with_tag(tag or secrets.token_hex(8))
    request.to = NameAddress(aor)
    request.call_id = call_id or secrets.token_hex(16)
    request.cseq = CSeq(1, method)
    request.contact = (Contact(own_uri(flow)),)
    return request


def own_uri(flow: Flow) -> SipUri:
    """Where the phone finds us on this flow."""
    return _own_uri(flow.transport, flow.local)


@lru_cache(256)
def _own_uri(transport: Transport, local: Address) -> SipUri:
    said = Parameters() if transport is Transport.UDP else Parameters((("transport", transport.value),))
    return SipUri(local.uri_host, port=local.port, parameters=said)
