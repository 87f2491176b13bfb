"""What a phone that is rung is told of who calls (RFC 3325, RFC 3323, draft-ietf-sip-privacy)."""

from __future__ import annotations

from functools import lru_cache

from sip.call.ringing import Caller, Target
from sip.message.address import NameAddress
from sip.message.message import Message, Request
from sip.message.parameters import Parameters
from sip.message.uri import SipUri, escape_user

_ANONYMOUS = SipUri("anonymous.invalid", "anonymous")
_RPID = Parameters((("party", "calling"), ("screen", "yes"), ("privacy", "off")))
_CALLED = Parameters((("party", "called"), ("screen", "yes"), ("privacy", "off")))


def present(request: Request, target: Target, own: SipUri, tag: str) -> None:
    """Says who calls in From, P-Asserted-Identity and Remote-Party-ID, of which each phone looks at another.

    Of a caller who hides himself no phone is told anything: they are all outside the trust domain (RFC 3325
    §7). `own` is where the phone knows us.
    """
    caller = target.caller
    if caller.is_hidden or not caller.number:
        # A name beside a number is the caller's own; one alone is that of the group that is called.
        group = "" if caller.number else caller.name
        request.from_ = NameAddress(_ANONYMOUS, group or "Anonymous").with_tag(tag)
        request.headers.add("Privacy", "id")
    else:
        shown, remote_party = _shown(caller, own)
        request.headers.add("From", f"{shown};tag={tag}")
        request.headers.add("P-Asserted-Identity", shown)
        request.headers.add("Remote-Party-ID", remote_party)
    if target.alert:
        request.headers.add("Alert-Info", target.alert)


@lru_cache(256)
def _shown(caller: Caller, own: SipUri) -> tuple[str, str]:
    """A caller's address, and the same for Remote-Party-ID, as all members of a group are told it."""
    uri = SipUri(own.host, escape_user(caller.number), port=own.port)
    name = caller.name or None
    return str(NameAddress(uri, name)), str(NameAddress(uri, name, _RPID))


def connect(message: Message, other: Caller, own: SipUri) -> None:
    """Says in a request or answer of ours whom a phone talks to from then on, if that is another.

    From and To stay what they were, which phones know the dialog by (RFC 4916 would change them). `own` is
    where the phone knows us.
    """
    if other.is_hidden or not other.number:
        message.p_asserted_identity = (NameAddress(_ANONYMOUS, "Anonymous"),)
        message.headers.add("Privacy", "id")
        return
    uri = SipUri(own.host, escape_user(other.number), port=own.port)
    message.p_asserted_identity = (NameAddress(uri, other.name or None),)
    party = _RPID if isinstance(message, Request) else _CALLED
    message.remote_party_id = (NameAddress(uri, other.name or None, party),)
